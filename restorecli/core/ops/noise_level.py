"""How strong the noise of an image is, from the image alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_HIGH_PASS = (-0.12940952255126037, -0.22414386804201339, 0.83651630373780790, -0.48296291314453416)
"""The high-pass filter of Daubechies' wavelet with two vanishing moments: blind to flat and linear parts."""

_NORMAL_MEDIAN = 0.6744897501960817
"""Median of the absolute value of a standard normal variable."""


_ROUNDING = 1e-6
"""Details up to this size are 0 but for rounding, range [0, 1]: the smallest step of 16 bits gives more."""


@torch.no_grad()
def estimate_noise(x: Tensor) -> Tensor:
    """Estimate the standard deviation of white Gaussian noise from an image alone.

    sigma = median |d| / 0.6745 over the finest diagonal wavelet details d that are not 0 (Daubechies, two
    vanishing moments), averaged over the channels. Donoho and Johnstone, "Ideal spatial adaptation by wavelet
    shrinkage", Biometrika 81, 1994, section 4.2. Details that are exactly 0 come from flat parts (margins of
    a scan, letterboxes, clipped skies), where there is no noise to measure. scikit-image's estimate_sigma
    leaves them out, too, and differs only at the border of the image.

    Fine texture counts as noise, so that clean images do not come out at 0; noise that is clipped at black
    or white, or correlated from pixel to pixel (after blur, JPEG or demosaicing), comes out too small.

    Args:
        x: (N, C, H, W), nominally in [0, 1]; computed in float64 if it is, else in float32.

    Returns:
        (N,) on the 0-255 scale, in that type; 0 for an image without any detail.

    Example:
        >>> noise = torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
        >>> round(float(estimate_noise(0.5 + 25 / 255 * noise)))
        25
    """
    missing = [max(4 - side, 0) for side in x.shape[-2:]]
    y = x if x.dtype == torch.float64 else x.float()
    y = F.pad(y, (0, missing[1], 0, missing[0]), mode="replicate")
    for axis in (2, 3):
        count = y.shape[axis] - 3
        taps = (weight * y.narrow(axis, k, count) for k, weight in enumerate(_HIGH_PASS))
        y = torch.stack(list(taps)).sum(0)
        y = y.index_select(axis, torch.arange(0, count, 2, device=y.device))
    return 255 * _median_of_details(y.abs().flatten(2)).mean(dim=1) / _NORMAL_MEDIAN


def given_or_estimated_sigma(x: Tensor, sigma: Tensor | None, own: float | None) -> Tensor:
    """Return the noise level of each image for a network that takes one.

    Args:
        x: (N, C, H, W), nominally in [0, 1].
        sigma: (N,) as told, on the 0-255 scale, which comes first.
        own: The network's own level, which comes second; where there is none, it is estimated.

    Returns:
        (N,) on the 0-255 scale, in the type of `x`.
    """
    if sigma is None:
        sigma = estimate_noise(x) if own is None else x.new_full((x.shape[0],), own)
    return sigma.to(x)


def _median_of_details(sizes: Tensor) -> Tensor:
    """Return the median of the sizes above `_ROUNDING` along the last axis, 0 where there is none."""
    ordered = sizes.sort(dim=-1).values
    total = sizes.shape[-1]
    flat = (sizes <= _ROUNDING).sum(dim=-1, keepdim=True)
    lower = (flat + total - 1) // 2
    upper = torch.clamp((flat + total) // 2, max=total - 1)
    middle = (ordered.gather(-1, lower) + ordered.gather(-1, upper)) / 2
    return torch.where(flat < total, middle, torch.zeros_like(middle)).squeeze(-1)
