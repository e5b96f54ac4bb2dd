"""Restoring: from a degraded image to a restored one, whole or in tiles, one or a folder of them.

`choice` turns a model's name into a restorer: a network (by the fastest of `backends`), or a method without
weights (`methods`, listed in `methods.catalog`), told what is `known` about the images; `auto` diagnoses
each image and takes what helps. `image.ImageRestorer` restores one image: `plan` cuts it into tiles that
share what the network sees, `budget` keeps them within memory, `tiling` joins them, `backoff` makes them
smaller when memory runs out; `alpha` and `outside` guard what a network never saw. `keep_defects` gives
back structure that looked like noise. `files` restores one file as its kind asks for (`by_rows`,
`by_planes`); `folder` and `job` do it for a folder: read ahead, restore, write behind, one manifest line
for each image.
"""
