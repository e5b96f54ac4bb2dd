"""What was taken out of an image, and how much noise is left in it; neither needs a reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.metric import Bytes, Subject
from restorecli.evaluation.metrics.psnr_ssim import check_finite
from restorecli.images.image import Pixels

LAGS = 4
"""Up to how many pixels apart the residual is compared with itself."""

_MIN_SIDE = 4
"""Taps of the wavelet filter that finds details: a smaller image has none."""

Doubles = NDArray[np.float64]


def whiteness(subject: Subject) -> float:
    """Whiteness of the residual degraded - image; see `residual_whiteness`.

    Raises:
        DataError: There is no degraded image of the same shape, or it equals the image.
    """
    degraded = subject.degraded
    if degraded is None or degraded.shape != subject.image.shape:
        got = "none" if degraded is None else f"{degraded.shape}"
        raise DataError("There is no residual.", expected=f"a degraded image {subject.image.shape}", got=got)
    return residual_whiteness(_levels(degraded) - _levels(subject.image))


def residual_whiteness(residual: Doubles) -> float:
    """How much a residual looks like white noise: the share of its autocorrelation that is at lag 0.

    With rho the sample autocorrelation of the residual after its mean is taken off, pooled over the channels,

        whiteness = 1 / sum over |dy|, |dx| <= 4 of rho(dy, dx)^2,

    where rho(0, 0) = 1. A residual that holds structure of the image, as an over-smoothing method leaves
    it, is correlated and comes out low. After Almeida and Figueiredo, "Parameter Estimation for Blind and
    Non-Blind Deblurring Using Residual Whiteness Measures", IEEE TIP 22(7), 2013, who sum the same squares.
    It tells about a method where what was done is additive white noise; after blur, or with noise that
    depends on the image, a perfect result leaves a residual that is not white.

    Args:
        residual: (C, H, W).

    Returns:
        A number in (0, 1]. White noise over N samples gives about 1 / (1 + 80 / N), so 1 but for very small
        images; the running mean of every two neighbors of such noise gives 2/3.

    Raises:
        DataError: The residual is constant, or has sides of one pixel.
    """
    centered = residual - residual.mean(axis=(1, 2), keepdims=True)
    power = float(np.square(centered).sum())
    if power < 1e-9 * centered.size:
        raise DataError("There is no residual.", expected="an image that differs from its input", got="none")
    squares = 0.0
    for down in range(LAGS + 1):
        for across in range(-LAGS, LAGS + 1):
            if down == 0 and across <= 0:
                continue
            squares += 2 * (_product(centered, down, across) / power) ** 2  # each lag and its opposite
    return 1 / (1 + squares)


def noise_level(subject: Subject) -> float:
    """Noise level of the image itself; see `estimate_sigma`."""
    return estimate_sigma(_levels(subject.image))


def estimate_sigma(levels: Doubles) -> float:
    """Estimate the standard deviation of additive white Gaussian noise; see `core.ops.noise_level`.

    Args:
        levels: (C, H, W) on the 0-255 scale.

    Returns:
        sigma, 0 or more; 0 for an image without any detail.

    Raises:
        DataError: A side is under 4 pixels.
    """
    if min(levels.shape[1:]) < _MIN_SIDE:
        raise DataError(
            "The image is too small to estimate its noise.",
            expected=f"both sides at least {_MIN_SIDE} pixels",
            got=f"{levels.shape[2]}x{levels.shape[1]}",
        )
    import torch

    from restorecli.core.ops.noise_level import estimate_noise

    return float(estimate_noise(torch.from_numpy(levels / 255)[None]))


def _product(planes: Doubles, down: int, across: int) -> float:
    """Sum the products of pixels that are (down, across) apart."""
    height, width = planes.shape[1:]
    left, right = max(-across, 0), max(across, 0)
    first = planes[:, : max(height - down, 0), left : max(width - right, left)]
    second = planes[:, down:, right : max(width - left, right)]
    return float((first * second).sum())


def _levels(pixels: Pixels | Bytes) -> Doubles:
    """Return the image on the 0-255 scale, not rounded."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float64)
    check_finite(pixels)
    return pixels.astype(np.float64) * 255
