"""How strong the noise of a picture is, from the picture alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_HIGH_PASS = (-0.12940952255126037, -0.22414386804201339, 0.83651630373780790, -0.48296291314453416)
"""The high-pass filter of Daubechies' wavelet with two vanishing moments: blind to flat and linear parts."""

_NORMAL_MEDIAN = 0.6744897501960817
"""Median of the absolute value of a standard normal variable."""


@torch.no_grad()
def estimate_noise(x: Tensor) -> Tensor:
    """Estimate the deviation of white Gaussian noise: median |d| / 0.6745 of the finest diagonal details d.

    Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994; the mean over the
    channels is returned. Fine texture counts as noise, and clipped or quantised noise comes out too small.

    Args:
        x: (N, C, H, W), nominally in [0, 1].

    Returns:
        (N,), float32, on the 0-255 scale.
    """
    missing = [max(4 - side, 0) for side in x.shape[-2:]]
    y = F.pad(x.float(), (0, missing[1], 0, missing[0]), mode="replicate")
    for axis in (2, 3):
        count = y.shape[axis] - 3
        taps = (weight * y.narrow(axis, k, count) for k, weight in enumerate(_HIGH_PASS))
        y = torch.stack(list(taps)).sum(0)
        y = y.index_select(axis, torch.arange(0, count, 2, device=y.device))
    return 255 * y.abs().flatten(2).median(dim=2).values.mean(dim=1) / _NORMAL_MEDIAN
