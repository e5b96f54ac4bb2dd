"""Impulses: single pixels that are black or white, or anything, among others that are not.

Few of them, where all around is smooth, are hot or dead pixels of a sensor; many are salt and pepper.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.measuring.levels import is_drawn
from restorecli.diagnosis.measuring.view import Pixels, View

_MIN_DIFFERENCE = 40.0
"""Levels by which an impulse differs from the median around it."""

_MIN_SHARE, _MANY = 0.012, 0.12
"""Shares of impulses: beyond those of clean photographs, 0.7 %, and of strong noise, 9 %."""

_LONE, _MIN_TAILS = 0.5, 2.0
"""Share of black and white pixels that are impulses, and tails of the finest details, of which impulses have
one: what noise clips on a page has 0.2 and 1.5, salt and pepper on photographs 0.9 and 2.2 and more."""

_MIN_LEVELS = 33.0
"""Levels of a channel: an image of fewer was quantized."""

HOT_PIXELS = "number"
"""The name of the strength that tells how many hot pixels there are; salt and pepper has a share."""

_MIN_GAP = 40.0
"""Levels by which a hot pixel is beyond the nearest of its eight neighbors."""

_NEAR, _FAR, _POINT = 4.0, 2.0, 1.0
"""Times the range of the eight pixels around it, and of the 24, that a hot pixel is beyond the nearest, and
times the range of the 24 from which it is a point at all: optics spread glints and stars."""

_MIN_HOT, _MIN_HOT_SHARE = 2, 0.5
"""Hot pixels that are needed, and their share of all points: where there are stars, few stand alone."""

_MAX_HOT = 0.003
"""Share of the pixels beyond which they are something else, such as single photons on black."""


def measure_impulses(view: View) -> dict[str, float]:
    """Measure impulses in the window.

    Returns:
        `impulses extreme`: share of pixels that are 0 or 255 in all channels and more than 40 levels from the
        median of the eight around them. `impulses any`: share of pixels that are 6 times as far from it as
        half of all pixels are, and more than 40 levels. `clipped`: share of samples that are 0 or 255.
    """
    luma = view.luma
    middle = ndimage.median_filter(luma, 3, mode="reflect")
    away = np.abs(luma - middle)
    low, high = view.levels.max(axis=0) <= 1, view.levels.min(axis=0) >= 254
    far = away > _MIN_DIFFERENCE
    spread = float(np.median(away))
    return {
        "impulses extreme": float(np.mean(far & (low | high))),
        "impulses any": float(np.mean(far & (away > 6 * spread))),
        "clipped": float(np.mean((view.levels == 0) | (view.levels == 255))),
    }


def is_full_of_impulses(found: Mapping[str, float]) -> bool:
    """Tell whether so many pixels of a color image are black or white that nothing else explains it.

    Strong noise makes one channel black or white, but not all three at once. Of gray images it is not told.

    Args:
        found: Measurements by name.
    """
    colored = "noise shared" in found and found["levels used"] >= _MIN_LEVELS
    return colored and min(found["impulses extreme"], found["impulses any"]) >= _MANY


def shows_impulses(found: Mapping[str, float]) -> bool:
    """Tell whether more pixels are black or white among others than clean images have: 0.5 % at most.

    Dithering and few levels are ruled out, for they are black and white everywhere, and so is noise in black
    letters on white, which is clipped wherever it goes beyond them.

    Args:
        found: Measurements by name.
    """
    share = found["impulses extreme"]
    alone = share >= _LONE * found["clipped"] or found["noise tails"] >= _MIN_TAILS
    return share > _MIN_SHARE and found["levels used"] >= _MIN_LEVELS and alone


def find_hot_pixels(pixels: Pixels) -> NDArray[np.bool_]:
    """Return where hot or dead pixels are: none where there are too few to be sure, or too many.

    Args:
        pixels: (C, H, W) float32, 0-255 scale, both sides at least 8.

    Returns:
        (C, H, W), True where a sample stands out alone.
    """
    nothing = np.zeros(pixels.shape, np.bool_)
    far, (low, high) = _gaps(pixels, 3)
    if not (far >= _MIN_GAP).any():
        return nothing
    _, (lowest, highest) = _gaps(pixels, 5)
    # One level more, for where all around is equal.
    near, wide = far / (high - low + 1), far / (highest - lowest + 1)
    points = (far >= _MIN_GAP) & (wide >= _POINT)
    hot = points & (near >= _NEAR) & (wide >= _FAR)
    count = np.count_nonzero(hot.any(axis=0))
    enough = max(_MIN_HOT, _MIN_HOT_SHARE * np.count_nonzero(points.any(axis=0)))
    return hot if enough <= count <= _MAX_HOT * hot[0].size else nothing


def can_be_hot(found: Mapping[str, float]) -> bool:
    """Tell whether single pixels can be hot ones, and no dots of a drawing or of dither.

    Args:
        found: Measurements of `levels` by name.
    """
    return found["levels used"] >= _MIN_LEVELS and not is_drawn(found)


def _gaps(pixels: Pixels, side: int) -> tuple[Pixels, tuple[Pixels, Pixels]]:
    """Return how far each sample is beyond all around it, and the least and the greatest of these."""
    around = np.ones((1, side, side), np.bool_)
    around[0, side // 2, side // 2] = False
    low = ndimage.minimum_filter(pixels, footprint=around, mode="reflect")
    high = ndimage.maximum_filter(pixels, footprint=around, mode="reflect")
    return np.maximum(pixels - high, low - pixels), (low, high)


def without_hot_pixels(image: Pixels, window: Pixels) -> tuple[Pixels, int]:
    """Return an image with medians of 3x3 for hot pixels, and how many there are.

    Args:
        image: (C, H, W) float32 in [0, 1].
        window: What is looked at first, on the 0-255 scale; see `View`.
    """
    if not find_hot_pixels(window).any():
        return image, 0
    hot = find_hot_pixels(255 * image)
    medians = ndimage.median_filter(image, (1, 3, 3), mode="reflect")
    return np.where(hot, medians, image), int(np.count_nonzero(hot.any(axis=0)))
