"""How many blocks stand on each level of a network, checked."""

from __future__ import annotations

from collections.abc import Sequence

MAX_LEVELS = 6
MAX_BLOCKS = 64


def check_depths(name: str, depths: Sequence[int], *, levels: int | None = None) -> tuple[int, ...]:
    """Return the numbers of blocks as a tuple.

    Args:
        name: Of the argument, for the message.
        depths: Blocks on each level.
        levels: How many levels there must be; None allows 1 to 6.

    Raises:
        ValueError: Another number of levels, or a number of blocks that is not a whole one from 1 to 64.
    """
    fits = 1 <= len(depths) <= MAX_LEVELS if levels is None else len(depths) == levels
    if not fits or any(type(depth) is not int or not 1 <= depth <= MAX_BLOCKS for depth in depths):
        wanted = f"1 to {MAX_LEVELS}" if levels is None else levels
        raise ValueError(f"{name} must be {wanted} whole numbers from 1 to {MAX_BLOCKS}, got {list(depths)}")
    return tuple(depths)
