"""What every job on a folder of images shares, whatever is done to the images.

`walking` lists the images with relative path and category; `matching` finds the partner of an image in
another folder by name; `outputs` plans one output file for each, so that nothing is overwritten; `places`
makes folders and refuses links that lead out of the output. `run` does the work: it takes the lock (`lock`),
reads the manifest of an earlier run (`manifest`, one `record` a line, checked by `schema`), skips what is
finished, refuses to overwrite what is not ours (`protect`), works in order in a pool of threads (`jobs`), and
sums up.

A room that processes folders says only when an item is finished and how one item is done.
"""
