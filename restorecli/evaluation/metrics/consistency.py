"""Data consistency: whether a restored image, degraded again, gives what it was restored from."""

from __future__ import annotations

import math

import numpy as np

from restorecli.errors import DataError, ImageError, UsageError
from restorecli.evaluation.metrics.metric import Bytes, Subject
from restorecli.evaluation.metrics.psnr_ssim import check_finite, to_8_bits
from restorecli.images.image import Pixels


def consistency(subject: Subject) -> float:
    """PSNR between the image degraded again, as the manifest says, and its degraded input.

    All steps are repeated with their recorded values and the recorded seeds, so that the very same noise is
    added and what is left is the part of the image that the degradation lets through: with y = H x + n,
    PSNR(H restored + n, H x + n) measures H (restored - x) without the reference x. Detail that a method
    invents where H lost it costs nothing; a changed color, a moved edge or a missing defect does. For noise
    alone it is the PSNR against the reference, but for what was clipped.

    Args:
        subject: With `degraded` and `redegraded`; nothing of the protocol is used.

    Returns:
        Decibels, higher is better; infinity when both are the same: rounded to 8 bits where the degraded file
        held 8, and else as they are.

    Raises:
        DataError: There is no degraded image, the manifest does not say what was done, or the shapes
            differ.
    """
    if subject.degraded is None or subject.redegraded is None:
        raise DataError("Nothing to be consistent with.", expected="a degraded image", got="none")
    try:
        again = subject.redegraded()
    except (ImageError, UsageError) as fault:  # one odd line of a manifest costs one score, not the table
        raise DataError(fault.problem, expected=fault.expected, got=fault.got) from fault
    return peak_ratio(again, subject.degraded)


def peak_ratio(again: Pixels, degraded: Pixels | Bytes) -> float:
    """Return the PSNR of two images as they are, or rounded to 8 bits where `degraded` is.

    Args:
        again: (C, H, W) float32, nominal range [0, 1]; values outside are kept unless it is rounded.
        degraded: The same shape, float32 or uint8.

    Returns:
        Decibels; infinity for equal images.

    Raises:
        DataError: The shapes differ, or a value is not finite.
    """
    if again.shape != degraded.shape:
        raise DataError(
            "The image degraded again has another shape than its input.",
            expected=f"{degraded.shape}",
            got=f"{again.shape}",
        )
    rounded = degraded.dtype == np.uint8
    first = to_8_bits(again) / 255 if rounded else again.astype(np.float64)
    second = degraded / 255 if rounded else degraded.astype(np.float64)
    for pixels in (first, second):
        check_finite(pixels)
    error = float(np.square(first - second).mean())
    return math.inf if error == 0 else -10 * math.log10(error)
