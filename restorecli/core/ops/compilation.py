"""Compiled loops: numba without the interpreter lock, with a cache that works where HOME is read-only."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a numeric loop to machine code at its first call, and keep the code for later processes.

    Sums keep the order in which they are written (no fast-math), so results are equal on every machine. The
    code is kept beside the source, else in the user's cache folder, else in a private folder for temporary
    files; where none of them can be written it is compiled once in each process.
    """
    try:
        return _cached(function)
    except RuntimeError:  # numba's word for "no cache folder can be written"
        folder = _private_temporary_folder()
    if folder is None:
        return _plain(function)
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)
    try:
        return _cached(function)
    except RuntimeError:
        return _plain(function)
    finally:
        settings.CACHE_DIR = before


def _cached(function: Callable[P, R]) -> Callable[P, R]:
    result: Callable[P, R] = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return result


def _plain(function: Callable[P, R]) -> Callable[P, R]:
    result: Callable[P, R] = numba.njit(nogil=True, error_model="numpy")(function)
    return result


def _private_temporary_folder() -> Path | None:
    """Return a folder that only this user can write, since cached code is executed, or None."""
    if not hasattr(os, "getuid"):
        return None
    folder = Path(tempfile.gettempdir()) / f"restorecli-numba-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
    return folder if private else None
