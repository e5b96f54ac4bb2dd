"""Measurements of a long bench in a file, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restorecli.errors import DataError


class Kept:
    """Values by key in a file of JSON lines; every value is written as soon as it is there.

    Args:
        file: Where; made by the first value. None keeps nothing beyond this object.

    Raises:
        DataError: The file holds something else.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._values: dict[str, Mapping[str, Any]] = {}
        if file is not None and file.exists():
            self._values = dict(_read(file))

    def find(self, key: Mapping[str, object]) -> Mapping[str, Any] | None:
        """Return the value of a key, or None."""
        return self._values.get(_word(key))

    def add(self, key: Mapping[str, object], value: Mapping[str, Any]) -> None:
        """Keep a value, in the file too."""
        self._values[_word(key)] = value
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"key": key, "value": dict(value)}, sort_keys=True) + "\n")


def _word(key: Mapping[str, object]) -> str:
    return json.dumps(key, sort_keys=True)


def _read(file: Path) -> list[tuple[str, Mapping[str, Any]]]:
    lines = file.read_text("utf-8").split("\n")
    # What follows the last end of a line was being written when the run was stopped.
    whole, rest = lines[:-1], lines[-1]
    if rest:
        file.write_text("".join(f"{line}\n" for line in whole), "utf-8")
    try:
        rows = [json.loads(line) for line in whole]
        return [(_word(row["key"]), dict(row["value"])) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            "The file holds no measurements of a bench.",
            file=file,
            expected="the file that --keep wrote",
            got=str(error),
            hint="name another file, or delete this one",
        ) from error
