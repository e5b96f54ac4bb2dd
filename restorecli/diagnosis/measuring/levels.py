"""Few levels or colors: quantization, dither, palettes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from restorecli.diagnosis.measuring.view import View

ALL = 256
"""Levels of 8 bits."""

_MAX_EVEN = 64
"""Levels of a scale up to which it is told from 8 bits with gaps."""

_MIN_FILLED = 0.5
_MIN_EVEN, _MIN_USED, _MAX_EQUAL = 6, 4, 0.97
"""Levels of the scale and those in use, and share of equal neighbors, of photographs of few levels."""

_DRAWN, _ALL_DRAWN = 0.5, 0.9
"""Shares of pixels that equal their right and lower neighbor from which an image is drawn, not photographed,
and from which its few levels are those of a mask or a code. On 7 training photographs, 192 px, noise of any
kind leaves 0.15 at most and blur 0.35; of pages, screenshots and maps it is 0.64 and more."""

_MIN_COLORS = 2.3
"""log2 of five colors: codes and masks have fewer, a photograph of two levels in three channels has more."""

_ALIKE, _MAX_ALTERNATE = 12, 0.125
"""Levels from which rounding and dither look and are treated alike, and share of alternating neighbors below
which fewer levels were rounded: dither has more, or is treated as well by what helps against rounding."""


def measure_levels(view: View) -> dict[str, float]:
    """Count levels and colors in the window and see how they alternate.

    Returns:
        `levels used`: levels that occur in a channel, mean over the channels. `levels filled`: share of the
        levels between a channel's 1st and 99th percentile that occur at all often. `colors`: log2 of the
        number of colors. `even levels`: levels of the coarsest scale, evenly spaced from 0 to 255, that all
        samples are on; 256 where there is none up to 64. `neighbors equal`: share of pixels like their right
        neighbor. `neighbors flat`: share like both their right and their lower one. `neighbors alternate`:
        share of pixels that differ from both horizontal neighbors, which equal each other.
    """
    counts = [np.bincount(plane.reshape(-1), minlength=256) for plane in view.levels]
    return {
        "levels used": float(np.mean([np.count_nonzero(count) for count in counts])),
        "levels filled": float(np.mean([_filled(count) for count in counts])),
        "colors": float(np.log2(_colors(view.levels))),
        "even levels": float(_even(counts)),
        **_alternation(view.levels),
    }


def _filled(count: NDArray[np.int64]) -> float:
    total = np.cumsum(count) / count.sum()
    first, last = int(np.searchsorted(total, 0.01)), int(np.searchsorted(total, 0.99))
    inside = count[first : last + 1]
    return float(np.mean(inside > 0.02 * inside.mean()))


def _even(counts: Sequence[NDArray[np.int64]]) -> int:
    used = [np.flatnonzero(count) for count in counts]
    for levels in range(max(2, *(one.size for one in used)), _MAX_EVEN + 1):
        step = (ALL - 1) / (levels - 1)
        if all(_on_scale(one, step) for one in used):
            return levels
    return ALL


def _on_scale(used: NDArray[np.int64], step: float) -> bool:
    """Tell whether levels are multiples of a step, rounded, and fill most of these between the outer ones."""
    number = np.rint(used / step)
    filled = used.size / (number[-1] - number[0] + 1)
    return bool(np.abs(number * step - used).max() <= 0.5 and filled >= _MIN_FILLED)


def shows_few_levels(found: Mapping[str, float]) -> bool:
    """Tell whether a photograph was rounded to few levels, 6 to 64: all samples are on one even scale.

    Charts and drawings are ruled out: they use two or three, or nearly all of their neighbors are equal.

    Args:
        found: Measurements by name.
    """
    few = _MIN_EVEN <= found["even levels"] <= _MAX_EVEN and found["levels used"] >= _MIN_USED
    return few and found["neighbors equal"] < _MAX_EQUAL and not is_mask(found)


def is_drawn(found: Mapping[str, float]) -> bool:
    """Tell whether an image is a page, a screenshot or a drawing: most of it is exactly like its neighbors.

    Noise, scratches and blur would have changed that.

    Args:
        found: Measurements by name.
    """
    return found.get("neighbors flat", 0.0) >= _DRAWN


def is_mask(found: Mapping[str, float]) -> bool:
    """Tell whether an image is plain areas all over, such as a mask or a code, which had no more levels.

    A photograph of two levels in each channel is as plain, but of more colors.

    Args:
        found: Measurements by name.
    """
    flat = found.get("neighbors flat", 0.0)
    return flat >= _MAX_EQUAL or (flat >= _ALL_DRAWN and found.get("colors", 0.0) < _MIN_COLORS)


def is_rounded(found: Mapping[str, float]) -> bool:
    """Tell whether a photograph of 6 to 11 levels was rounded to them, not dithered.

    Args:
        found: Measurements by name.
    """
    few = shows_few_levels(found) and found["even levels"] < _ALIKE
    return few and found["neighbors alternate"] <= _MAX_ALTERNATE


def _colors(levels: NDArray[np.uint8]) -> int:
    code = np.zeros(levels.shape[1:], np.uint32)
    for plane in levels:
        code = code * np.uint32(256) + plane
    return int(np.unique(code).size)


def _alternation(levels: NDArray[np.uint8]) -> dict[str, float]:
    same = np.all(levels[:, :, 1:] == levels[:, :, :-1], axis=0)
    below = np.all(levels[:, 1:] == levels[:, :-1], axis=0)
    back = np.all(levels[:, :, 2:] == levels[:, :, :-2], axis=0)
    return {
        "neighbors equal": float(same.mean()),
        "neighbors flat": float(np.mean(same[:-1] & below[:, :-1])),
        "neighbors alternate": float(np.mean(back & ~same[:, 1:])),
    }
