"""Marks that a network against scratches took away: were they painted over the image, or part of it?

A scratch or a speck of dust is paint: it has one color, the same opacity all along, hides what is below it
and ends within a pixel. What such a network takes from an undamaged image, such as reeds, wires and glints,
has colors, lets texture through, and fades.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.deciding.decide import CLEAN_WEIGHT, DecisionTable, read_table
from restorecli.diagnosis.measuring.view import Pixels, Plane, is_gray, to_luma

PAINT = "scratches"
"""The class of marks that are paint, be it a scratch, a speck of dust or a tear."""

MARKS_TABLE = Path(__file__).parent / "marks.json"

_MIN_CHANGE = 12.0
"""Levels, root mean square over the channels, that a pixel of a mark must have changed."""

_MIN_AREA = 6
"""Pixels of the smallest mark."""

_WHITE = 247.0
"""Level of white paint, that of `degrade --noise scratches`; dark marks are looked at in the negative."""

_MIN_DARKER = 10.0
"""Levels by which what is below paint must be darker than it for opacity to be told."""

_CORE = 60
"""Percent of a mark's pixels, those that changed less, which are left out where its color is measured."""

_LONG = 12.0
"""Pixels from which a mark has a course: whether it bends is told."""

_REACH = 3
"""Pixels from a mark up to which its surroundings are looked at."""

_BREADTH = 95
"""Percent of a mark's pixels that are nearer to its border than those that tell how thick it is."""

_DEEP = 2.0
"""Pixels from a mark's border from which its color is compared with what is around it, if it is so wide."""

_MIN_CONTRAST = 6.0
"""Levels, root mean square, that a mark counts as having been off its surroundings, at least."""

_THICK, _EDGE_LEFT, _PAINT_ANYWAY = 8.0, 0.4, 0.98
"""Thickness (px) and share of its contrast, see `measure_marks`, above which a mark is no paint, but a bright
brim or a glint, unless its chance is this. Of such marks that are else taken for paint, in training
photographs and samples with scratches or without, four of five are none, whatever weights took them."""

_PAINTED, _UNPAINTED = 0.5, 5.0
"""Marks of either kind that every image is taken to have beside those that were found."""

_ROUNDS = 20
"""Of learning from an image's marks how common paint is in it."""

_SURE = 1e-12
"""Chance of being none that is left to the surest mark."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks that a network took from an image.

    Attributes:
        numbers: (H, W), from 1 at the pixels of each mark, 0 elsewhere.
        found: Measurements of each mark, that of number 1 first; see `measure_marks`.
    """

    numbers: NDArray[np.int32]
    found: Sequence[Mapping[str, float]]


def find_marks(before: Pixels, after: Pixels) -> Marks:
    """Find and measure the marks that a network took from an image.

    Args:
        before: (C, H, W) float32, C = 1 or 3, 0-255 scale.
        after: The same as restored.
    """
    change = before - after
    lighter = to_luma(change)
    size = np.sqrt(np.square(change).mean(axis=0))
    colored = not is_gray(before)
    numbers = np.zeros(size.shape, np.int32)
    found: list[dict[str, float]] = []
    for dark in (False, True):
        labels, _ = ndimage.label((size > _MIN_CHANGE) & ((lighter <= 0) == dark), np.ones((3, 3)))
        areas = np.bincount(labels.reshape(-1))
        areas[0] = 0
        chosen = np.flatnonzero(areas >= _MIN_AREA)
        places = ndimage.find_objects(labels)
        seen = [255 - pixels if dark else pixels for pixels in (before, after)]
        for label in chosen:
            measured = _measured(labels, int(label), places[label - 1], size, *seen)
            if not colored:
                del measured["color lost"]
            found.append({**measured, "dark": float(dark)})
        named = np.zeros(len(areas), np.int32)
        named[chosen] = np.arange(len(found) - len(chosen), len(found)) + 1
        numbers += named[labels]
    return Marks(numbers, found)


