"""Single values of a recipe, set from outside by dotted keys: `--set optimizer.lr=2e-3`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from restorecli.errors import RecipeError, UsageError
from restorecli.yaml12 import read_value

_EXPECTED = "KEY=VALUE, the key dotted as it stands in the recipe and the value as YAML"
_HINT = "--set optimizer.lr=2e-3, or --set data.degrade.0.sigma=5..30 for the first of a list"


def read_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Return the values of `--set KEY=VALUE` by their dotted keys.

    Raises:
        UsageError: One is something else, its value is not YAML, or a key is set twice.
    """
    overrides: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        key = key.strip()
        if not (equals and key):
            raise UsageError("--set is not understood.", expected=_EXPECTED, got=word, hint=_HINT)
        if key in overrides:
            raise UsageError(f"{key} is set twice.", got=word)
        try:
            overrides[key] = read_value(text)
        except RecipeError as error:
            raise UsageError("--set is not understood.", expected=_EXPECTED, got=word, hint=_HINT) from error
    return overrides


def words_of(overrides: Mapping[str, object]) -> Iterator[str]:
    """Return KEY=VALUE for each value, which `read_overrides` reads as the same."""
    for key, value in overrides.items():
        yield f"{key}={value if isinstance(value, str) and _is_plain(value) else json.dumps(value)}"


def _is_plain(text: str) -> bool:
    """Tell whether a text means itself without quotes."""
    try:
        return bool(read_value(text) == text)
    except RecipeError:
        return False


def overridden(content: Mapping[str, Any], overrides: Mapping[str, object]) -> dict[str, Any]:
    """Return a recipe's content with other values; sections that it lacks are made.

    Args:
        content: The recipe; it stays as it is.
        overrides: Values by dotted keys, numbers for the entries of a list: "data.degrade.0.sigma".

    Raises:
        UsageError: A list has no such entry.

    Example:
        >>> overridden({"name": "a", "optimizer": {"lr": 0.1}}, {"optimizer.lr": 0.2, "ema": 0.9})
        {'name': 'a', 'optimizer': {'lr': 0.2}, 'ema': 0.9}
    """
    result: Any = dict(content)
    for key, value in overrides.items():
        result = _replaced(result, key.split("."), value, key)
    return dict(result)


def _replaced(part: object, keys: Sequence[str], value: object, whole: str) -> object:
    """Return a part of a recipe with another value at a path of keys; `whole` is the path from the top."""
    if not keys:
        return value
    first, *rest = keys
    if isinstance(part, list):
        if not (first.isdecimal() and int(first) < len(part)):
            raise UsageError(
                "The recipe's list has no such entry.",
                expected=" or ".join(str(number) for number in range(len(part)))
                or "a list that is not empty",
                got=f"{first} in {whole}",
            )
        return [
            _replaced(entry, rest, value, whole) if number == int(first) else entry
            for number, entry in enumerate(part)
        ]
    table = part if isinstance(part, Mapping) else {}
    return {**table, first: _replaced(table.get(first), rest, value, whole)}
