"""Every metric by name: a new one is a function and a line here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from restorecli.catalogs import Catalog, OwnParts
from restorecli.evaluation.metrics import consistency, defects, perceptual, regions, residual
from restorecli.evaluation.metrics.color import ciede2000, psnr_y, ssim_y
from restorecli.evaluation.metrics.edges import edge_psnr, gmsd
from restorecli.evaluation.metrics.metric import Metric, Need, by_itself, by_protocol
from restorecli.evaluation.metrics.structure import ms_ssim
from restorecli.plugins import load

_REFERENCE: frozenset[Need] = frozenset({"reference"})
_ALONE: frozenset[Need] = frozenset()
_MASKED: frozenset[Need] = frozenset({"reference", "mask"})
_DEGRADED: frozenset[Need] = frozenset({"degraded"})
_REDEGRADED: frozenset[Need] = frozenset({"degraded", "redegraded"})

# fmt: off
_ENTRIES = (
    Metric("psnr", "PSNR", "dB", True, 2, by_protocol("psnr"), _REFERENCE,
           "10 log10(255^2 / MSE) over all pixels and channels that the protocol compares", best=math.inf),
    Metric("ssim", "SSIM", "", True, 4, by_protocol("ssim"), _REFERENCE,
           "structural similarity with the protocol's window; Wang et al., TIP 2004", best=1),
    Metric("ms-ssim", "MS-SSIM", "", True, 4, by_protocol("ms-ssim", ms_ssim), _REFERENCE,
           "SSIM at five scales, by channel as piq, both sides from 161; Wang et al., Asilomar 2003",
           best=1),
    Metric("mae", "MAE", "", False, 2, by_protocol("mae"), _REFERENCE,
           "mean |restored - reference|, in levels of 0-255", best=0),
    Metric("mse", "MSE", "", False, 2, by_protocol("mse"), _REFERENCE,
           "mean (restored - reference)^2, in squared levels of 0-255", best=0),
    Metric("rmse", "RMSE", "", False, 2, by_protocol("rmse"), _REFERENCE,
           "root of the MSE of each image, in levels of 0-255", best=0),
    Metric("psnr-y", "PSNR-Y", "dB", True, 2, by_itself(psnr_y), _REFERENCE,
           "PSNR of Y of MATLAB's rgb2ycbcr (16-235, rounded), no crop", best=math.inf),
    Metric("ssim-y", "SSIM-Y", "", True, 4, by_itself(ssim_y), _REFERENCE,
           "SSIM of Y of MATLAB's rgb2ycbcr (16-235, rounded), no crop", best=1),
    Metric("gmsd", "GMSD", "", False, 4, by_protocol("gmsd", gmsd), _REFERENCE,
           "standard deviation of gradient similarity on Y of YIQ as pyiqa; Xue et al., TIP 2014", best=0),
    Metric("ciede2000", "CIEDE2000", "", False, 2, by_itself(ciede2000), _REFERENCE,
           "mean color difference in CIELAB under D65 as scikit-image; Sharma et al., 2005", best=0),
    Metric("edge-psnr", "Edge PSNR", "dB", True, 2, by_itself(edge_psnr), _REFERENCE,
           "10 log10(255^2 / MSE of the Sobel magnitudes of Y of YIQ); restorecli's own", best=math.inf),
    Metric("lpips", "LPIPS", "", False, 4, perceptual.lpips, _REFERENCE,
           "distance of AlexNet features, through torchmetrics; Zhang et al., CVPR 2018", offline=False,
           best=0),
    Metric("dists", "DISTS", "", False, 4, perceptual.dists, _REFERENCE,
           "structure and texture of VGG features, through torchmetrics; Ding et al., TPAMI 2020",
           offline=False, best=0),
    Metric("niqe", "NIQE", "", False, 3, perceptual.niqe, _ALONE,
           "natural scene statistics, no reference, through pyiqa (non-commercial); Mittal et al., SPL 2013",
           offline=False),
    Metric("musiq", "MUSIQ", "", True, 2, perceptual.musiq, _ALONE,
           "learned quality, no reference, through pyiqa (non-commercial); Ke et al., ICCV 2021",
           offline=False),
    Metric("psnr-inside", "PSNR inside", "dB", True, 2, regions.psnr_inside, _MASKED,
           "PSNR over the pixels of the defect's mask, divided by their number", best=math.inf),
    Metric("psnr-outside", "PSNR outside", "dB", True, 2, regions.psnr_outside, _MASKED,
           "PSNR over the pixels that are not in the mask, divided by their number", best=math.inf),
    Metric("ssim-inside", "SSIM inside", "", True, 4, regions.ssim_inside, _MASKED,
           "mean of the SSIM map over the pixels of the mask; Wang et al., TIP 2004", best=1),
    Metric("ssim-outside", "SSIM outside", "", True, 4, regions.ssim_outside, _MASKED,
           "mean of the SSIM map over the pixels that are not in the mask; Wang et al., TIP 2004", best=1),
    Metric("contrast-kept", "Contrast kept", "%", None, 1, defects.measured(defects.contrast_kept), _MASKED,
           "100 <r, s> / <s, s>; r, s: restored, reference in the mask less their mean 3-12 px off",
           best=100),
    Metric("edges-kept", "Edges kept", "%", None, 1, defects.measured(defects.edges_kept), _MASKED,
           "100 <h, g> / <g, g>; h, g: gradients of restored, reference at 1.5 px, up to 3 px from the mask",
           best=100),
    Metric("defect-score", "Defect score", "", True, 1, defects.measured(defects.defect_score), _MASKED,
           "geometric mean of contrast and edges kept, k as max(0, 100 - |100 - k|); restorecli's own",
           best=100),
    Metric("consistency", "Consistency", "dB", True, 2, consistency.consistency, _REDEGRADED,
           "PSNR of the image degraded again, by the manifest and its seeds, against the degraded one"),
    Metric("whiteness", "Whiteness", "", True, 4, residual.whiteness, _DEGRADED,
           "1 / sum of rho^2 of degraded - image up to 4 px; after Almeida and Figueiredo, TIP 2013"),
    Metric("noise-level", "Noise level", "", None, 2, residual.noise_level, _ALONE,
           "sigma (0-255) from the median wavelet detail; Donoho and Johnstone, Biometrika 1994"),
)
# fmt: on


def _own_metric(name: str, place: str) -> Metric:
    metric: Metric = replace(load(place), name=name)
    return metric


METRICS = Catalog(
    "metric",
    _ENTRIES,
    hint="restorecli eval --list-metrics",
    own=OwnParts("restorecli.metrics", "restorecli.evaluation.metrics.metric:Metric", _own_metric),
)
"""Every metric by name."""

DEFAULT = ("psnr", "ssim")
"""What is measured when nothing is said."""

DEFECT_SCORE = "defect-score"
"""What is measured beside it where there are masks of defects."""


def find_metrics(names: Sequence[str]) -> tuple[Metric, ...]:
    """Return metrics by their names, in the given order and each once.

    Raises:
        UsageError: There is no such metric.
    """
    found = (METRICS.find(name) for name in names)
    return tuple({metric.name: metric for metric in found}.values())
