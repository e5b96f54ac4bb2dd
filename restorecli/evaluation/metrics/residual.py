"""What was taken out of a picture, and how much noise is left in it; neither needs a reference."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.metric import Bytes, Subject
from restorecli.images.picture import Pixels

LAGS = 4
"""Up to how many pixels apart the residual is compared with itself."""

_QUARTILE = 0.6744897501960817  # of the standard normal distribution: median |x| of white noise of sigma 1
_ROOT = 3**0.5
# High-pass filter of Daubechies' wavelet with two vanishing moments, of energy 1.
_DETAIL = np.array([1 - _ROOT, _ROOT - 3, 3 + _ROOT, -1 - _ROOT]) / 32**0.5

Doubles = NDArray[np.float64]


def whiteness(subject: Subject) -> float:
    """Whiteness of the residual degraded - picture; see `residual_whiteness`.

    Raises:
        DataError: There is no degraded picture of the same shape, or it equals the picture.
    """
    degraded = subject.degraded
    if degraded is None or degraded.shape != subject.picture.shape:
        came = "none" if degraded is None else f"{degraded.shape}"
        raise DataError(
            "There is no residual.", expected=f"a degraded picture {subject.picture.shape}", came=came
        )
    return residual_whiteness(_levels(degraded) - _levels(subject.picture))


def residual_whiteness(residual: Doubles) -> float:
    """How much a residual looks like white noise: the share of its autocorrelation that is at lag 0.

    With rho the sample autocorrelation of the residual after its mean is taken off, pooled over the channels,

        whiteness = 1 / sum over |dy|, |dx| <= 4 of rho(dy, dx)^2,

    where rho(0, 0) = 1. A residual that holds structure of the picture, as an over-smoothing method leaves
    it, is correlated and comes out low. After Almeida and Figueiredo, "Parameter Estimation for Blind and
    Non-Blind Deblurring Using Residual Whiteness Measures", IEEE TIP 22(7), 2013, who sum the same squares.
    It tells about a method where what was done is additive white noise; after blur, or with noise that
    depends on the picture, a perfect result leaves a residual that is not white.

    Args:
        residual: (C, H, W).

    Returns:
        A number in (0, 1]. White noise over N samples gives about 1 / (1 + 80 / N), so 1 but for very small
        pictures; the running mean of every two neighbours of such noise gives 2/3.

    Raises:
        DataError: The residual is constant, or has sides of one pixel.
    """
    centred = residual - residual.mean(axis=(1, 2), keepdims=True)
    power = float(np.square(centred).sum())
    if power < 1e-9 * centred.size:
        raise DataError(
            "There is no residual.", expected="a picture that differs from its input", came="none"
        )
    squares = 0.0
    for down in range(LAGS + 1):
        for across in range(-LAGS, LAGS + 1):
            if down == 0 and across <= 0:
                continue
            squares += 2 * (_product(centred, down, across) / power) ** 2  # each lag and its opposite
    return 1 / (1 + squares)


def noise_level(subject: Subject) -> float:
    """Noise level of the picture itself; see `estimate_sigma`."""
    return estimate_sigma(_levels(subject.picture))


def estimate_sigma(levels: Doubles) -> float:
    """Estimate the standard deviation of additive white Gaussian noise, on the scale of the picture.

    The median absolute value of the finest diagonal wavelet coefficients (Daubechies, two vanishing moments)
    that are not exactly 0, divided by 0.6745; mean over the channels. Donoho and Johnstone, "Ideal Spatial
    Adaptation by Wavelet Shrinkage", Biometrika 81, 1994, section 4.2; skimage.restoration.estimate_sigma but
    for its treatment of the rim.

    Its bias: fine texture counts as noise, so that clean pictures do not come out at 0; noise that is clipped
    at black or white, or that is correlated from pixel to pixel (after blur, JPEG or demosaicing), comes out
    too low.

    Args:
        levels: (C, H, W).

    Returns:
        sigma, 0 or more; 0 for a picture without any detail.

    Raises:
        DataError: A side is under 4 pixels.
    """
    if min(levels.shape[1:]) < _DETAIL.size:
        raise DataError(
            "The picture is too small to estimate its noise.",
            expected=f"both sides at least {_DETAIL.size} pixels",
            came=f"{levels.shape[2]}x{levels.shape[1]}",
        )
    details = np.abs(_filter(_filter(levels, 1), 2))
    sigmas = [float(np.median(plane[plane > 1e-9])) if (plane > 1e-9).any() else 0.0 for plane in details]
    return sum(sigmas) / len(sigmas) / _QUARTILE


def _filter(planes: Doubles, axis: int) -> Doubles:
    """High-pass along one axis, every second output, without what depends on the rim."""
    length = planes.shape[axis] - _DETAIL.size + 1
    taps = (np.take(planes, range(tap, tap + length, 2), axis) * weight for tap, weight in enumerate(_DETAIL))
    return cast("Doubles", sum(taps))


def _product(planes: Doubles, down: int, across: int) -> float:
    """Sum the products of pixels that are (down, across) apart."""
    height, width = planes.shape[1:]
    left, right = max(-across, 0), max(across, 0)
    first = planes[:, : max(height - down, 0), left : max(width - right, left)]
    second = planes[:, down:, right : max(width - left, right)]
    return float((first * second).sum())


def _levels(pixels: Pixels | Bytes) -> Doubles:
    """Return the picture on the 0-255 scale, not rounded."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float64)
    if not np.isfinite(pixels).all():
        raise DataError(
            "A picture holds values that are not finite.", expected="numbers", came="NaN or infinity"
        )
    return pixels.astype(np.float64) * 255
