"""Numbers with their nouns, as messages print them."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 image", "2 images", "1,200 images".

    Args:
        number: How many.
        noun: In the singular; its plural takes an s at the end.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def some_of(names: Sequence[str], between: str = ", ", shown: int = 3) -> str:
    """Return the first names and how many more there are: "a.png, b.png, c.png and 2 more".

    Args:
        names: At least one.
        between: What stands between two of them.
        shown: How many are named; one more than that is named, too, since "1 more" is no shorter.
    """
    if len(names) <= shown + 1:
        return between.join(names)
    return f"{between.join(names[:shown])} and {len(names) - shown:,} more"
