"""Making degraded images: from `--noise gaussian --sigma 15..50` to files with a manifest.

A degradation (`base`, one file for each family in `families`, listed in `catalog`) is a frozen set of
parameters with units. `parameters` checks values, `sampler` draws random ones and records them, `chain`
applies several in order. A `task` is all that decides one image, `writing` makes its file, `folder` and `job`
do it for a folder. The seed of an image comes from the run's seed and its relative path, so the same call
gives the same bytes. `operators` holds the linear degradations with their adjoints, for restoration methods
that need to know the blur; `again` repeats what a manifest says.
"""
