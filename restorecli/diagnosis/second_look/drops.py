"""Streaks that a network against rain took away: rain, or texture of the image?

Rain lies over all of the image, runs in one direction, and adds the same light to all channels. What such a
network takes from an undamaged image, such as grass and fur, lies here and there, runs as it likes, and has
colors.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from restorecli.diagnosis.deciding.decide import DecisionTable, read_table
from restorecli.diagnosis.measuring.streaks import correlation_along
from restorecli.diagnosis.measuring.view import Pixels, Plane, to_luma

DROPS_TABLE = Path(__file__).parent / "drops.json"

_WHITE, _MIN_DARKER = 255.0, 20.0
"""Level of the light that rain adds, and by how many levels the image must be darker for it to be told."""

_COARSE = 6.0
"""Deviation of the Gaussian, px, whose mean is taken away: a network against rain removes light haze, too."""

_ANGLES = tuple(np.arange(-45, 46, 7.5).tolist())
_REACHES = (4, 8)
_SEEN = 0.08
"""Light from which a pixel belongs to a streak."""

_STRONGEST = 97
"""Percent of the pixels below those with most light, in which the channels are compared."""

_PARTS = 6
"""Parts of either side of the image in which light is compared: rain lies everywhere."""


def measure_drops(before: Pixels, after: Pixels) -> dict[str, float]:
    """Measure the light that a network took from an image.

    The light l follows from before = 255 - (255 - after) (1 - l): l = (before - after) / (255 - after). The
    median of the channels is taken, and from it its mean over 6 px, which leaves the fine light f.

    Args:
        before: (C, H, W) float32, C = 1 or 3, 0-255 scale, both sides at least 32.
        after: The same as restored.

    Returns:
        `change`: mean difference of luma. `light`: deviation of f. `light skew`: its skewness. `light up`:
        share of its power that is positive. `light share`: share of the pixels where it is above 0.08.
        `along 4` and `along 8`: its largest correlation with itself so many px along a direction within 45
        degrees of upright; `single 4` and `single 8`: by how much that is above the median of these
        directions. `even`: its power in the quarter of 36 parts of the image that have least, over the mean.
        `channels apart`: of the 3 % of the pixels with most light the median deviation of the channels, over
        that light; only for color.
    """
    changed = before - after
    light = changed / np.maximum(_WHITE - after, _MIN_DARKER)
    whole = np.median(light, axis=0)
    fine = whole - ndimage.gaussian_filter(whole, _COARSE)
    power, spread = np.square(fine), float(fine.std()) + 1e-4
    found = {
        "change": float(to_luma(changed).mean()),
        "light": 100 * spread,
        "light skew": float(np.mean((fine / spread) ** 3)),
        "light up": float(power[fine > 0].sum() / (power.sum() + 1e-6)),
        "light share": float((fine > _SEEN).mean()),
        "even": _evenness(power),
    }
    for reach in _REACHES:
        along = [correlation_along(fine, angle, reach, floor=1e-3) for angle in _ANGLES]
        found[f"along {reach}"] = max(along)
        found[f"single {reach}"] = max(along) - float(np.median(along))
    if len(before) > 1:
        strongest = fine > np.percentile(fine, _STRONGEST)
        apart = light[:, strongest].std(axis=0) / np.maximum(whole[strongest], 0.02)
        found["channels apart"] = float(np.median(apart)) if strongest.any() else 0.0
    return found


def _evenness(power: Plane) -> float:
    tall, wide = (side // _PARTS for side in power.shape)
    cut = power[: tall * _PARTS, : wide * _PARTS].reshape(_PARTS, tall, _PARTS, wide)
    parts = cut.mean(axis=(1, 3))
    return float(np.percentile(parts, 25) / (parts.mean() + 1e-9))


@cache
def drops_table() -> DecisionTable:
    """Return the shipped table, which tells the chance that it was rain."""
    return read_table(DROPS_TABLE)


def rain_chance(before: Pixels, after: Pixels) -> float:
    """Return the chance that a network took rain away.

    Args:
        before: (C, H, W) float32, C = 1 or 3, 0-255 scale, both sides at least 32.
        after: The same as restored.
    """
    return drops_table().chances(measure_drops(before, after))["rain"]
