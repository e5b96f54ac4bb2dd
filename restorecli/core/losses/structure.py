"""The structural similarity loss, 1 - SSIM."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.losses import limits
from restorecli.core.ops.constants import window_like
from restorecli.core.ops.gaussian import separable_filter


def ssim_loss(restored: Tensor, reference: Tensor, *, window: int = 11, sigma: float = 1.5) -> Tensor:
    """Return 1 - mean SSIM over the valid area, with a Gaussian window and range 1.

    Computed in float32 or wider even under autocast: variances are small differences of large numbers.
    It is the loss twin of the metric `ssim` (which rounds to 8 bits and runs in float64).

    Args:
        restored: (N, C, H, W) in [0, 1], sides at least `window`.
        reference: The same shape.
        window: Side of the window in pixels.
        sigma: Its standard deviation in pixels.

    Raises:
        ValueError: The image is smaller than the window.

    References:
        Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 2004,
        doi:10.1109/TIP.2003.819861.

    Example:
        >>> gray = torch.full((1, 1, 16, 16), 0.5)
        >>> round(float(ssim_loss(gray, gray)), 4)
        0.0
    """
    if min(restored.shape[-2:]) < window:
        raise ValueError(f"SSIM needs sides of at least {window} pixels, got {tuple(restored.shape[-2:])}")
    with torch.autocast(restored.device.type, enabled=False):
        return 1 - _similarity(_wide(restored), _wide(reference), window, sigma).mean()


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype.itemsize >= 4 else x.float()


def _similarity(x: Tensor, y: Tensor, window: int, sigma: float) -> Tensor:
    """Return the map of local similarities, smaller than the images by window - 1."""
    taps = window_like(window, sigma, x)
    c1, c2 = 0.01**2, 0.03**2
    mean_x, mean_y = separable_filter(x, taps), separable_filter(y, taps)
    var_x = separable_filter(x * x, taps) - mean_x**2
    var_y = separable_filter(y * y, taps) - mean_y**2
    covariance = separable_filter(x * y, taps) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    contrast = (2 * covariance + c2) / (var_x + var_y + c2)
    return luminance * contrast


class SsimLoss(nn.Module):
    """Module form of `ssim_loss`."""

    least = 0.0
    symmetric = True

    def __init__(self, window: int = 11, sigma: float = 1.5) -> None:
        super().__init__()
        limits.ssim(window, sigma)
        self.window = window
        self.sigma = sigma

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the loss."""
        return ssim_loss(restored, reference, window=self.window, sigma=self.sigma)
