"""Images cut into square cells; what is left over at the right and at the bottom is dropped."""

from __future__ import annotations

import numpy as np

from restorecli.diagnosis.measuring.view import Pixels


def cells(planes: Pixels, side: int) -> Pixels:
    """Return the values of each cell: (C, rows, columns, side^2).

    Args:
        planes: (C, H, W), both sides at least `side`.
        side: Of a cell, in pixels.
    """
    cut = _cut(planes, side).swapaxes(2, 3)
    return cut.reshape(*cut.shape[:3], side * side)


def cell_means(planes: Pixels, side: int) -> Pixels:
    """Return the mean of each cell, (C, rows, columns) float32: the image with its sides divided by `side`.

    Args:
        planes: (C, H, W) float32, both sides at least `side`.
        side: Of a cell, in pixels.
    """
    return np.asarray(_cut(planes, side).mean(axis=(2, 4), dtype=np.float32))


def _cut(planes: Pixels, side: int) -> Pixels:
    """Return (C, rows, side, columns, side)."""
    rows, columns = (length // side for length in planes.shape[1:])
    return planes[:, : rows * side, : columns * side].reshape(len(planes), rows, side, columns, side)
