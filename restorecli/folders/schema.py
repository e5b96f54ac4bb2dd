"""What a line of a manifest must hold: every key is checked when it is read, before anybody relies on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Final

from restorecli.errors import DataError

REQUIRED: Final = ("path", "command", "category", "reference", "source", "version")
"""The keys that every line has."""

COMMANDS: Final = ("degrade", "restore")
"""Commands that write lines of a manifest."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a key holds, in words, and the test of it."""

    expected: str
    holds: Callable[[Any], bool]


def check_line(values: Mapping[str, Any]) -> None:
    """Check the keys and values of one line.

    Args:
        values: The JSON object of the line.

    Raises:
        DataError: A key is unknown or missing, or its value is not what `restorecli` writes there.
    """
    unknown = sorted(set(values) - set(_RULES))
    missing = [name for name in REQUIRED if name not in values]
    if unknown or missing:
        raise DataError(
            "A manifest line has other keys than this version knows.",
            expected=f"{', '.join(REQUIRED)} and optional keys",
            got=f"unknown: {_short(', '.join(unknown)) or 'none'}; missing: {', '.join(missing) or 'none'}",
        )
    for name, value in values.items():
        rule = _RULES[name]
        if not rule.holds(value):
            raise DataError(
                f"The manifest key {name!r} holds something else than it should.",
                expected=rule.expected,
                got=_short(repr(value)),
            )


def _short(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:80]


def _is_text(value: object) -> bool:
    """Tell whether a value is text that can be printed and written; half of a surrogate pair cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _is_place(value: object) -> bool:
    return isinstance(value, str) and _is_text(value) and "\0" not in value


def _is_below(value: object) -> bool:
    if not isinstance(value, str) or not _is_place(value):
        return False
    path = PurePosixPath(value)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_plain(value: object) -> bool:
    """Tell whether a value, and all that it holds, is text, a finite number, true, false or null."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part
        elif not _is_scalar(part):
            return False
    return True


def _is_scalar(value: object) -> bool:
    if isinstance(value, int | float):
        return abs(value) <= sys.float_info.max  # False for infinities, for NaN, and for longer whole numbers
    return value is None or _is_text(value)


def _is_object(value: object) -> bool:
    """Tell whether a value is an object of plain values whose name, if it has one, is text."""
    return isinstance(value, dict) and isinstance(value.get("name", ""), str) and _is_plain(value)


def _are_steps(value: object) -> bool:
    return isinstance(value, list) and all(_is_object(step) and "name" in step for step in value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(text) for text in value)


def _or_null(rule: _Rule) -> _Rule:
    return _Rule(f"{rule.expected}, or null", lambda value: value is None or rule.holds(value))


_TEXT = _Rule("text", _is_text)
_PLACE = _Rule("where an image is: a path, or sample:CATEGORY/NAME", _is_place)
_STEPS = _Rule("a list of objects, each with a name and finite values", _are_steps)
_OBJECT = _Rule("an object of finite values, whose name is text", _is_object)

_RULES: Final[Mapping[str, _Rule]] = MappingProxyType(
    {
        "path": _Rule("the path of an image inside the manifest's folder", _is_below),
        "command": _Rule(" or ".join(COMMANDS), lambda value: value in COMMANDS),
        "category": _TEXT,
        "reference": _or_null(_PLACE),
        "source": _PLACE,
        "version": _TEXT,
        "defect": _or_null(_TEXT),
        "seed": _or_null(_Rule("a whole number", _is_integer)),
        "key": _or_null(_TEXT),
        "source_digest": _or_null(_TEXT),
        "source_version": _or_null(_TEXT),
        "degradations": _STEPS,
        "earlier": _STEPS,
        "unclipped": _Rule("true or false", lambda value: isinstance(value, bool)),
        "degraded": _or_null(_PLACE),
        "restorer": _or_null(_OBJECT),
        "notes": _Rule("a list of texts", _are_texts),
        "reading": _OBJECT,
        "reference_reading": _OBJECT,
    }
)
