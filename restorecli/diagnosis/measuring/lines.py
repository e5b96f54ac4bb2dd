"""Scratches and dust: thin light or dark lines that run far, and small specks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.measuring.view import Pixels, Plane, View

Mask = NDArray[np.bool_]

_MAX_WIDTH = 9
_MIN_HEIGHT = 30.0
_SPECK_AREA = (8, 120)
_PAPER, _PAPER_COLOR, _PAPER_HIGH = 150, 45, 35
"""Levels: least of the darkest channel, most difference of channels, and height, of bare paper."""
_LONG, _THIN = 35, 6
_PAPER_SPECK = (6, 110)
_NEAR, _FAR = 2, 5
"""Pixels from a line between which its surroundings are looked at."""

_MAX_BEND = 2.0
"""Pixels by which a scratch strays from a parabola, root mean square."""

_LEFT_COLOR, _ROUNDED_COLOR = 0.4, 6.0
"""What a scratch leaves of the color below it, at most, and levels that rounding and noise add."""

_MIN_PAINT = 0.2
"""Length of paint lines, over the shorter side, that 1 in 17 clean crops has, and 9 in 10 scratched ones."""


def measure_lines(view: View) -> dict[str, float]:
    """Measure scratches and specks in the window.

    What is lighter (or darker) than all that a 9 px square can hold around it, by 30 levels, counts.

    Returns:
        `line light`, `line dark`: the longest run of such pixels from row to row or column to column, each
        at most one pixel aside of the last, over the shorter side. `line share`: share of pixels on light
        runs of 30 px and more; `line white`: the median of the darkest channel there, 0 to 1. `specks`: small
        round separate ones per 10,000 px. `white lines`: length of all thin lines without color that are
        nearly white, 35 px long or more, over the shorter side; `paint lines`: of those that hardly bend and
        have far less color than what is around them, as if they were painted over it; `white specks` and
        `white dots`: round spots of that, and smaller ones, per 10,000 px.
    """
    luma = view.luma
    light = luma - ndimage.grey_opening(luma, _MAX_WIDTH)
    dark = ndimage.grey_closing(luma, _MAX_WIDTH) - luma
    bright, dim = light > _MIN_HEIGHT, dark > _MIN_HEIGHT
    shorter = min(luma.shape)
    runs = _runs(bright)
    long = runs >= 30
    return {
        "line light": float(runs.max()) / shorter,
        "line dark": float(_runs(dim).max()) / shorter,
        "line share": float(long.mean()),
        "line white": _whiteness(view.window, long),
        "specks": _specks(bright, light) + _specks(dim, dark),
        **_white(view.window, light),
    }


def _runs(chosen: Mask) -> NDArray[np.int32]:
    """Return for each pixel the longer of the runs through it, from top to bottom and from left to right."""
    return np.maximum(_through(chosen), _through(chosen.T).T)


def _through(chosen: Mask) -> NDArray[np.int32]:
    return np.where(chosen, _down(chosen) + _down(chosen[::-1])[::-1] - 1, 0).astype(np.int32)


def _down(chosen: Mask) -> NDArray[np.int32]:
    """Return for each pixel the length of the longest run that ends there, coming from above."""
    lengths = np.zeros((chosen.shape[0], chosen.shape[1] + 2), np.int32)
    last = lengths[0]
    for row, here in enumerate(chosen):
        longest = np.maximum(np.maximum(last[:-2], last[2:]), last[1:-1]) + 1
        lengths[row, 1:-1] = np.where(here, longest, 0)
        last = lengths[row]
    return lengths[:, 1:-1]


def _whiteness(window: Pixels, long: Mask) -> float:
    """Return the median of the darkest channel in long light runs, 0 to 1: scratches show white paper."""
    return float(np.median(window.min(axis=0)[long])) / 255 if long.any() else 0.0


def _specks(chosen: Mask, height: Plane) -> float:
    labels, count = ndimage.label(chosen)
    if count == 0:
        return 0.0
    areas = np.bincount(labels.reshape(-1))[1:]
    boxes = ndimage.find_objects(labels)
    small = [index for index, area in enumerate(areas) if _SPECK_AREA[0] <= area <= _SPECK_AREA[1]]
    round_ones = 0
    for index in small:
        rows, columns = boxes[index]
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        full = areas[index] / (tall * wide)
        if max(tall, wide) <= 1.6 * min(tall, wide) and full > 0.6:
            inside = height[rows, columns][labels[rows, columns] == index + 1]
            round_ones += float(inside.max()) > 2 * _MIN_HEIGHT
    return 1e4 * round_ones / chosen.size


def _white(window: Pixels, light: Plane) -> dict[str, float]:
    """Measure what a scratch down to the paper leaves: thin, without color, nearly white."""
    least, most = window.min(axis=0), window.max(axis=0)
    color = most - least
    paper = (light > _PAPER_HIGH) & (least > _PAPER) & (color < _PAPER_COLOR)
    labels, count = ndimage.label(paper, np.ones((3, 3)))
    if count == 0:
        return dict.fromkeys(("white lines", "paint lines", "white specks", "white dots"), 0.0)
    areas = np.bincount(labels.reshape(-1))[1:]
    places = ndimage.find_objects(labels)
    tall, wide = np.array([[part.stop - part.start for part in place] for place in places]).T
    lengths = np.hypot(tall, wide)
    lines = (lengths > _LONG) & (areas < _THIN * lengths)
    paint = [
        index for index in np.flatnonzero(lines) if _is_paint(labels, int(index) + 1, places[index], color)
    ]
    small, large = _PAPER_SPECK
    specks = (areas >= small) & (areas <= large) & (areas > 0.62 * tall * wide)
    specks &= np.maximum(tall, wide) <= 1.5 * np.minimum(tall, wide)
    return {
        "white lines": float(lengths[lines].sum()) / min(light.shape),
        "paint lines": float(lengths[paint].sum()) / min(light.shape),
        "white specks": 1e4 * np.count_nonzero(specks) / light.size,
        "white dots": 1e4 * np.count_nonzero(areas < small) / light.size,
    }


def _is_paint(labels: NDArray[np.int32], label: int, place: tuple[slice, slice], color: Plane) -> bool:
    """Tell whether a line hardly bends and has far less color than its surroundings.

    Gray paint of opacity a leaves 1 - a of the color below it; blades of grass, wires and masts have a color
    of their own.
    """
    around = tuple(slice(max(part.start - _FAR - 1, 0), part.stop + _FAR + 1) for part in place)
    line = labels[around] == label
    along, aside = np.nonzero(line) if line.shape[0] >= line.shape[1] else np.nonzero(line.T)
    course = np.polynomial.Polynomial.fit(along, aside, 2)
    if np.sqrt(np.mean(np.square(course(along) - aside))) > _MAX_BEND:
        return False
    wide, narrow = (ndimage.binary_dilation(line, iterations=reach) for reach in (_FAR, _NEAR))
    ring = color[around][wide & ~narrow]
    return bool(np.median(color[around][line]) < _LEFT_COLOR * np.median(ring) + _ROUNDED_COLOR)


def shows_paint(found: Mapping[str, float]) -> bool:
    """Tell whether long thin lines look as if they were painted over the image, as scratches do.

    Args:
        found: Measurements by name.
    """
    return found["paint lines"] >= _MIN_PAINT
