"""Marks that a network against scratches took away: were they painted over the image, or part of it?

A scratch or a speck of dust is paint: it has one color, the same opacity all along, hides what is below it
and ends within a pixel. What such a network takes from an undamaged image, such as reeds, wires and glints,
has colors, lets texture through, and fades.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.decide import DecisionTable, read_table
from restorecli.diagnosis.view import Pixels, Plane, to_luma

PAINT = "scratches"
"""The class of marks that are paint, be it a scratch, a speck of dust or a tear."""

MARKS_TABLE = Path(__file__).parent / "marks.json"

_MIN_CHANGE = 16.0
"""Levels of luma that must have been taken away for a pixel to belong to a mark."""

_MIN_AREA = 10
"""Pixels of the smallest mark."""

_WHITE = 247.0
"""Level of white paint, that of `degrade --noise scratches`."""

_MIN_DARKER = 10.0
"""Levels by which what is below paint must be darker than it for opacity to be told."""

_CORE = 60
"""Percent of a mark's pixels, those that changed less, which are left out where its color is measured."""

_LONG = 12.0
"""Pixels from which a mark has a course: whether it bends is told."""

_LIKELIEST = 3
"""Marks of an image that are taken into account."""

POWER = "power"
"""The measurement that says how much of the change a mark is, not what it is."""

_MIN_SHARE = 0.4
"""Of the power of all that was taken away, what must be paint: faintly scratched training photographs with
less gain 3.5 dB, but lose up to 10 dB; the others gain 8.6 dB."""

_FITTED_PIXELS = 192 * 192
"""Of most images that the table was fitted to."""

_REACH = 3
"""Pixels from a mark up to which its surroundings are looked at."""


def measure_marks(before: Pixels, after: Pixels) -> list[dict[str, float]]:
    """Measure the light marks that a network took from an image.

    Args:
        before: (C, H, W) float32, C = 1 or 3, 0-255 scale.
        after: The same as restored.

    Returns:
        For each mark `power`, the sum of the squared change of luma; `length` and `width` in px; `bend`, the
        root mean square distance from a parabola, px; `peak`, the greatest change of luma; of the 40 % of its
        pixels that changed most `opacity`, the median of (before - after) / (white - after), `opacity
        spread`, its deviation, `level`, the median luma, `color lost`, how much less the channels differ
        (median) than after, `rough` and `rough below`, the deviation of luma; of its surroundings `change
        around`, the mean change, and `rough around`; `plateau`, the mean change over the greatest; `disc`,
        its area over that of a disc of its length; `inside`, the share of its pixels that have none beside
        them that does not belong to it; `step`, the median luma less the greatest 2 px outside. Levels are
        on the 0-255 scale.
    """
    change = to_luma(before) - to_luma(after)
    labels, _ = ndimage.label(change > _MIN_CHANGE, np.ones((3, 3)))
    areas = np.bincount(labels.reshape(-1))[1:]
    places = ndimage.find_objects(labels)
    chosen = np.flatnonzero(areas >= _MIN_AREA)
    return [_measured(labels, int(index) + 1, places[index], change, before, after) for index in chosen]


def _measured(
    labels: NDArray[np.int32],
    label: int,
    place: tuple[slice, slice],
    change: Plane,
    before: Pixels,
    after: Pixels,
) -> dict[str, float]:
    near = tuple(slice(max(part.start - _REACH, 0), part.stop + _REACH) for part in place)
    mark, change = labels[near] == label, np.abs(change[near])
    area = np.count_nonzero(mark)
    before, after = (pixels[:, near[0], near[1]] for pixels in (before, after))
    length, bend = _course(np.argwhere(mark).astype(np.float64))
    core = mark & (change >= np.percentile(change[mark], _CORE))
    over, below = before[:, core], after[:, core]
    opacity = (over - below).mean(axis=0) / np.maximum(_WHITE - below.mean(axis=0), _MIN_DARKER)
    narrow, middle, wide = (ndimage.binary_dilation(mark, iterations=reach) for reach in (1, 2, _REACH))
    border, around = middle & ~narrow, wide & ~narrow
    luma, luma_below, seen = to_luma(over[:, None])[0], to_luma(below[:, None])[0], to_luma(before)
    return {
        POWER: float(np.square(change[mark]).sum()),
        "length": length,
        "width": area / length,
        "bend": bend,
        "peak": float(change[mark].max()),
        "opacity": float(np.median(opacity)),
        "opacity spread": float(opacity.std()),
        "level": float(np.median(luma)),
        "color lost": float(np.median(np.ptp(below, axis=0)) - np.median(np.ptp(over, axis=0))),
        "rough": float(luma.std()),
        "rough below": float(luma_below.std()),
        "change around": float(change[around].mean()) if around.any() else 0.0,
        "rough around": float(seen[around].std()) if around.any() else 0.0,
        "plateau": float(change[mark].mean() / change[mark].max()),
        "disc": area / (math.pi / 4 * length**2),
        "inside": np.count_nonzero(ndimage.binary_erosion(mark)) / area,
        "step": float(np.median(luma) - seen.max(where=border, initial=0.0)),
    }


def _course(points: NDArray[np.float64]) -> tuple[float, float]:
    """Return the length of a mark along its main direction, and how far it strays from a parabola, in px."""
    centered = points - points.mean(axis=0)
    spread, axes = np.linalg.eigh(centered.T @ centered / len(points))
    along, aside = centered @ axes[:, 1], centered @ axes[:, 0]
    length = float(np.ptp(along)) + 1
    if length < _LONG:
        return length, float(np.sqrt(max(spread[0], 0.0)))
    course = np.polynomial.Polynomial.fit(along, aside, 2)
    return length, float(np.sqrt(np.mean(np.square(course(along) - aside))))


@cache
def marks_table() -> DecisionTable:
    """Return the shipped table, which tells the chance that one mark is paint."""
    return read_table(MARKS_TABLE)


def paint_chance(before: Pixels, after: Pixels) -> float:
    """Return the chance that a network took paint away: that one of the three likeliest marks was.

    The larger an image, the more marks it has that are none, but not more scratches: their odds are divided
    by its size over that of the images that the table was fitted to. Where most of what was taken away is no
    paint, restoring would do harm, scratches or not: the chance is 0.

    Args:
        before: (C, H, W) float32, C = 1 or 3, 0-255 scale.
        after: The same as restored.
    """
    marks, table = measure_marks(before, after), marks_table()
    chances = [table.chances(mark)[PAINT] for mark in marks]
    power = sum(chance * mark[POWER] for chance, mark in zip(chances, marks, strict=True))
    if power < _MIN_SHARE * float(np.square(to_luma(before) - to_luma(after)).sum()):
        return 0.0
    larger = max(before[0].size / _FITTED_PIXELS, 1.0)
    likeliest = sorted(chances)[-_LIKELIEST:]
    unpainted = [1 - chance / (chance + (1 - chance) * larger) for chance in likeliest]
    return float(1 - math.prod(unpainted))
