"""Numbers with their nouns, as messages print them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 image", "2 images", "1,200 images".

    Args:
        number: How many.
        noun: In the singular; its plural takes an s at the end.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
