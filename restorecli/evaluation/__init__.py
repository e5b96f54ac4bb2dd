"""Measuring: from folders of restored images to scores by image and category.

`pairing` decides which files are compared, and lists every image without a partner. `scoring` decodes each
file once and applies the metrics (`metrics`, listed in `metrics.catalog`) under a protocol
(`metrics.protocol`). `statistics` sums up: means, intervals, groups, paired comparisons of methods, quality
gates. `tables` writes cells, Markdown, LaTeX, CSV and JSON; `folder` runs all of it and returns a
`result.Evaluation`. Argument order is (restored, reference).

The metrics are plain functions too, e.g. `restorecli.evaluation.psnr(restored, reference)`: see `functional`.
"""

from restorecli.evaluation.functional import (
    ciede2000,
    contrast_kept,
    defect_score,
    dists,
    edge_psnr,
    edges_kept,
    gmsd,
    lpips,
    mae,
    measure,
    ms_ssim,
    mse,
    musiq,
    niqe,
    noise_level,
    psnr,
    psnr_inside,
    psnr_outside,
    psnr_y,
    rmse,
    ssim,
    ssim_inside,
    ssim_outside,
    ssim_y,
    whiteness,
)

__all__ = [
    "ciede2000",
    "contrast_kept",
    "defect_score",
    "dists",
    "edge_psnr",
    "edges_kept",
    "gmsd",
    "lpips",
    "mae",
    "measure",
    "ms_ssim",
    "mse",
    "musiq",
    "niqe",
    "noise_level",
    "psnr",
    "psnr_inside",
    "psnr_outside",
    "psnr_y",
    "rmse",
    "ssim",
    "ssim_inside",
    "ssim_outside",
    "ssim_y",
    "whiteness",
]
