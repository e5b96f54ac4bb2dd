"""Impulses: single pixels that are black or white, or anything, among others that are not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from restorecli.diagnosis.view import View

_MIN_DIFFERENCE = 40.0
"""Levels by which an impulse differs from the median around it."""

_MIN_SHARE, _MANY = 0.012, 0.12
"""Shares of impulses: beyond those of clean photographs, 0.7 %, and of strong noise, 9 %."""

_LONE, _MIN_TAILS = 0.5, 2.0
"""Share of black and white pixels that are impulses, and tails of the finest details, of which impulses have
one: what noise clips on a page has 0.2 and 1.5, salt and pepper on photographs 0.9 and 2.2 and more."""

_MIN_LEVELS = 33.0
"""Levels of a channel: an image of fewer was quantized."""


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
