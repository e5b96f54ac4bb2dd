"""Few levels or colors: quantization, dither, palettes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.diagnosis.view import View


def measure_levels(view: View) -> dict[str, float]:
    """Count levels and colors in the window and see how they alternate.

    Returns:
        `levels used`: levels that occur in a channel, mean over the channels. `levels filled`: share of the
        levels between a channel's 1st and 99th percentile that occur at all often. `colors`: log2 of the
        number of colors. `neighbors equal`: share of pixels like their right neighbor. `neighbors
        alternate`: share of pixels that differ from both horizontal neighbors, which equal each other.
    """
    counts = [np.bincount(plane.reshape(-1), minlength=256) for plane in view.levels]
    return {
        "levels used": float(np.mean([np.count_nonzero(count) for count in counts])),
        "levels filled": float(np.mean([_filled(count) for count in counts])),
        "colors": float(np.log2(_colors(view.levels))),
        **_alternation(view.levels),
    }


def _filled(count: NDArray[np.int64]) -> float:
    total = np.cumsum(count) / count.sum()
    first, last = int(np.searchsorted(total, 0.01)), int(np.searchsorted(total, 0.99))
    inside = count[first : last + 1]
    return float(np.mean(inside > 0.02 * inside.mean()))


def _colors(levels: NDArray[np.uint8]) -> int:
    code = np.zeros(levels.shape[1:], np.uint32)
    for plane in levels:
        code = code * np.uint32(256) + plane
    return int(np.unique(code).size)


def _alternation(levels: NDArray[np.uint8]) -> dict[str, float]:
    same = np.all(levels[:, :, 1:] == levels[:, :, :-1], axis=0)
    back = np.all(levels[:, :, 2:] == levels[:, :, :-2], axis=0)
    return {
        "neighbors equal": float(same.mean()),
        "neighbors alternate": float(np.mean(back & ~same[:, 1:])),
    }
