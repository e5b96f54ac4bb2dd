"""Local means under the 11x11 Gaussian window, in double precision and in bounded memory.

A separable filter is a product with a banded matrix. Cut into blocks, the bands are small dense products,
which the BLAS that NumPy ships does about three times as fast in float64 as a filter that walks along lines
(scipy.ndimage); single precision would be wrong in the fifth digit of SSIM on flat bright areas.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

WINDOW = 11
"""Side of the Gaussian window in pixels."""

SIGMA = 1.5
"""Its standard deviation in pixels."""

# Products of 32x42 with 42x128 doubles stay below the size from which OpenBLAS starts threads of its own,
# which would fight with the threads of the folder job.
_BLOCK = 32
_GROUP = 4 * _BLOCK

Doubles = NDArray[np.float64]


def _banded(outputs: int) -> Doubles:
    """(outputs, outputs + 10) matrix whose rows hold the normalised window, each one step further right."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    matrix = np.zeros((outputs, outputs + WINDOW - 1))
    for row in range(outputs):
        matrix[row, row : row + WINDOW] = weights
    return matrix


_BAND = _banded(_BLOCK)
_BAND_TRANSPOSED = np.ascontiguousarray(_BAND.T)


def local_moments(
    first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> Iterator[tuple[Doubles, Doubles, Doubles, Doubles]]:
    """Filter the sum s and the difference d of two channels, and their squares, strip by strip.

    Args:
        first: (H, W) uint8, both sides at least 11.
        second: The same shape.

    Yields:
        The local means of s, d, s^2 and d^2 over the valid area, each (rows, W - 10) float64, from top to
        bottom; the arrays belong to the caller and may be overwritten.
    """
    height, width = first.shape
    valid = width - WINDOW + 1
    tiles = -(-valid // _BLOCK)
    for top in range(0, height - WINDOW + 1, _BLOCK):
        rows = slice(top, min(top + _BLOCK + WINDOW - 1, height))
        planes = _planes(first[rows], second[rows], (tiles + 1) * _BLOCK)
        means = _along_rows(_along_columns(planes), tiles)[:, :, :valid]
        yield means[:, 0], means[:, 1], means[:, 2], means[:, 3]


def _planes(first: NDArray[np.uint8], second: NDArray[np.uint8], padded: int) -> Doubles:
    """(rows, 4, padded): s, d, s^2 and d^2 side by side, with zeros to the right of the picture."""
    rows, width = first.shape
    planes = np.zeros((rows, 4, padded))
    np.add(first, second, out=planes[:, 0, :width], dtype=np.float64)
    np.subtract(first, second, out=planes[:, 1, :width], dtype=np.float64)
    np.square(planes[:, :2], out=planes[:, 2:])
    return planes


def _along_columns(planes: Doubles) -> Doubles:
    """(rows, 4, padded) to (rows - 10, 4, padded)."""
    rows, count, padded = planes.shape
    outputs = rows - WINDOW + 1
    filtered = np.empty((outputs, count, padded))
    np.matmul(
        _BAND[:outputs, :rows],
        planes.reshape(rows, -1, _GROUP).transpose(1, 0, 2),
        out=filtered.reshape(outputs, -1, _GROUP).transpose(1, 0, 2),
    )
    return filtered


def _along_rows(planes: Doubles, tiles: int) -> Doubles:
    """(rows, 4, padded) to (rows, 4, tiles * 32)."""
    rows, count, padded = planes.shape
    lines = planes.reshape(rows * count, padded)
    step = lines.itemsize
    overlapping = as_strided(
        lines,
        shape=(tiles, rows * count, _BLOCK + WINDOW - 1),
        strides=(_BLOCK * step, padded * step, step),
        writeable=False,
    )
    filtered = np.empty((rows * count, tiles * _BLOCK))
    np.matmul(overlapping, _BAND_TRANSPOSED, out=filtered.reshape(-1, tiles, _BLOCK).transpose(1, 0, 2))
    return filtered.reshape(rows, count, tiles * _BLOCK)
