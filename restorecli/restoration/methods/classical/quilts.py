"""Image quilting into holes: blocks of texture that fit what is there, joined along least visible cuts."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from restorecli.images.image import Pixels
from restorecli.restoration.methods.classical.holes import Mask
from restorecli.restoration.methods.classical.sources import largest_window, whole_windows

Doubles = NDArray[np.float64]

_EXACT = 1e-9
"""Squared difference of a block below which it counts as the same: what Fourier transforms round."""


def least_cut(errors: Doubles) -> NDArray[np.int64]:
    """Return for each row the column of the connected path from top to bottom of the least sum.

    Args:
        errors: (rows, columns), at least 0. Neighboring rows' columns differ by at most 1.
    """
    total = errors.copy()
    for row in range(1, len(total)):
        above = np.pad(total[row - 1], 1, constant_values=np.inf)
        total[row] += np.minimum(np.minimum(above[:-2], above[1:-1]), above[2:])
    path = np.empty(len(total), np.int64)
    path[-1] = np.argmin(total[-1])
    for row in range(len(total) - 2, -1, -1):
        first = max(path[row + 1] - 1, 0)
        path[row] = first + np.argmin(total[row, first : path[row + 1] + 2])
    return path


def new_side(errors: Doubles, overlap: int) -> Mask:
    """Return which pixels of a block lie beyond the least cut through its first `overlap` columns.

    Args:
        errors: (h, w) squared differences of the block from what was there.
        overlap: At least 1.
    """
    path = least_cut(errors[:, :overlap])
    side: Mask = np.arange(errors.shape[1]) >= path[:, None]
    return side


class Quilt:
    """An image whose holes are filled with blocks of its own, row by row.

    Args:
        pixels: (C, H, W).
        mask: (H, W), True where a pixel is lost; not all of them.
        block: Side of the blocks; less where no whole one exists.
        tolerance: Of the blocks that fit up to this share worse than the best one is drawn.
        reach: How far blocks are looked for, in pixels; twice as far, and again, where there is none.
        seed: Of the draws.
    """

    def __init__(
        self, pixels: Pixels, mask: Mask, *, block: int, tolerance: float, reach: int, seed: int
    ) -> None:
        self.mask = mask
        self.known = np.where(mask, 0, pixels).astype(np.float64)
        self.image = self.known.copy()
        self.filled = ~mask
        self.size = largest_window(mask, block, 1)
        self.overlaps = tuple(min(max(round(side / 6), 1), side - 1) for side in self.size)
        self.sources = whole_windows(mask, *self.size)
        self.tolerance = tolerance
        self.reach = reach
        self.rng = np.random.default_rng(seed)

    def fill(self) -> Doubles:
        """Fill all holes and return the image."""
        for top, left in itertools.product(*(self._starts(axis) for axis in (0, 1))):
            place = (slice(top, top + self.size[0]), slice(left, left + self.size[1]))
            if not self.filled[place].all():
                self._lay(place, self._choose(top, left, place))
        return self.image

    def _starts(self, axis: int) -> list[int]:
        """Return where blocks begin so that they cover the holes, with their overlaps, along an axis."""
        lost = np.flatnonzero(self.mask.any(axis=1 - axis))
        side, overlap = self.size[axis], self.overlaps[axis]
        last = self.mask.shape[axis] - side
        first = max(int(lost[0]) - overlap, 0)
        starts = range(first, int(lost[-1]) + 1, max(side - overlap, 1))
        return sorted({min(start, last) for start in starts})

    def _choose(self, top: int, left: int, place: tuple[slice, slice]) -> Doubles:
        """Return a block that fits what is there."""
        reach, allowed = self.reach, self.sources[:0]
        while not allowed.any():
            rows = slice(max(top - reach, 0), top + reach + 1)
            columns = slice(max(left - reach, 0), left + reach + 1)
            allowed = self.sources[rows, columns]
            reach *= 2
        window = self.known[
            :,
            rows.start : rows.start + allowed.shape[0] + self.size[0] - 1,
            columns.start : columns.start + allowed.shape[1] + self.size[1] - 1,
        ]
        errors = np.where(allowed, self._errors(window, place), np.inf)
        good = np.argwhere(errors <= errors.min() * (1 + self.tolerance) + _EXACT)
        y, x = good[self.rng.integers(len(good))]
        return window[:, y : y + self.size[0], x : x + self.size[1]]

    def _errors(self, window: Doubles, place: tuple[slice, slice]) -> Doubles:
        """Return the squared difference from what is there, for each place of a block in the window."""
        weight = self.filled[place].astype(np.float64)
        target = self.image[:, *place] * weight
        squares = signal.correlate((window**2).sum(axis=0), weight, mode="valid", method="fft")
        for plane, wanted in zip(window, target, strict=True):
            squares -= 2 * signal.correlate(plane, wanted, mode="valid", method="fft")
        result: Doubles = np.maximum(squares + (target**2).sum(), 0)
        return result

    def _lay(self, place: tuple[slice, slice], block: Doubles) -> None:
        """Put a block down: where nothing is, and beyond the cuts through what was laid before."""
        before = self.filled[place] & self.mask[place]
        errors = ((block - self.image[:, *place]) ** 2).sum(axis=0) * self.filled[place]
        beyond = before.copy()
        if self.overlaps[1]:
            beyond &= new_side(errors, self.overlaps[1])
        if self.overlaps[0]:
            beyond &= new_side(errors.T, self.overlaps[0]).T
        fresh = ~self.filled[place] | beyond
        self.image[:, *place] = np.where(fresh, block, self.image[:, *place])
        self.filled[place] = True
