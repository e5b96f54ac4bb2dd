"""PSNR and SSIM inside and outside the defect, each over the pixels of its own region."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.gaussian import C1, C2, SIGMA, WINDOW
from restorecli.evaluation.metrics.metric import Mask, Subject
from restorecli.evaluation.metrics.pixelwise import Levels

_RADIUS = WINDOW // 2


def psnr_inside(subject: Subject) -> float:
    """PSNR over the pixels of the defect; see `masked_psnr`."""
    return masked_psnr(*subject.compared(), subject.compared_mask())


def psnr_outside(subject: Subject) -> float:
    """PSNR over all other pixels; see `masked_psnr`."""
    return masked_psnr(*subject.compared(), ~subject.compared_mask())


def ssim_inside(subject: Subject) -> float:
    """SSIM over the pixels of the defect; see `masked_ssim`."""
    return masked_ssim(*subject.compared(), subject.compared_mask())


def ssim_outside(subject: Subject) -> float:
    """SSIM over all other pixels; see `masked_ssim`."""
    return masked_ssim(*subject.compared(), ~subject.compared_mask())


def masked_psnr(restored: Levels, reference: Levels, region: Mask) -> float:
    """Peak signal-to-noise ratio over the pixels of a region.

    10 log10(255^2 / MSE), the squared error divided by the region's area and not by the image's. (To set
    everything else to zero and divide by the whole image, as some code does, adds 10 log10(image / area)
    decibels: 20 dB for a defect of one percent.)

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.
        region: (H, W), True where it is measured.

    Returns:
        Decibels; infinity when the two are identical there.

    Raises:
        DataError: The region is empty.
    """
    if not region.any():
        raise _empty("a region with at least one pixel")
    difference = restored[:, region].astype(np.float64) - reference[:, region]
    error = float(np.square(difference).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def masked_ssim(restored: Levels, reference: Levels, region: Mask) -> float:
    """Mean of the SSIM map over the pixels of a region, then over the channels.

    The map is that of Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 2004: 11x11 Gaussian window with sigma
    1.5, K1 = 0.01, K2 = 0.03, range 255, biased variances. It is known 5 pixels and more from the border,
    so the pixels of the region that lie nearer are left out.

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.
        region: (H, W), True where it is measured.

    Returns:
        A number in [-1, 1]; exactly 1 when the two are identical around the region.

    Raises:
        DataError: The region has no pixel 5 pixels away from the border.
    """
    inner = region.copy()
    for side in (inner, inner.T):
        side[:_RADIUS] = side[max(len(side) - _RADIUS, 0) :] = False
    if not inner.any():
        raise _empty(f"a region with a pixel at least {_RADIUS} pixels away from the image's border")
    window = _window_around(inner)
    values = _ssim_map(restored[(..., *window)], reference[(..., *window)])
    return float(values[:, inner[window]].mean())


def _empty(expected: str) -> DataError:
    return DataError("There is nothing to measure in this region.", expected=expected, got="none")


def _window_around(region: Mask) -> tuple[slice, slice]:
    """Return the rectangle that the SSIM of a region depends on."""
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = (int(end) for end in (rows[0], rows[-1], columns[0], columns[-1]))
    return slice(top - _RADIUS, bottom + _RADIUS + 1), slice(left - _RADIUS, right + _RADIUS + 1)


def _ssim_map(restored: Levels, reference: Levels) -> NDArray[np.float64]:
    """(C, H, W) to (C, H, W), of which the outermost 5 pixels mean nothing."""
    x, y = restored.astype(np.float64), reference.astype(np.float64)
    mean_x, mean_y = _local_mean(x), _local_mean(y)
    variance_x = _local_mean(x * x) - mean_x**2
    variance_y = _local_mean(y * y) - mean_y**2
    covariance = _local_mean(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    return above / ((mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2))


def _local_mean(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter  # slow to load, and needed for masks alone

    spread = (0, SIGMA, SIGMA)
    return cast("NDArray[np.float64]", gaussian_filter(planes, spread, truncate=_RADIUS / SIGMA))
