"""Criminisi's algorithm, compiled: which place is filled next, and from where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.core.ops.compilation import compiled
from restorecli.restoration.methods.classical.holes import Mask

Plane = NDArray[np.float32]

_MIN_DATA_TERM = 1e-3
"""Stands in for a data term of 0, so that confidence decides in flat places."""


@compiled
def _isophote(
    light: Plane, lost: Mask, y: int, x: int, high: int, wide: int, normal: tuple[float, float]
) -> float:
    """Return |isophote . normal| for the strongest slope of the known pixels around a place."""
    height, width = light.shape
    strongest, result = 0.0, 0.0
    for i in range(max(y - high, 0), min(y + high + 1, height)):
        for j in range(max(x - wide, 0), min(x + wide + 1, width)):
            i0, i1, j0, j1 = max(i - 1, 0), min(i + 1, height - 1), max(j - 1, 0), min(j + 1, width - 1)
            if lost[i, j] or lost[i0, j] or lost[i1, j] or lost[i, j0] or lost[i, j1]:
                continue
            down = (light[i1, j] - light[i0, j]) / max(i1 - i0, 1)
            across = (light[i, j1] - light[i, j0]) / max(j1 - j0, 1)
            slope = down * down + across * across
            if slope > strongest:
                strongest = slope
                result = abs(-across * normal[0] + down * normal[1])
    return result


@compiled
def _normal(lost: Mask, y: int, x: int) -> tuple[float, float]:
    """Return the unit normal of the hole's border at a lost pixel, or zeros where it has none."""
    height, width = lost.shape
    y0, y1, x0, x1 = max(y - 1, 0), min(y + 1, height - 1), max(x - 1, 0), min(x + 1, width - 1)
    down, across = 0.0, 0.0
    for i, weight in ((x0, 1.0), (x, 2.0), (x1, 1.0)):
        down += weight * lost[y1, i] - weight * lost[y0, i]
    for i, weight in ((y0, 1.0), (y, 2.0), (y1, 1.0)):
        across += weight * lost[i, x1] - weight * lost[i, x0]
    length = max(np.sqrt(down * down + across * across), 1e-9)
    return down / length, across / length


@compiled
def _confidence(confidence: Plane, y: int, x: int, high: int, wide: int) -> float:
    height, width = confidence.shape
    total = 0.0
    for i in range(max(y - high, 0), min(y + high + 1, height)):
        for j in range(max(x - wide, 0), min(x + wide + 1, width)):
            total += confidence[i, j]
    return total / ((2 * high + 1) * (2 * wide + 1))


@compiled
def _at_border(lost: Mask, y: int, x: int) -> bool:
    height, width = lost.shape
    if y > 0 and not lost[y - 1, x]:
        return True
    if y < height - 1 and not lost[y + 1, x]:
        return True
    if x > 0 and not lost[y, x - 1]:
        return True
    return x < width - 1 and not lost[y, x + 1]


@compiled
def _rank(
    light: Plane, lost: Mask, confidence: Plane, high: int, wide: int, box: NDArray[np.int64], ranks: Plane
) -> None:
    """Set the priorities (equation 1) of the lost pixels at the border in a box, and -1 elsewhere in it."""
    for y in range(box[0], box[1]):
        for x in range(box[2], box[3]):
            ranks[y, x] = -1.0
            if lost[y, x] and _at_border(lost, y, x):
                data = _isophote(light, lost, y, x, high, wide, _normal(lost, y, x))
                ranks[y, x] = _confidence(confidence, y, x, high, wide) * max(data, _MIN_DATA_TERM)


@compiled
def _distance(
    colors: Plane, values: Plane, places: NDArray[np.int64], count: int, y: int, x: int, best: float
) -> float:
    """Return the squared difference of a source around (y, x), or a part of it from `best` on."""
    distance = 0.0
    for k in range(count):
        for channel in range(colors.shape[0]):
            step = colors[channel, y + places[k, 0], x + places[k, 1]] - values[k, channel]
            distance += step * step
        if distance >= best:
            return distance
    return distance


