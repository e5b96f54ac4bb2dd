"""Faults of a recipe, each with its place, and the one error that tells all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from restorecli.counting import counted
from restorecli.errors import RecipeError, RestorecliError
from restorecli.yaml12 import Keys, Place

Fault = tuple[Keys, str]
"""The path of keys to a value of the recipe, and what is wrong with it."""


def one_line(error: RestorecliError) -> str:
    """Return an error as one line: what is wrong, what was expected, what came, what to try."""
    details = error.details()
    parts = [error.problem.removesuffix(".")]
    if "expected" in details:
        parts.append(f"expected {details['expected']}")
    if "got" in details:
        parts.append(f"got {details['got']}")
    if "try" in details:
        parts.append(details["try"])
    return "; ".join(parts)


def report(path: Path | None, places: Mapping[Keys, Place], faults: list[Fault]) -> RecipeError:
    """Return the error that lists faults by their line and column in the file; without one, by their key."""
    lines = []
    for at, text in faults:
        known = at
        while known and known not in places:
            known = known[:-1]
        line, column = places.get(known, (1, 1))
        dotted = ".".join(str(part) for part in at) or "recipe"
        where = "" if path is None else f"{path}:{line}:{column}  "
        lines.append((line, column, f"{where}{dotted}: {text}"))
    ordered = list(dict.fromkeys(text for _, _, text in sorted(lines)))
    count = counted(len(ordered), "fault")
    return RecipeError(
        f"This recipe has {count}; nothing was started.\n" + "\n".join(f"  {text}" for text in ordered),
        file=path,
    )