def measure_marks(before: Pixels, after: Pixels) -> Sequence[Mapping[str, float]]:
    """Measure the marks that a network took from an image.

    Args:
        before: (C, H, W) float32, C = 1 or 3, 0-255 scale.
        after: The same as restored.

    Returns:
        For each mark `dark`, 1 where it was darker than what came below it: it is measured in the negative
        then; `power`, the sum of the squared change; `length` and `width` in px; `bend`,
        the root mean square distance from a parabola, px; `peak`, the greatest change; of the 40 % of its
        pixels that changed most `opacity`, the median of (before - after) / (white - after), `opacity
        spread`, its deviation, `level`, the median luma, `color lost`, how much less the channels of a color
        image differ (median) than after, `rough` and `rough below`, the deviation of luma; of its
        surroundings `change around`, the mean change, and `rough around`; `plateau`, the mean change over the
        greatest; `disc`, its area over that of a disc of its length; `inside`, the share of its pixels that
        have none beside them that does not belong to it; `step`, the median luma less the greatest 2 px
        outside; `thick`, twice the 95th percentile of the distance of its pixels from its border, less 1 px:
        where lines cross, `width` is greater; `seam`, the share of its contrast with what is 2 and 3 px
        outside that is left after: a brim of china or a glint stays an edge once its light is taken away.
        Changes are root mean squares over the channels; levels are on the 0-255 scale.
    """
    return find_marks(before, after).found


def _measured(
    labels: NDArray[np.int32],
    label: int,
    place: tuple[slice, slice],
    change: Plane,
    before: Pixels,
    after: Pixels,
) -> dict[str, float]:
    near = tuple(slice(max(part.start - _REACH, 0), part.stop + _REACH) for part in place)
    mark, change = labels[near] == label, change[near]
    area = np.count_nonzero(mark)
    before, after = (pixels[:, near[0], near[1]] for pixels in (before, after))
    length, bend = _course(np.argwhere(mark).astype(np.float64))
    core = mark & (change >= np.percentile(change[mark], _CORE))
    over, below = before[:, core], after[:, core]
    opacity = (over - below).mean(axis=0) / np.maximum(_WHITE - below.mean(axis=0), _MIN_DARKER)
    narrow, middle, wide = (ndimage.binary_dilation(mark, iterations=reach) for reach in (1, 2, _REACH))
    border, around = middle & ~narrow, wide & ~narrow
    luma, luma_below, seen = to_luma(over[:, None])[0], to_luma(below[:, None])[0], to_luma(before)
    depth = ndimage.distance_transform_edt(mark)
    return {
        "power": float(np.square(change[mark]).sum()),
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
        "thick": float(2 * np.percentile(depth[mark], _BREADTH) - 1),
        "seam": _seam(depth, around, before, after),
    }


def _seam(depth: NDArray[np.float64], around: NDArray[np.bool_], before: Pixels, after: Pixels) -> float:
    """Return how much of a mark's contrast with its surroundings is left, 1 for all of it.

    Each pixel around is compared with the nearest one that is deep in the mark.
    """
    if not around.any():
        return 0.0
    deep = depth >= min(_DEEP, depth.max())
    nearest = ndimage.distance_transform_edt(~deep, return_distances=False, return_indices=True)
    rows, columns = nearest[:, around]
    left, was = (
        np.sqrt(np.square(pixels[:, rows, columns] - pixels[:, around]).mean()) for pixels in (after, before)
    )
    return float(left / max(was, _MIN_CONTRAST))


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


def paint_chances(found: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """Return the chance of each of an image's marks that it is paint, (marks,).

    How common paint is among them is learned from the marks themselves: their mean chance takes the place of
    the share that the table was fitted to, until nothing changes (Saerens, Latinne and Decaestecker, Neural
    Computation 2002). Among many sure scratches a doubtful one is believed, alone it is not. A thick mark of
    which an edge is left must be nearly sure.

    Args:
        found: The marks of one image, as `measure_marks` returns them.
    """
    table = marks_table()
    alone = np.array([table.chances(mark)[PAINT] for mark in found])
    odds = alone / np.maximum(1 - alone, _SURE) * CLEAN_WEIGHT
    chances = alone
    for _ in range(_ROUNDS):
        common = (chances.sum() + _PAINTED) / (len(found) + _PAINTED + _UNPAINTED)
        told = odds * common / (1 - common)
        chances = told / (1 + told)
    edges = np.array([_stays_an_edge(mark) for mark in found], np.bool_)
    return np.where(edges & (chances < _PAINT_ANYWAY), 0.0, chances)


def _stays_an_edge(mark: Mapping[str, float]) -> bool:
    """Tell whether a mark is a brim or a glint; what was not measured speaks for none."""
    return mark.get("thick", 0.0) > _THICK and mark.get("seam", 0.0) > _EDGE_LEFT


def paint_chance(before: Pixels, after: Pixels) -> float:
    """Return the chance that a network took paint away: that of the mark that is the likeliest to be paint.

    Args:
        before: (C, H, W) float32, C = 1 or 3, 0-255 scale.
        after: The same as restored.
    """
    return float(paint_chances(measure_marks(before, after)).max(initial=0.0))
