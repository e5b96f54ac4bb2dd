"""Image files in and out: the only place where bit depth, value range and layout change.

Reading: `reading.read_image` looks at the first bytes, lets `headers` judge the size before a pixel is
decoded, hands the file to the decoder of its format (`pillow_files`, `png`, `tiff`, `netpbm`), and turns what
comes back into an `image.Image`: float32 CHW in [0, 1], upright, with everything the file was beside it
(`FileTraits`).

Writing: `writing.write_image` goes the other way, keeps what the new format can hold (`metadata`), names
what it cannot, and writes through `atomic`, so that a file is whole or not there. `tiff_rows` and
`tiff_tiles` do both by rows for images that memory cannot hold. Everything read from a file is untrusted.
"""
