"""Error diffusion: the eight kernels, and compiled loops that equal the sequential definition bit for bit.

The definition, in float64: visit the pixels row by row, from left to right (serpentine: every second row from
right to left, with the kernel mirrored); replace each by the nearest level and add its error times
`weight / divisor` to the neighbors that the kernel names, in the kernel's order, leaving out those outside.

The loops below gather instead of scatter: before a row is visited, the errors of the two rows above are
added to it all at once, in the order in which the definition would have added them; only the two taps within
the row are truly sequential, and they live in registers. No sum is reordered, so every bit is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restorecli.core.ops.compilation import compiled

Plane = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DiffusionKernel:
    """Where the error of one pixel goes.

    Attributes:
        divisor: What the weights are divided by.
        rows: Three rows of five weights for the columns -2 to +2; in the first only +1 and +2 can be used.
    """

    divisor: int
    rows: tuple[tuple[int, int, int, int, int], ...]

    def weights(self) -> Plane:
        """Return the (3, 5) weights divided by the divisor."""
        return np.array(self.rows, dtype=np.float64) / self.divisor


KERNELS: Mapping[str, DiffusionKernel] = {
    "floyd-steinberg": DiffusionKernel(16, ((0, 0, 0, 7, 0), (0, 3, 5, 1, 0), (0, 0, 0, 0, 0))),
    "jarvis-judice-ninke": DiffusionKernel(48, ((0, 0, 0, 7, 5), (3, 5, 7, 5, 3), (1, 3, 5, 3, 1))),
    "stucki": DiffusionKernel(42, ((0, 0, 0, 8, 4), (2, 4, 8, 4, 2), (1, 2, 4, 2, 1))),
    "burkes": DiffusionKernel(32, ((0, 0, 0, 8, 4), (2, 4, 8, 4, 2), (0, 0, 0, 0, 0))),
    "sierra-3": DiffusionKernel(32, ((0, 0, 0, 5, 3), (2, 4, 5, 4, 2), (0, 2, 3, 2, 0))),
    "sierra-2": DiffusionKernel(16, ((0, 0, 0, 4, 3), (1, 2, 3, 2, 1), (0, 0, 0, 0, 0))),
    "sierra-lite": DiffusionKernel(4, ((0, 0, 0, 2, 0), (0, 1, 1, 0, 0), (0, 0, 0, 0, 0))),
    "atkinson": DiffusionKernel(8, ((0, 0, 0, 1, 1), (0, 1, 1, 1, 0), (0, 0, 1, 0, 0))),
}


@compiled
def _gather(target: Plane, errors: Plane, weights: Plane, backward: bool) -> None:
    """Add what a row above passes down; `errors` has two zeros at both ends, `weights` columns -2 to +2."""
    a, b, c, d, e = weights[4], weights[3], weights[2], weights[1], weights[0]
    if backward:
        for x in range(target.size):
            value = target[x] + errors[x + 4] * a
            value += errors[x + 3] * b
            value += errors[x + 2] * c
            value += errors[x + 1] * d
            target[x] = value + errors[x] * e
    else:
        for x in range(target.size):
            value = target[x] + errors[x] * a
            value += errors[x + 1] * b
            value += errors[x + 2] * c
            value += errors[x + 3] * d
            target[x] = value + errors[x + 4] * e


@compiled
def _visit_two_levels(row: Plane, errors: Plane, one: float, two: float, step: int) -> None:
    """Visit a row in direction `step`; it becomes 0 or 1, and `errors` (from place 2 on) its errors."""
    x = 0 if step > 0 else row.size - 1
    last, before = 0.0, 0.0
    for _ in range(row.size):
        value = (row[x] + before * two) + last * one
        level = 1.0 if value + 0.5 >= 1.0 else 0.0
        before = last
        last = value - level
        row[x] = level
        errors[x + 2] = last
        x += step


@compiled
def _visit_levels(row: Plane, errors: Plane, one: float, two: float, step: int, top: float) -> None:
    """The same for the levels 0, 1 / top, ..., 1."""
    x = 0 if step > 0 else row.size - 1
    last, before = 0.0, 0.0
    for _ in range(row.size):
        value = (row[x] + before * two) + last * one
        level = min(max(np.floor(value * top + 0.5), 0.0), top) / top
        before = last
        last = value - level
        row[x] = level
        errors[x + 2] = last
        x += step


@compiled
def diffuse_levels(plane: Plane, weights: Plane, levels: int, serpentine: bool) -> None:
    """Diffuse one channel in place to the levels k / top, top = levels - 1, with k = floor(v top + 0.5).

    Args:
        plane: (H, W) float64 in [0, 1].
        weights: (3, 5) of a kernel.
        levels: At least 2.
        serpentine: Visit every second row from right to left.
    """
    errors = np.zeros((3, plane.shape[1] + 4))
    one, two = weights[0, 3], weights[0, 4]
    deep = np.any(weights[2] != 0)
    for y in range(plane.shape[0]):
        row = plane[y]
        step = -1 if serpentine and y % 2 == 1 else 1
        if y > 1 and deep:
            _gather(row, errors[(y - 2) % 3], weights[2], step < 0)
        if y > 0:
            _gather(row, errors[(y - 1) % 3], weights[1], serpentine and step > 0)
        if levels == 2:
            _visit_two_levels(row, errors[y % 3], one, two, step)
        else:
            _visit_levels(row, errors[y % 3], one, two, step, levels - 1.0)


@compiled
def _nearest(red: float, green: float, blue: float, palette: Plane) -> int:
    best, least = 0, np.inf
    for index in range(palette.shape[0]):
        r, g, b = red - palette[index, 0], green - palette[index, 1], blue - palette[index, 2]
        distance = r * r + g * g + b * b
        if distance < least:
            best, least = index, distance
    return best


@compiled
def diffuse_palette(planes: Plane, weights: Plane, palette: Plane, serpentine: bool) -> None:
    """Diffuse three channels together in place to the nearest colors (Euclidean; the first of equals).

    Args:
        planes: (3, H, W) float64 in [0, 1].
        weights: (3, 5) of a kernel.
        palette: (N, 3) float64 in [0, 1].
        serpentine: Visit every second row from right to left.
    """
    errors = np.zeros((3, 3, planes.shape[2] + 4))
    one, two = weights[0, 3], weights[0, 4]
    for y in range(planes.shape[1]):
        backward = serpentine and y % 2 == 1
        current = errors[y % 3]
        for channel in range(3):
            if y > 1:
                _gather(planes[channel, y], errors[(y - 2) % 3, channel], weights[2], backward)
            if y > 0:
                above = errors[(y - 1) % 3, channel]
                _gather(planes[channel, y], above, weights[1], serpentine and not backward)
            current[channel] = 0.0
        for place in range(planes.shape[2]):
            x = planes.shape[2] - 1 - place if backward else place
            back = 1 if backward else -1
            for channel in range(3):
                kept = current[channel]
                planes[channel, y, x] += kept[x + 2 + 2 * back] * two
                planes[channel, y, x] += kept[x + 2 + back] * one
            nearest = _nearest(planes[0, y, x], planes[1, y, x], planes[2, y, x], palette)
            for channel in range(3):
                current[channel, x + 2] = planes[channel, y, x] - palette[nearest, channel]
                planes[channel, y, x] = palette[nearest, channel]
