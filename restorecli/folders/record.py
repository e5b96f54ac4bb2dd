"""One line of a manifest: where an image came from and what was done to it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from restorecli.errors import DataError, UsageError
from restorecli.folders.schema import REQUIRED, check_line
from restorecli.images.options import STRICT, ReadOptions

Command = Literal["degrade", "restore"]


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a manifest.

    Locators name an image: a path relative to the manifest's folder where that is possible, so that the tree
    can be moved, else an absolute path, or `sample:CATEGORY/NAME`.

    Attributes:
        path: The image, relative to the manifest's folder, with forward slashes.
        command: "degrade" or "restore".
        category: Its category.
        reference: Locator of the clean original, if known.
        source: Locator of the image this one was made from.
        version: Version of restorecli that made it.
        defect: Kind of defect in an MVTec-style tree.
        seed: The run's seed.
        key: What the image's own random generator was derived from, beside the seed.
        source_digest: What tells the source that was read from another of its name, see `images.digest`.
        source_version: The same of a source in a remote store, which is not fetched to see it.
        degradations: What was done, in order, each with its name and drawn values.
        earlier: What had been done to the source before, by an earlier run of `degrade`; it is not replayed.
        unclipped: Whether values outside [0, 1] were kept.
        degraded: Locator of the degraded image that was restored.
        restorer: What restored it: model, weights, tile ...
        notes: What a reader should know.
        reading: How the source was read.
        reference_reading: How the reference must be read to be compared with this image.
    """

    path: str
    command: Command
    category: str
    reference: str | None
    source: str
    version: str
    defect: str | None = None
    seed: int | None = None
    key: str | None = None
    source_digest: str | None = None
    source_version: str | None = None
    degradations: tuple[Mapping[str, Any], ...] = ()
    earlier: tuple[Mapping[str, Any], ...] = ()
    unclipped: bool = False
    degraded: str | None = None
    restorer: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    reading: ReadOptions = STRICT
    reference_reading: ReadOptions = STRICT

    @property
    def history(self) -> tuple[Mapping[str, Any], ...]:
        """Everything that was done to the reference, in order, by any number of runs."""
        return (*self.earlier, *self.degradations)

    def to_json(self) -> str:
        """Return the record as one line of ASCII JSON; fields that hold their default are left out."""
        values = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name in REQUIRED or getattr(self, field.name) != field.default
        }
        return json.dumps(values, allow_nan=False, default=_plain)

    @classmethod
    def from_json(cls, line: str | bytes) -> Record:
        """Return the record of one line.

        Raises:
            DataError: The line is no JSON object, or a key is unknown, missing or of the wrong type.
        """
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as fault:
            raise DataError("A manifest line is no JSON.", got=str(fault)) from fault
        if not isinstance(values, dict):
            raise DataError("A manifest line is no JSON object.", got=type(values).__name__)
        check_line(values)
        for name in ("degradations", "earlier"):
            if name in values:
                values[name] = tuple(_shared(step) for step in values[name])
        values = _shared(values)
        if "notes" in values:
            values["notes"] = tuple(values["notes"])
        for name in ("reading", "reference_reading"):
            if name in values:
                values[name] = _read_options(name, values[name])
        return cls(**values)


_SHARED = frozenset({"command", "category", "version", "defect", "name"})
"""Keys whose texts are the same in many lines of a manifest."""


def _shared(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with texts that recur kept once for all lines: each line is read for itself."""
    seen: dict[str, str] = {}
    shared = {}
    for key, value in values.items():
        if isinstance(value, str):
            value = sys.intern(value) if key in _SHARED else seen.setdefault(value, value)
        shared[sys.intern(key)] = value
    return shared


def _read_options(name: str, values: dict[str, Any]) -> ReadOptions:
    if all(type(value) is type(getattr(STRICT, key, STRICT)) for key, value in values.items()):
        with contextlib.suppress(UsageError):
            return ReadOptions(**values)
    raise DataError(
        f"The manifest key {name!r} holds no reading options.",
        expected=f"some of {', '.join(field.name for field in fields(STRICT))}",
        got=repr(values)[:80],
    )


def _plain(value: object) -> object:
    """Return a NumPy number or array, a mapping or reading options as Python values."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, ReadOptions):
        return value.to_dict()
    raise TypeError(f"a manifest cannot hold {value!r}")
