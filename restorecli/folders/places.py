"""The only way to the places that this program writes to: never through a link that leads elsewhere."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from restorecli.errors import DataError, UsageError
from restorecli.images.faults import write_fault

NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)  # Windows knows neither
"""Flags of `os.open` by which a link is refused."""


def make_folder(folder: Path, output: Path) -> None:
    """Make a folder of an output tree, with the folders above it.

    Every command makes its folders here. A link inside the output is followed where it stays inside; the
    output folder itself may be a link, since the user named it.

    Args:
        folder: `output`, or a folder below it.
        output: The folder that the user named.

    Raises:
        DataError: A link leads out of the output, or the folder cannot be made; nothing was written.
        ResourceError: The disk is full or failing.
    """
    place = folder.resolve()
    if not place.is_relative_to(output.resolve()):
        raise DataError(
            "A link in the output folder leads out of it.",
            expected=f"a folder below {output}",
            got=str(place),
            file=folder,
            unchanged="what the link leads to",
            hint="remove the link, or choose another -o/--output",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise write_fault(fault, folder) from fault


def refuse_file_name(output: Path, suffixes: Iterable[str]) -> None:
    """Refuse the name of one file where several are written into a folder.

    Args:
        output: The folder that the user named; one that is there already may have any name.
        suffixes: Those of what is written, with their dots.

    Raises:
        UsageError: The name ends with one of them.
    """
    if output.suffix.lower() in suffixes and not output.is_dir():
        raise UsageError(
            "What is written is several files, which need a folder.",
            expected="a folder",
            got=str(output),
            unchanged="everything",
            hint=f"-o/--output {output.with_suffix('')}",
        )


def refuse_same_folder(source: Path, output: Path) -> None:
    """Refuse to write into the folder that is read.

    Raises:
        UsageError: The two are the same folder.
    """
    if source.resolve() == output.resolve():
        raise UsageError(
            "The result would overwrite the source.",
            expected="an output folder other than the source",
            got=str(output),
            unchanged="everything",
            hint="choose another folder with -o/--output",
        )


def open_output(file: Path, flags: int) -> int:
    """Open a file of this program for writing and return its descriptor; a link is refused, not followed.

    Args:
        file: The file; made where `flags` hold `os.O_CREAT`.
        flags: Of `os.open`.

    Raises:
        DataError: A link stands under this name, or the file cannot be opened.
        ResourceError: The disk is full or failing.
    """
    try:
        if not NO_LINKS and file.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return os.open(file, flags | NO_LINKS, 0o666)
    except OSError as fault:
        raise write_fault(fault, file) from fault


def touch(file: Path) -> None:
    """Make an empty file where there is none; see `open_output`."""
    os.close(open_output(file, os.O_WRONLY | os.O_CREAT))
