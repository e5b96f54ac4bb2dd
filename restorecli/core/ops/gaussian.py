"""Gaussian windows for filters and for SSIM."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_window(size: int, sigma: float, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a 1-D Gaussian of odd length `size`, standard deviation `sigma` in pixels, that sums to 1.

    Example:
        >>> [round(float(tap), 3) for tap in gaussian_window(3, 1.0)]
        [0.274, 0.452, 0.274]
    """
    x = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    window = torch.exp(-(x**2) / (2 * sigma**2))
    return (window / window.sum()).to(dtype)


def separable_filter(x: Tensor, window: Tensor) -> Tensor:
    """Filter each channel of (N, C, H, W) by window^T window without padding: size - 1 smaller.

    Example:
        >>> tuple(separable_filter(torch.rand(1, 3, 20, 30), gaussian_window(11, 1.5)).shape)
        (1, 3, 10, 20)
    """
    channels = x.shape[1]
    taps = window.to(x)
    x = torch.nn.functional.conv2d(x, taps.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    return torch.nn.functional.conv2d(x, taps.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