@compiled
def _find(
    colors: Plane, lost: Mask, sources: Mask, place: tuple[int, int], high: int, wide: int, reach: int
) -> tuple[int, int]:
    """Return the middle of the source that differs least where the target is known; -1 if there is none."""
    channels, height, width = colors.shape
    y, x = place
    places = np.empty(((2 * high + 1) * (2 * wide + 1), 2), np.int64)
    values = np.empty((len(places), channels), np.float32)
    count = 0
    for i in range(max(y - high, 0), min(y + high + 1, height)):
        for j in range(max(x - wide, 0), min(x + wide + 1, width)):
            if not lost[i, j]:
                places[count, 0], places[count, 1] = i - y, j - x
                values[count] = colors[:, i, j]
                count += 1
    best, best_y, best_x = np.inf, -1, -1
    for i in range(max(y - reach, 0), min(y + reach + 1, height)):
        for j in range(max(x - reach, 0), min(x + reach + 1, width)):
            if sources[i, j]:
                distance = _distance(colors, values, places, count, i, j, best)
                if distance < best:
                    best, best_y, best_x = distance, i, j
    return best_y, best_x


@compiled
def _around(shape: tuple[int, int], y: int, x: int, high: int, wide: int) -> NDArray[np.int64]:
    return np.array(
        [
            max(y - 2 * high - 2, 0),
            min(y + 2 * high + 3, shape[0]),
            max(x - 2 * wide - 2, 0),
            min(x + 2 * wide + 3, shape[1]),
        ]
    )


@compiled
def fill_from_exemplars(
    pixels: Plane, colors: Plane, lost: Mask, sources: Mask, high: int, wide: int, reach: int
) -> None:
    """Fill lost pixels in place, the most urgent first, each with its surroundings, from the best source.

    Args:
        pixels: (C, H, W), changed where `lost`.
        colors: (K, H, W), what differences are measured in, its first plane the lightness in [0, 1]; changed
            like `pixels`.
        lost: (H, W); all False in the end.
        sources: (H, W), True in the middle of patches that may be copied; somewhere True.
        high: Half the height of a patch, without its middle.
        wide: Half its width.
        reach: How far sources are looked for; twice as far, and again, where there is none.
    """
    height, width = lost.shape
    confidence = np.where(lost, np.float32(0), np.float32(1))
    ranks = np.full((height, width), np.float32(-1))
    _rank(colors[0], lost, confidence, high, wide, np.array([0, height, 0, width]), ranks)
    columns = np.empty(height, np.int64)
    for row in range(height):
        columns[row] = np.argmax(ranks[row])
    tops = np.array([ranks[row, columns[row]] for row in range(height)])
    while True:
        y = int(np.argmax(tops))
        if tops[y] < 0:
            return
        x = columns[y]
        from_y, from_x, far = -1, -1, reach
        while from_y < 0:
            from_y, from_x = _find(colors, lost, sources, (y, x), high, wide, far)
            far *= 2
        trust = np.float32(_confidence(confidence, y, x, high, wide))
        for i in range(max(y - high, 0), min(y + high + 1, height)):
            for j in range(max(x - wide, 0), min(x + wide + 1, width)):
                if lost[i, j]:
                    pixels[:, i, j] = pixels[:, from_y + i - y, from_x + j - x]
                    colors[:, i, j] = colors[:, from_y + i - y, from_x + j - x]
                    confidence[i, j] = trust
                    lost[i, j] = False
        box = _around((height, width), y, x, high, wide)
        _rank(colors[0], lost, confidence, high, wide, box, ranks)
        for row in range(box[0], box[1]):
            columns[row] = np.argmax(ranks[row])
            tops[row] = ranks[row, columns[row]]
