"""Strokes over an image: polylines of changing width with soft edges, each in one color."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restorecli.core.ops.compilation import compiled
from restorecli.images.image import Pixels

MARKED = 0.25
"""A pixel counts as damaged where a stroke covers at least this share of it."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A polyline, or a disc where it has one point.

    Attributes:
        points: (K, 3) of row, column and radius in pixels.
        opacity: In (0, 1].
        color: (3,) in [0, 1].
    """

    points: NDArray[np.float64]
    opacity: float
    color: NDArray[np.float32]


@compiled
def _cover(plane: NDArray[np.float32], points: NDArray[np.float64], edge: float) -> None:
    for index in range(max(len(points) - 1, 1)):
        row, column, radius = points[index]
        last = points[min(index + 1, len(points) - 1)]
        down, across, wider = last[0] - row, last[1] - column, last[2] - radius
        square = down * down + across * across
        reach = max(radius, last[2]) + edge + 0.5
        top = max(int(np.floor(min(row, last[0]) - reach)), 0)
        bottom = min(int(np.ceil(max(row, last[0]) + reach)) + 1, plane.shape[0])
        left = max(int(np.floor(min(column, last[1]) - reach)), 0)
        right = min(int(np.ceil(max(column, last[1]) + reach)) + 1, plane.shape[1])
        for y in range(top, bottom):
            for x in range(left, right):
                dy, dx = y + 0.5 - row, x + 0.5 - column
                along = 0.0
                if square > 0:
                    along = min(max((dy * down + dx * across) / square, 0.0), 1.0)
                distance = np.hypot(dy - along * down, dx - along * across)
                share = min(max((radius + along * wider - distance) / edge + 0.5, 0.0), 1.0)
                plane[y, x] = max(plane[y, x], np.float32(share))


def cover(shape: tuple[int, int], stroke: Stroke, edge: float) -> NDArray[np.float32]:
    """Return the share of every pixel that a stroke covers.

    Args:
        shape: Height and width.
        stroke: The stroke.
        edge: Width in pixels over which its border fades, above 0.

    Returns:
        (H, W) float32 in [0, 1].
    """
    plane = np.zeros(shape, np.float32)
    _cover(plane, stroke.points, edge)
    return plane


def paint(image: Pixels, strokes: list[Stroke], edge: float) -> None:
    """Blend strokes over a (1 or 3, H, W) image in place, in their order; gray images get their luma."""
    for stroke in strokes:
        color = stroke.color if len(image) == 3 else stroke.color @ _LUMA
        share = cover(image.shape[1:], stroke, edge)[None] * np.float32(stroke.opacity)
        image += share * (color.reshape(-1, 1, 1) - image)


def marks(shape: tuple[int, int], strokes: list[Stroke], edge: float) -> NDArray[np.bool_]:
    """Return where strokes cover at least `MARKED` of a pixel: (H, W)."""
    found = np.zeros(shape, bool)
    for stroke in strokes:
        found |= cover(shape, stroke, edge) >= MARKED
    return found


_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
