"""Catalogs of parts by name: networks, losses, strategies, degradations, methods, metrics.

An entry names its class by a dotted place, `package.module:Name`, and loads it only when it is used: listing
and completing names imports none of the parts.
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

from restorecli.errors import UsageError
from restorecli.plugins import check_allowed, installed, is_place, load


class Named(Protocol):
    """Anything that a catalog can hold."""

    @property
    def name(self) -> str:
        """The name in recipes and on the command line."""


T = TypeVar("T")
Result = TypeVar("Result")
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
        part: T = load(self.place)
        return part

    def arguments(self) -> tuple[str, ...]:
        """Return the names of what the class is called with."""
        return tuple(inspect.signature(cast("Callable[..., object]", self.load())).parameters)

    def written_arguments(self) -> Mapping[str, str] | None:
        """Return the types of the arguments by name, as its file writes them, without importing it.

        Returns:
            Names as of `arguments`, each with the text of its type, "object" where none is written; None
            where the class is not ours or has no `__init__` of its own.
        """
        arguments = self._written()
        if arguments is None:
            return None
        return {
            one.arg: "object" if one.annotation is None else ast.unparse(one.annotation)
            for one in _all_of(arguments)
        }

    def written_defaults(self) -> Mapping[str, object]:
        """Return the defaults of the arguments by name that its file writes as plain values.

        Returns:
            None of those that are names or computed, and none where the class is not ours.
        """
        arguments = self._written()
        if arguments is None:
            return {}
        plain = [*arguments.posonlyargs, *arguments.args]
        pairs = [
            *zip(reversed(plain), reversed(arguments.defaults), strict=False),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        return {
            one.arg: ast.literal_eval(default)
            for one, default in pairs
            if default is not None and not any(isinstance(part, ast.Name) for part in ast.walk(default))
        }

    def call(self, function: Callable[..., Result] | None, arguments: Mapping[str, object]) -> Result | None:
        """Call a function of some arguments of the class with those given and else its written defaults.

        Args:
            function: It raises what the class would raise, or returns what follows from the arguments; None
                does nothing.
            arguments: By name; those that it does not ask for are left out.
        """
        if function is None:
            return None
        known = {**self.written_defaults(), **arguments}
        return function(
            **{name: known[name] for name in inspect.signature(function).parameters if name in known}
        )

    def _written(self) -> ast.arguments | None:
        """Return what the file of a class of ours says that it is called with; it is not imported."""
        module, _, name = self.place.partition(":")
        spec = importlib.util.find_spec(module) if module.startswith("restorecli.") else None
        if spec is None or spec.origin is None:
            return None
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        classes = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
        methods = (node for found in classes for node in found.body if isinstance(node, ast.FunctionDef))
        return next((method.args for method in methods if method.name == "__init__"), None)


def _all_of(arguments: ast.arguments) -> Sequence[ast.arg]:
    """Return all arguments but the instance."""
    return (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)[1:]


@dataclass(frozen=True)
class OwnParts(Generic[NamedT]):
    """How parts that are not ours come into a catalog.

    Attributes:
        group: The group of entry points in which installed packages register theirs.
        base: The place of the class that they are instances or subclasses of.
        entry: Makes an entry of a name and a place.
    """

    group: str
    base: str
    entry: Callable[[str, str], NamedT]

    def fits(self, place: str) -> bool:
        """Tell whether what is at a place, which is imported for it, is of the right kind."""
        part, base = load(place), load(self.base)
        return issubclass(part, base) if isinstance(part, type) else isinstance(part, base)


class Catalog(Mapping[str, NamedT]):
    """Entries by name, in the order in which they are listed.

    Args:
        kind: What an entry is, in one word for messages: "model".
        entries: All entries.
        aliases: Further names, each with the name that it stands for.
        hint: A command that lists the names; shown where no name is near.
        own: How parts that are not ours come into it; None where none do.

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
        own: OwnParts[NamedT] | None = None,
    ) -> None:
        self.kind = kind
        self._own = own
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
                got=f"{self._entries.get(entry.name, self.aliases.get(entry.name))} and {entry}",
            )
        self._entries[entry.name] = entry

    def __getitem__(self, name: str) -> NamedT:
        if name in self._entries:
            return self._entries[name]
        if self._own is not None and is_place(name):
            check_allowed(name)
            if self._own.fits(name):
                return self._own.entry(name, name)
        return self._installed[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._entries, *self._installed))

    def __len__(self) -> int:
        return len(self._entries) + len(self._installed)

    @cached_property
    def _installed(self) -> Mapping[str, NamedT]:
        """What installed packages register; nothing of it is imported, and nothing of ours is replaced."""
        if self._own is None:
            return {}
        found: dict[str, NamedT] = {}
        for name, place, package in installed(self._own.group):
            if name in self._entries or name in self.aliases or name in found:
                raise UsageError(
                    f"The {self.kind} {name!r} exists twice.",
                    expected="a name that no other entry and no alias has",
                    got=f"{place} of the package {package}",
                    hint=f"uninstall {package}, or set RESTORECLI_PLUGINS=0",
                )
            found[name] = self._own.entry(name, place)
        return found

    def resolve(self, name: str) -> str | None:
        """Return the listed name that `name`, an alias or a name in any case, means, or None.

        Raises:
            UsageError: It is the place of a part that is not ours, and is not allowed or cannot be imported.
        """
        if name in self._entries:
            return name
        known = {_plain(alias): meant for alias, meant in self.aliases.items()}
        known.update((_plain(listed), listed) for listed in self._entries)
        if _plain(name) in known:
            return known[_plain(name)]
        if self._own is not None and is_place(name):
            return name if name in self else None
        return {_plain(listed): listed for listed in self._installed}.get(_plain(name))

    def find(self, name: str) -> NamedT:
        """Return the entry called `name`, or an alias of it, in any case.

        Raises:
            UsageError: There is none; the nearest name is offered.
        """
        resolved = self.resolve(name)
        if resolved is None and self._own is not None and is_place(name):
            raise UsageError(f"{name} is no {self.kind}.", expected=f"a {self._own.base}", got=name)
        if resolved is None:
            raise UsageError(
                f"There is no {self.kind} {name!r}.",
                expected=", ".join(self),
                got=name,
                hint=did_you_mean(name, (*self, *self.aliases)) or self._hint,
            )
        return self[resolved]


def check_own_name(name: str, place: str) -> None:
    """Check that a part that is not ours calls itself as it is found again: a manifest keeps its name.

    Args:
        name: What the class calls itself.
        place: How it was asked for.

    Raises:
        UsageError: The two differ.
    """
    if is_place(place) and name != place:
        raise UsageError(
            f"{place} calls itself {name!r}, by which it would not be found again.",
            expected="a class without a `name`, or one that is registered as an entry point of that name",
            got=f"name = {name!r}",
        )


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
                got=name,
                hint=f"did you mean {prefix + near!r}?" if near else None,
            )


def _plain(name: str) -> str:
    return name.casefold().replace("_", "-").replace(" ", "-")
