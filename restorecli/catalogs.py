"""Catalogs of parts by name: networks, losses, strategies, degradations, methods, metrics.

An entry names its class by a dotted place, `package.module:Name`, and loads it only when it is used: listing
and completing names imports none of the parts.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

from restorecli.errors import UsageError


class Named(Protocol):
    """Anything that a catalog can hold."""

    @property
    def name(self) -> str:
        """The name in recipes and on the command line."""


T = TypeVar("T")
NamedT = TypeVar("NamedT", bound=Named)


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A class of a catalog, which is imported when it is first used.

    Attributes:
        name: The name in recipes and on the command line.
        place: Where the class is: "package.module:Name".
        summary: What it is, in one line.
    """

    name: str
    place: str
    summary: str = ""

    def load(self) -> T:
        """Return the class itself; its file is imported the first time."""
        module, _, name = self.place.partition(":")
        part: T = getattr(importlib.import_module(module), name)
        return part

    def arguments(self) -> tuple[str, ...]:
        """Return the names of what the class is called with."""
        return tuple(inspect.signature(cast("Callable[..., object]", self.load())).parameters)

    def written_arguments(self) -> tuple[str, ...] | None:
        """Return the names of the arguments as its file writes them, without importing it.

        Returns:
            As `arguments`; None where the class has no `__init__` of its own.
        """
        module, _, name = self.place.partition(":")
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            return None
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        classes = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
        methods = [node for found in classes for node in found.body if isinstance(node, ast.FunctionDef)]
        for method in methods:
            if method.name == "__init__":
                arguments = method.args
                names = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
                return tuple(argument.arg for argument in names)[1:]
        return None


class Catalog(Mapping[str, NamedT]):
    """Entries by name, in the order in which they are listed.

    Args:
        kind: What an entry is, in one word for messages: "model".
        entries: All entries.
        aliases: Further names, each with the name that it stands for.
        hint: A command that lists the names; shown where no name is near.

    Raises:
        UsageError: Two entries or aliases have the same name.
    """

    def __init__(
        self,
        kind: str,
        entries: Iterable[NamedT],
        *,
        aliases: Mapping[str, str] | None = None,
        hint: str | None = None,
    ) -> None:
        self.kind = kind
        self.aliases = dict(aliases or {})
        self._hint = hint
        self._entries: dict[str, NamedT] = {}
        for entry in entries:
            self._add(entry)

    def _add(self, entry: NamedT) -> None:
        if entry.name in self._entries or entry.name in self.aliases:
            raise UsageError(
                f"The {self.kind} {entry.name!r} exists twice.",
                expected="a name that no other entry and no alias has",
                came=f"{self._entries.get(entry.name, self.aliases.get(entry.name))} and {entry}",
            )
        self._entries[entry.name] = entry

    def __getitem__(self, name: str) -> NamedT:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def resolve(self, name: str) -> str | None:
        """Return the listed name that `name`, an alias or a name in any case, means, or None."""
        if name in self._entries:
            return name
        known = {_plain(alias): meant for alias, meant in self.aliases.items()}
        known.update((_plain(listed), listed) for listed in self._entries)
        return known.get(_plain(name))

    def find(self, name: str) -> NamedT:
        """Return the entry called `name`, or an alias of it, in any case.

        Raises:
            UsageError: There is none; the nearest name is offered.
        """
        resolved = self.resolve(name)
        if resolved is None:
            raise UsageError(
                f"There is no {self.kind} {name!r}.",
                expected=", ".join(self),
                came=name,
                hint=did_you_mean(name, (*self, *self.aliases)) or self._hint,
            )
        return self[resolved]


def closest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `name` was probably meant to be, or None where none is near.

    Examples:
        >>> closest("SCA_Unett", ["unet", "sca-unet"])
        'sca-unet'
    """
    by_plain = {_plain(known): known for known in names}
    near = difflib.get_close_matches(_plain(name), by_plain, n=1)
    return by_plain[near[0]] if near else None


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """Return "did you mean 'x'?" for the nearest of `names`, or None where none is near."""
    near = closest(name, names)
    return None if near is None else f"did you mean {near!r}?"


def check_arguments(
    owner: str, given: Iterable[str], known: Iterable[str], word: str = "argument", *, prefix: str = ""
) -> None:
    """Refuse names that `owner` does not take.

    Args:
        owner: What is called, as a message begins: "dncnn", "The loss edge".
        given: The names that were given.
        known: The names that are right.
        word: What the names are.
        prefix: What stands before a name where the user writes it: "gaussian.".

    Raises:
        UsageError: With the right names, and the nearest of them.
    """
    right = tuple(known)
    for name in given:
        if name not in right:
            near = closest(name, right)
            raise UsageError(
                f"{owner} has no {word} {name!r}.",
                expected=", ".join(right) or f"no {word}s",
                came=name,
                hint=f"did you mean {prefix + near!r}?" if near else None,
            )


def _plain(name: str) -> str:
    return name.casefold().replace("_", "-").replace(" ", "-")
