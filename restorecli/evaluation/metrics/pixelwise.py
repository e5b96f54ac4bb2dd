"""Errors pixel by pixel on what a protocol compares: MAE, MSE, RMSE, and the PSNR of images not rounded."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError

Levels = NDArray[np.uint8] | NDArray[np.float64]
"""(C, H, W) on the 0-255 scale: uint8 where a protocol rounds, float64 where it does not."""


def mae(restored: Levels, reference: Levels) -> float:
    """Mean absolute error over all pixels and channels.

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.

    Returns:
        Levels of 0-255, lower is better.

    Raises:
        DataError: The shapes differ.
    """
    return float(np.abs(difference(restored, reference)).mean(dtype=np.float64))


def mse(restored: Levels, reference: Levels) -> float:
    """Mean squared error over all pixels and channels.

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.

    Returns:
        Squared levels of 0-255, lower is better; exact for images of 8 bits.

    Raises:
        DataError: The shapes differ.
    """
    error = difference(restored, reference)
    return float(np.square(error, out=error).mean(dtype=np.float64))


def rmse(restored: Levels, reference: Levels) -> float:
    """Root of the mean squared error, in levels of 0-255 (see `mse`)."""
    return math.sqrt(mse(restored, reference))


def psnr_of_levels(restored: Levels, reference: Levels) -> float:
    """10 log10(255^2 / MSE) without any rounding; infinity when the two are identical.

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.

    Returns:
        Decibels, higher is better.

    Raises:
        DataError: The shapes differ.
    """
    return psnr_of_mse(mse(restored, reference))


def psnr_of_mse(error: float) -> float:
    """Return the PSNR in decibels of a mean squared error in levels of 0-255; infinity where it is 0."""
    return 10 * math.log10(255**2 / error) if error else math.inf


def psnr_with_floor(restored: Levels, reference: Levels) -> float:
    """10 log10(1 / (MSE + 1e-8)) on the 0-1 scale, as pyiqa and piq compute it: at most 80 dB.

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.

    Returns:
        Decibels, higher is better; 80 when the two are identical.

    Raises:
        DataError: The shapes differ.
    """
    return psnr_of_mse_with_floor(mse(restored, reference))


def psnr_of_mse_with_floor(error: float) -> float:
    """Return the PSNR in decibels of a mean squared error in levels of 0-255; see `psnr_with_floor`."""
    return -10 * math.log10(error / 255**2 + 1e-8)


def difference(restored: Levels, reference: Levels) -> NDArray[np.int32] | NDArray[np.float64]:
    """Return restored - reference, int32 for 8-bit levels, else float64; a new array.

    Raises:
        DataError: The shapes differ.
    """
    if restored.shape != reference.shape:
        raise DataError(
            "Two images of different shape cannot be compared.",
            expected=f"(channels, height, width) as the reference: {reference.shape}",
            got=f"{restored.shape}",
        )
    if restored.dtype == reference.dtype == np.uint8:
        return np.subtract(restored, reference, dtype=np.int32)
    return np.subtract(restored, reference, dtype=np.float64)
