"""Measuring: from folders of restored images to scores by image and category.

`pairing` decides which files are compared, and lists every image without a partner. `scoring` decodes each
file once and applies the metrics (`metrics`, listed in `metrics.catalog`) under a protocol
(`metrics.protocol`). `statistics` sums up: means, intervals, groups, paired comparisons of methods, quality
gates. `tables` writes cells, Markdown, LaTeX, CSV and JSON; `folder` runs all of it and returns a
`result.Evaluation`. Argument order is (restored, reference).
"""
