"""Whether a recipe's value is of the type that a network's file writes for it, without importing the file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

_NAMES = {"Literal": Literal, "Sequence": Sequence}
"""What the types of arguments are written with, besides what is built in."""


def type_fault(written: str, value: object) -> str | None:
    """Return what is wrong with the type of a value, or None.

    Args:
        written: The type as the file writes it; names of the file's own cannot be told, and fit everything.
        value: As the recipe has it: nothing is converted, but a whole number is a number, too.

    Example:
        >>> type_fault("int | None", "many")
        "a valid integer, got 'many'"
        >>> type_fault("float", 2) is None
        True
    """
    adapter = _adapter(written)
    if adapter is None:
        return None
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        within = f" ({first['input']!r})" if first["input"] != value else ""
        return f"{first['msg'].removeprefix('Input should be ')}, got {value!r}{within}"
    return None


@cache
def _adapter(written: str) -> TypeAdapter[Any] | None:
    """Return what checks a type, or None where it cannot be told."""

    def holder() -> None: ...

    holder.__annotations__ = {"value": written}
    try:
        hint = get_type_hints(holder, globalns=dict(_NAMES))["value"]
    except (NameError, SyntaxError):
        return None
    return TypeAdapter(hint, config=ConfigDict(strict=True))
