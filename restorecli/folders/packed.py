"""Long sequences of small objects in little memory."""

from __future__ import annotations

import pickle
import tempfile
import threading
import weakref
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Generic, TypeVar, overload

Member = TypeVar("Member")

_BLOCK = 64  # objects that are compressed together: their texts are alike
_BLOCKS_IN_MEMORY = 4


class _Blocks(Sequence[bytes]):
    """Blocks of bytes: the first in memory, those after them in a temporary file that nobody else sees."""

    def __init__(self, blocks: Iterable[bytes] = ()) -> None:
        self._kept: list[bytes] = []
        self._ends = array("Q", [0])
        self._file: IO[bytes] | None = None
        self._turn = threading.Lock()
        for block in blocks:
            self.append(block)

    def append(self, block: bytes) -> None:
        if len(self._kept) < _BLOCKS_IN_MEMORY:
            self._kept.append(block)
            return
        with self._turn:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the sequence)
                weakref.finalize(self, self._file.close)
            self._file.seek(self._ends[-1])
            self._file.write(block)
            self._ends.append(self._ends[-1] + len(block))

    def __len__(self) -> int:
        return len(self._kept) + len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        spilled = place - len(self._kept)
        if spilled < 0 or self._file is None:
            return self._kept[place]
        if spilled >= len(self._ends) - 1:
            raise IndexError(place)
        with self._turn:
            start, end = self._ends[spilled], self._ends[spilled + 1]
            self._file.seek(start)
            return self._file.read(end - start)

    def __reduce__(self) -> tuple[type[_Blocks], tuple[list[bytes]]]:
        return _Blocks, (list(self),)


class Packed(Sequence[Member], Generic[Member]):
    """A sequence that keeps its members pickled and compressed, and gives out copies of them.

    A pair of images with its manifest's line takes about 100 bytes, as objects 1 to 2 kB; beyond 256 members
    they lie in a temporary file. Going through them in their order is fast; one at a random place costs the
    reading of 64.

    Args:
        members: What it holds at first, taken one by one.
    """

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self._blocks = _Blocks()
        self._last: list[Member] = []
        self._opened: tuple[int, list[Member]] = (-1, [])
        for member in members:
            self.append(member)

    def append(self, member: Member) -> None:
        """Add a member at the end."""
        self._last.append(member)
        if len(self._last) == _BLOCK:
            self._blocks.append(zlib.compress(pickle.dumps(self._last, pickle.HIGHEST_PROTOCOL), 1))
            self._last = []

    def __len__(self) -> int:
        return len(self._blocks) * _BLOCK + len(self._last)

    @overload
    def __getitem__(self, place: int) -> Member: ...

    @overload
    def __getitem__(self, place: slice) -> list[Member]: ...

    def __getitem__(self, place: int | slice) -> Member | list[Member]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        block, number = divmod(place % len(self), _BLOCK)
        return self._block(block)[number]

    def __iter__(self) -> Iterator[Member]:
        for number in range(len(self._blocks) + 1):
            yield from self._block(number)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packed | tuple):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it can be appended to

    def _block(self, number: int) -> list[Member]:
        if number == len(self._blocks):
            return self._last
        opened = self._opened
        if opened[0] != number:
            members: list[Member] = pickle.loads(zlib.decompress(self._blocks[number]))  # noqa: S301 (our own)
            self._opened = opened = (number, members)
        return opened[1]
