"""Parts that are not ours: named by their place, or registered by installed packages.

`package.module:Name` runs that module's code. A recipe of a stranger may hold such a name, so it counts only
where the user has said so, by `--plugins` or by RESTORECLI_PLUGINS=1. What an installed package registers as
an entry point needs no such word: installing it was one. RESTORECLI_PLUGINS=0 leaves it out, too.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from restorecli.errors import UsageError

VARIABLE = "RESTORECLI_PLUGINS"
_PLACE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_place(name: str) -> bool:
    """Tell whether a name says where a part is: "package.module:Name"."""
    return _PLACE.fullmatch(name) is not None


def check_allowed(place: str) -> None:
    """Refuse a place unless the user has allowed code that is not ours.

    Raises:
        UsageError: It was not allowed.
    """
    if os.environ.get(VARIABLE, "0") != "0":
        return
    raise UsageError(
        f"{place} names code that is not part of restorecli.",
        expected=f"--plugins, or {VARIABLE}=1, which allows it to run",
        got=place,
        unchanged="nothing was run",
        hint=f"restorecli --plugins ... once you trust {place.partition(':')[0]}",
    )


def load(place: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Return what is at "package.module:Name".

    Modules are looked for among installed packages, then in the current folder.

    Raises:
        UsageError: There is no such module or name, or the module cannot be imported.
    """
    module, _, name = place.partition(":")
    if module.startswith("restorecli."):
        return getattr(importlib.import_module(module), name)
    here = str(Path.cwd())
    if "" not in sys.path and here not in sys.path:
        sys.path.append(here)
    try:
        found = importlib.import_module(module)
    except Exception as error:
        raise UsageError(
            f"{module} cannot be imported.",
            expected="a module of an installed package, or of the current folder",
            got=f"{type(error).__name__}: {error}",
        ) from error
    if not hasattr(found, name):
        raise UsageError(f"{module} has no {name!r}.", got=place)
    return getattr(found, name)


@cache
def installed(group: str) -> tuple[tuple[str, str, str], ...]:
    """Return what installed packages register in a group of entry points, without importing any of it.

    Returns:
        (name, place, package) each, in the order of names.
    """
    if os.environ.get(VARIABLE) == "0":
        return ()
    from importlib.metadata import entry_points  # a tenth of what `--help` takes, which needs none

    points = entry_points(group=group)
    return tuple(
        sorted((point.name, point.value, "" if point.dist is None else point.dist.name) for point in points)
    )
