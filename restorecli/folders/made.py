"""Long sequences whose members are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

Member = TypeVar("Member")


class Made(Sequence[Member], Generic[Member]):
    """A sequence that keeps no member, but makes each anew, equal every time.

    Args:
        count: How many there are.
        make: Makes one, from its number.
    """

    def __init__(self, count: int, make: Callable[[int], Member]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Member: ...

    @overload
    def __getitem__(self, place: slice) -> list[Member]: ...

    def __getitem__(self, place: int | slice) -> Member | list[Member]:
        if isinstance(place, slice):
            return [self._make(number) for number in range(*place.indices(self._count))]
        if not -self._count <= place < self._count:
            raise IndexError(place)
        return self._make(place % self._count)
