"""Rows of an image that come from top to bottom, handed out by ranges that overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Forward:
    """Rows handed out in order, while they come in bands.

    Args:
        bands: Arrays from top to bottom, any number of rows each.
        axis: Along which the rows of a band lie.
        behind: How many rows before a range are kept, in multiples of the largest range asked for.
    """

    def __init__(self, bands: Iterator[NDArray[Any]], axis: int = 1, behind: int = 0) -> None:
        self._bands = bands
        self._axis = axis
        self._behind = behind
        self._largest = 0
        self._held: list[NDArray[Any]] = []
        self._first = 0
        self._end = 0

    def holds(self, start: int) -> bool:
        """Tell whether a row can still be handed out."""
        return start >= self._first

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return the rows from `start` to before `stop`; those too far before `start` are forgotten."""
        self._largest = max(self._largest, stop - start)
        needed = start - self._behind * self._largest
        self._forget(needed)
        while self._end < stop:
            band = next(self._bands)
            self._held.append(band)
            self._end += band.shape[self._axis]
            self._forget(needed)
        return np.concatenate(list(self._parts(start, stop)), axis=self._axis)

    def _parts(self, start: int, stop: int) -> Iterator[NDArray[Any]]:
        first = self._first
        for band in self._held:
            end = first + band.shape[self._axis]
            if end > start and first < stop:
                inside = [slice(None)] * band.ndim
                inside[self._axis] = slice(max(start - first, 0), stop - first)
                yield band[tuple(inside)]
            first = end

    def _forget(self, needed: int) -> None:
        while self._held and self._first + self._held[0].shape[self._axis] <= needed:
            self._first += self._held.pop(0).shape[self._axis]
