"""PSNR and SSIM of one image against its reference, by the default protocol.

Both round to 8 bits first, as DESIGN.md's protocol asks, so that a score does not depend on whether
the image was measured before or after it was saved. Alpha is never part of a score.
"""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.gaussian import WINDOW
from restorecli.images.image import Pixels, to_levels

PROTOCOL = (
    "RGB, no border crop, 8-bit rounding, "
    "SSIM 11x11 Gaussian sigma 1.5 (Wang et al. 2004), weighted variance, valid area, range 255, "
    "per image then averaged"
)
"""How every score is computed, in one line; printed with every table."""

Bytes = NDArray[np.uint8]


def to_8_bits(pixels: Pixels | Bytes) -> Bytes:
    """Clip to [0, 1] and round to 0..255, half up, as a PNG would hold it.

    Args:
        pixels: (C, H, W), float in [0, 1], or uint8, which is returned as it is.

    Returns:
        (C, H, W) uint8.

    Raises:
        DataError: A value is not a number or infinite.
    """
    if pixels.dtype == np.uint8:
        return cast("Bytes", pixels)
    check_finite(pixels)
    return to_levels(cast("Pixels", pixels), 8)


def check_finite(pixels: NDArray[Any]) -> None:
    """Check that every value is a number.

    Raises:
        DataError: One is NaN or infinite.
    """
    if not np.isfinite(pixels).all():
        raise DataError(
            "The image holds values that are not finite.", expected="numbers", got="NaN or infinity"
        )


def psnr(restored: Pixels | Bytes, reference: Pixels | Bytes) -> float:
    """Peak signal-to-noise ratio of one image, over all its pixels and channels.

    10 log10(255^2 / MSE) after rounding to 8 bits.

    Args:
        restored: (C, H, W), C = 1 or 3, float in [0, 1] (values outside are clipped) or uint8.
        reference: The clean image in the same shape.

    Returns:
        Decibels, higher is better; infinity when the two are identical after rounding.

    Raises:
        DataError: The shapes differ, or a value is not finite.
    """
    first, second = _checked(restored, reference)
    difference = np.subtract(first, second, dtype=np.int32)
    squared = int(np.square(difference, out=difference).sum(dtype=np.int64))
    return psnr_of_sum(squared, first.size)


def psnr_of_sum(squared: int, count: int) -> float:
    """Return the PSNR in decibels of a sum of squared differences of levels of 0-255; infinity where it is 0.

    Args:
        squared: The sum.
        count: Of differences.
    """
    return float(10 * math.log10(255**2 * count / squared)) if squared else math.inf


def ssim(restored: Pixels | Bytes, reference: Pixels | Bytes) -> float:
    """Structural similarity of one image: mean over the valid area, then over the channels.

    Window 11x11 Gaussian with sigma 1.5, K1 = 0.01, K2 = 0.03, range 255, weighted (biased) variances: Wang,
    Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity",
    IEEE TIP 2004. With the local moments of the sum s and the difference d of the two images,

        SSIM = (ms^2 - md^2 + 2 C1)(vs - vd + 2 C2) / ((ms^2 + md^2 + 2 C1)(vs + vd + 2 C2)),

    which is the same number as the usual five-moment form and needs four moments. All in double precision,
    compiled at the first call (about a second, once: the code is kept for later processes).

    Args:
        restored: (C, H, W), C = 1 or 3, H and W at least 11, float in [0, 1] (values outside are clipped)
            or uint8.
        reference: The clean image in the same shape.

    Returns:
        A number in [-1, 1], higher is better; exactly 1 when the two are identical after rounding.

    Raises:
        DataError: The shapes differ, a side is under 11 pixels, or a value is not finite.
    """
    first, second = _checked(restored, reference)
    channels, height, width = first.shape
    check_window(height, width)
    from restorecli.evaluation.metrics.similarity import similarity_sum  # loads the compiler

    total = sum(similarity_sum(one, other) for one, other in zip(first, second, strict=True))
    return total / float(channels * (height - WINDOW + 1) * (width - WINDOW + 1))


def check_window(height: int, width: int) -> None:
    """Refuse an image that SSIM's window does not fit into.

    Raises:
        DataError: It is so small.
    """
    if min(height, width) < WINDOW:
        raise DataError(
            "SSIM needs an image at least as large as its window.",
            expected=f"both sides at least {WINDOW} pixels",
            got=f"{width}x{height}",
        )


def _checked(restored: Pixels | Bytes, reference: Pixels | Bytes) -> tuple[Bytes, Bytes]:
    """Refuse what cannot be compared, and round both to 8 bits."""
    if restored.shape != reference.shape or restored.ndim != 3 or restored.size == 0:
        raise DataError(
            "Two images of different shape cannot be compared.",
            expected=f"(channels, height, width) as the reference: {reference.shape}",
            got=f"{restored.shape}",
        )
    return to_8_bits(restored), to_8_bits(reference)
