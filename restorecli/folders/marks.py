"""Where texts come in a long sequence, in 12 bytes for each."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


class Marks:
    """The numbers of texts in a sequence, each text kept as 64 bits of its digest.

    Two texts might share their 64 bits, so whoever asks compares the texts themselves.

    Args:
        texts: Taken one by one.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        marks = array("Q", map(_mark, texts))
        found: NDArray[np.uint64] = np.frombuffer(marks, np.uint64) if marks else np.empty(0, np.uint64)
        self._order = np.argsort(found, kind="stable").astype(np.uint32)
        self._marks = found[self._order]

    def places(self, text: str) -> list[int]:
        """Return the numbers of the texts that have the mark of this one, in their order."""
        mark = np.uint64(_mark(text))
        low, high = (int(np.searchsorted(self._marks, mark, side)) for side in ("left", "right"))
        return [int(number) for number in self._order[low:high]]

    def last(self) -> NDArray[np.uint32]:
        """Return the number of the last text of each mark, in their order."""
        if not len(self._marks):
            return self._order
        ends = np.append(self._marks[1:] != self._marks[:-1], True)
        return np.sort(self._order[ends])

    def repeated(self) -> Iterator[list[int]]:
        """Yield the numbers of the texts that share a mark, in their order, for each mark of several."""
        starts = np.flatnonzero(np.append(True, self._marks[1:] != self._marks[:-1]))
        counts = np.diff(np.append(starts, len(self._marks)))
        for start, count in zip(starts[counts > 1], counts[counts > 1], strict=True):
            yield [int(number) for number in self._order[start : start + count]]


def _mark(text: str) -> int:
    name = text.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
