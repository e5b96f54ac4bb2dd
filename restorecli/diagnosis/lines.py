"""Scratches and dust: thin light or dark lines that run far, and small specks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.view import Pixels, Plane, View

Mask = NDArray[np.bool_]

_MAX_WIDTH = 9
_MIN_HEIGHT = 30.0
_SPECK_AREA = (8, 120)
_PAPER, _PAPER_COLOR, _PAPER_HIGH = 150, 45, 35
"""Levels: least of the darkest channel, most difference of channels, and height, of bare paper."""
_LONG, _THIN = 35, 6
_PAPER_SPECK = (6, 110)


def measure_lines(view: View) -> dict[str, float]:
    """Measure scratches and specks in the window.

    What is lighter (or darker) than all that a 9 px square can hold around it, by 30 levels, counts.

    Returns:
        `line light`, `line dark`: the longest run of such pixels from row to row or column to column, each
        at most one pixel aside of the last, over the shorter side. `line share`: share of pixels on light
        runs of 30 px and more; `line white`: the median of the darkest channel there, 0 to 1. `specks`: small
        round separate ones per 10,000 px. `white lines`: length of all thin lines without color that are
        nearly white, 35 px long or more, over the shorter side; `white specks` and `white dots`: round spots
        of that, and smaller ones, per 10,000 px.
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
    paper = (light > _PAPER_HIGH) & (least > _PAPER) & (most - least < _PAPER_COLOR)
    labels, count = ndimage.label(paper, np.ones((3, 3)))
    if count == 0:
        return {"white lines": 0.0, "white specks": 0.0, "white dots": 0.0}
    areas = np.bincount(labels.reshape(-1))[1:]
    boxes = [[part.stop - part.start for part in box] for box in ndimage.find_objects(labels)]
    tall, wide = np.array(boxes).T
    lengths = np.hypot(tall, wide)
    lines = (lengths > _LONG) & (areas < _THIN * lengths)
    small, large = _PAPER_SPECK
    specks = (areas >= small) & (areas <= large) & (areas > 0.62 * tall * wide)
    specks &= np.maximum(tall, wide) <= 1.5 * np.minimum(tall, wide)
    return {
        "white lines": float(lengths[lines].sum()) / min(light.shape),
        "white specks": 1e4 * np.count_nonzero(specks) / light.size,
        "white dots": 1e4 * np.count_nonzero(areas < small) / light.size,
    }
