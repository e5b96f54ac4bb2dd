"""Laplace's equation in holes: every lost pixel is the mean of its neighbors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from restorecli.images.image import Pixels
from restorecli.restoration.methods.classical.holes import Mask, nearest_known

Doubles = NDArray[np.float64]

_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))
_PRECISION = 1e-7
_HALVINGS = 4096
"""Below this many lost pixels the equations are solved without a coarser image to start from."""


def _equations(mask: Mask, pixels: Doubles) -> tuple[sparse.csr_array, Doubles]:
    """Return A and b of A x = b for the lost pixels x in the order of `np.flatnonzero(mask)`.

    Row: (number of neighbors in the image) x - sum of lost neighbors = sum of known neighbors. Beyond
    the border of the image is nothing: it has no slope there.
    """
    height, width = mask.shape
    count = int(np.count_nonzero(mask))
    number = np.full(mask.shape, -1, np.int64)
    number[mask] = np.arange(count)
    rows, columns = np.nonzero(mask)
    diagonal, right = np.zeros(count), np.zeros((len(pixels), count))
    places: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for down, across in _STEPS:
        y, x = rows + down, columns + across
        inside = np.flatnonzero((y >= 0) & (y < height) & (x >= 0) & (x < width))
        other = number[y[inside], x[inside]]
        diagonal[inside] += 1
        lost = other >= 0
        places.append((inside[lost], other[lost]))
        known = inside[~lost]
        right[:, known] += pixels[:, y[known], x[known]]
    off = np.concatenate([place[0] for place in places]), np.concatenate([place[1] for place in places])
    index = np.concatenate([off[0], np.arange(count)]), np.concatenate([off[1], np.arange(count)])
    values = np.concatenate([np.full(off[0].size, -1.0), diagonal])
    return sparse.csr_array((values, index), shape=(count, count)), right


def _halved(pixels: Doubles, mask: Mask) -> tuple[Doubles, Mask]:
    """Return the image at half its size: each pixel the mean of the known ones among four."""
    pad = [(0, side % 2) for side in mask.shape]
    known = np.pad(~mask, pad, mode="edge").astype(np.float64)
    shape = (known.shape[0] // 2, 2, known.shape[1] // 2, 2)
    mass = known.reshape(shape).sum(axis=(1, 3))
    values = np.pad(np.where(mask, 0, pixels), [(0, 0), *pad], mode="edge") * known
    total = values.reshape(len(pixels), *shape).sum(axis=(2, 4))
    return total / np.maximum(mass, 1), mass == 0


def _start(pixels: Doubles, mask: Mask) -> Doubles:
    """Return a first guess: the solution at half the size, or the nearest known pixels in small holes."""
    small, lost = _halved(pixels, mask)
    if np.count_nonzero(mask) < _HALVINGS or not lost.any():
        return nearest_known(pixels.astype(np.float32), mask).astype(np.float64)
    solved = harmonic(small, lost)
    grown: Doubles = solved.repeat(2, axis=1).repeat(2, axis=2)[:, : mask.shape[0], : mask.shape[1]]
    return grown


def harmonic(pixels: NDArray[np.floating], mask: Mask) -> Doubles:
    """Solve Laplace's equation in the holes, by conjugate gradients from a coarse solution to the fine one.

    Args:
        pixels: (C, H, W).
        mask: (H, W), True where a pixel is lost; not all of them.

    Returns:
        (C, H, W) float64; equations hold to 1e-7 of what the border of the holes brings in.
    """
    exact = pixels.astype(np.float64)
    matrix, right = _equations(mask, exact)
    guess = _start(exact, mask)
    result = exact.copy()
    for plane, first, side in zip(result, guess, right, strict=True):
        solved, _ = linalg.cg(matrix, side, x0=first[mask], rtol=_PRECISION, maxiter=20 * sum(mask.shape))
        plane[mask] = solved
    return result


def harmonic_pixels(pixels: Pixels, mask: Mask) -> Pixels:
    """Return `harmonic` as float32."""
    return harmonic(pixels, mask).astype(np.float32)
