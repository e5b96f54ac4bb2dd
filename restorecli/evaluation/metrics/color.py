"""Luma in its two usual forms, and the color difference CIEDE2000."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from restorecli.evaluation.metrics.pixelwise import Levels
from restorecli.evaluation.metrics.psnr_ssim import psnr, ssim

_MATLAB = np.array([65.481, 128.553, 24.966])
_YIQ = np.array([0.299, 0.587, 0.114])
_STRIP = 64


def luma_matlab(levels: Levels) -> NDArray[np.float64]:
    """Return Y of MATLAB's rgb2ycbcr (ITU-R BT.601, 16 to 235): 16 + (65.481 R + 128.553 G + 24.966 B) / 255.

    Args:
        levels: (C, H, W) on the 0-255 scale, C = 1 or 3; gray is returned as it is.

    Returns:
        (1, H, W) float64, not rounded: black is 16 and white is 235.
    """
    if len(levels) == 1:
        return levels.astype(np.float64)
    return np.tensordot(_MATLAB, levels, axes=1)[np.newaxis] / 255 + 16


def luma_matlab_rounded(levels: Levels) -> NDArray[np.uint8]:
    """Return Y of MATLAB's rgb2ycbcr rounded to whole levels, as MATLAB does for images of type uint8.

    Args:
        levels: (C, H, W) on the 0-255 scale, C = 1 or 3; gray is only rounded.

    Returns:
        (1, H, W) uint8.
    """
    return np.rint(luma_matlab(levels)).astype(np.uint8)


def luma_yiq(levels: Levels) -> NDArray[np.float64]:
    """Return Y of YIQ (full range): 0.299 R + 0.587 G + 0.114 B.

    Args:
        levels: (C, H, W) on the 0-255 scale, C = 1 or 3; gray is returned as it is.

    Returns:
        (1, H, W) float64, not rounded: black is 0 and white is 255.
    """
    if len(levels) == 1:
        return levels.astype(np.float64)
    return np.tensordot(_YIQ, levels, axes=1)[np.newaxis]


def luma_pyiqa(levels: Levels) -> NDArray[np.float64]:
    """Return Y of YIQ as pyiqa computes it: in single precision, which decides what exact halves round to.

    Args:
        levels: (C, H, W) on the 0-255 scale, C = 1 or 3; gray is returned as it is.

    Returns:
        (1, H, W) float64, not rounded: black is 0 and white is 255.
    """
    if len(levels) == 1:
        return levels.astype(np.float64)
    red, green, blue = levels.astype(np.float32) / np.float32(255)
    luma = red * np.float32(0.299) + green * np.float32(0.587) + blue * np.float32(0.114)
    scaled: NDArray[np.float64] = (luma * np.float32(255)).astype(np.float64)
    return scaled[np.newaxis]


def ciede2000(restored: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Mean color difference CIEDE2000 over all pixels, as scikit-image computes it.

    sRGB to CIELAB under D65 (2 degree observer), then delta E with kL = kC = kH = 1: Sharma, Wu and Dalal,
    "The CIEDE2000 color-difference formula", Color Research and Application 2005. Gray counts as equal R, G
    and B.

    Args:
        restored: (C, H, W) uint8 in sRGB, C = 1 or 3.
        reference: The clean image in the same shape.

    Returns:
        Delta E, lower is better; about 1 is just visible, black against white is 100.
    """
    from skimage.color import deltaE_ciede2000, rgb2lab

    delta_e: Callable[..., NDArray[np.float64]] = deltaE_ciede2000  # its own annotations are incomplete
    sums = []
    for top in range(0, restored.shape[1], _STRIP):
        first, second = (
            rgb2lab(np.broadcast_to(strip, (3, *strip.shape[1:])), channel_axis=0)
            for strip in (restored[:, top : top + _STRIP], reference[:, top : top + _STRIP])
        )
        sums.append(float(delta_e(first, second, channel_axis=0).sum()))
    return math.fsum(sums) / float(restored.shape[1] * restored.shape[2])


def psnr_y(restored: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """PSNR of Y of MATLAB's rgb2ycbcr, rounded, in decibels (see `metrics.psnr`).

    Args:
        restored: (C, H, W) uint8, C = 1 or 3; gray is compared as it is.
        reference: The clean image in the same shape.
    """
    return psnr(luma_matlab_rounded(restored), luma_matlab_rounded(reference))


def ssim_y(restored: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """SSIM of Y of MATLAB's rgb2ycbcr, rounded (see `metrics.ssim`).

    Args:
        restored: (C, H, W) uint8, C = 1 or 3; gray is compared as it is.
        reference: The clean image in the same shape.

    Raises:
        DataError: A side is under 11 pixels.
    """
    return ssim(luma_matlab_rounded(restored), luma_matlab_rounded(reference))
