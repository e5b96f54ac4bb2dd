"""What was measured on this machine once, kept for later runs in the user's cache folder.

One small JSON file per value. Where the folder cannot be read or written, it is measured in each run.
`RESTORECLI_CACHE` names another folder; deleting the folder forgets everything.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from restorecli.version import __version__


def cache_folder() -> Path:
    """Return the folder: RESTORECLI_CACHE, else `restorecli` in the user's cache folder."""
    named = os.environ.get("RESTORECLI_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "restorecli"


def learned(kind: str, key: str, measure: Callable[[], Any], check: Callable[[Any], bool]) -> Any:  # noqa: ANN401
    """Return a value as JSON has it: from the cache, or measured and kept.

    Args:
        kind: What was measured; the name of a folder.
        key: All that the value depends on; versions of torch and of restorecli are added.
        measure: Finds the value out.
        check: Whether what the cache holds can be such a value; other programs write files, too.
    """
    value = known(kind, key, check)
    if value is None:
        value = measure()
        keep(kind, key, value)
    return value


def known(kind: str, key: str, check: Callable[[Any], bool]) -> Any:  # noqa: ANN401
    """Return what was kept, or None: not measured yet, not readable, or refused by `check`; see `learned`."""
    try:
        value = json.loads(_file(kind, key).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return value if value is not None and check(value) else None


def _file(kind: str, key: str) -> Path:
    name = hashlib.sha256(f"{__version__} {torch.__version__} {key}".encode()).hexdigest()[:32]
    return cache_folder() / kind / f"{name}.json"


def keep(kind: str, key: str, value: object) -> None:
    """Keep a value that JSON has; see `learned`."""
    file, text = _file(kind, key), json.dumps(value)
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, "utf-8")
        temporary.replace(file)
    except OSError:
        return  # a cache that cannot be written costs time, and nothing else


def structure_of(module: torch.nn.Module) -> str:
    """Return a text that differs for networks of other layers, sizes or settings; weights do not count."""
    parts = []
    for name, part in module.named_modules():
        plain = {k: v for k, v in vars(part).items() if isinstance(v, int | float | str | tuple | None)}
        parts.append(f"{name} {type(part).__qualname__} {plain}")
    shapes = [f"{name} {tuple(tensor.shape)}" for name, tensor in module.state_dict().items()]
    return hashlib.sha256("\n".join(parts + shapes).encode()).hexdigest()
