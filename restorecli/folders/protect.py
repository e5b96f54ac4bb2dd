"""Inputs are never modified: what is to be written is compared with what was read before anything is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from restorecli.errors import UsageError
from restorecli.folders.manifest import FILE_NAME, Manifest
from restorecli.folders.record import Command, Record
from restorecli.images.formats import SUFFIXES


def file_identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from all others (device and inode), or None where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def keep_inputs(targets: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Check that no file to write is a file that was read, or is to be written twice.

    Args:
        targets: Files to write; they may be there already, from an earlier run.
        inputs: Files that were read; links to them count as themselves.

    Raises:
        UsageError: There is such a file.
    """
    targets = list(targets)
    standing = {identity: target for target in targets if (identity := file_identity(target)) is not None}
    overwritten = (standing.get(identity) for path in inputs if (identity := file_identity(path)))
    refused = next(filter(None, overwritten), None) or next(filter(_is_manifest, targets), None)
    if refused is not None:
        raise _refusal("The output would overwrite a file that is read.", refused)
    seen: set[str] = set()
    for target in targets:
        place = os.path.realpath(target)
        if place in seen:
            raise _refusal("Two outputs would be written to the same file.", target)
        seen.add(place)


def keep_folder_apart(folder: Path, inputs: Iterable[Path]) -> None:
    """Check that a folder that is to be filled holds none of the files that were read.

    Raises:
        UsageError: It holds one.
    """
    place = folder.resolve()
    for path in inputs:
        if path.resolve().is_relative_to(place):
            raise _refusal("The output folder holds an image that is read.", path)


class _Written(Protocol):
    @property
    def target(self) -> PurePosixPath: ...

    @property
    def inputs(self) -> Sequence[Path]: ...


def keep_originals(items: Iterable[_Written], output: Path) -> None:
    """Check that no image to write stands where a source, or an original that belongs to one, is.

    Args:
        items: Images to write below `output`, with the files that they are made from.
        output: The folder to write into; it may be missing.

    Raises:
        UsageError: There is such an image; links count as what they lead to.
    """
    if not output.is_dir():
        return
    standing = {file_identity(output / item.target) for item in items} - {None}
    if not standing:
        return
    for item in items:
        for place in item.inputs:
            if file_identity(place) in standing:
                raise UsageError(
                    "The output would overwrite the source of an image, or its clean original.",
                    expected="an output folder that holds neither",
                    got=str(place),
                    unchanged="everything",
                    hint="choose another folder with -o/--output",
                )


def refuse_foreign_files(
    targets: Iterable[PurePosixPath], manifest: Manifest, records: Mapping[str, Record], command: Command
) -> None:
    """Check that no image to write stands there already from somebody else.

    A folder with a manifest is this program's: what has no line in it is an image that was not finished.

    Args:
        targets: Images to write, below the manifest's folder.
        manifest: Of the output folder.
        records: Its lines.
        command: The command that is about to write.

    Raises:
        UsageError: There is such an image.
    """
    ours = manifest.exists()
    for target in targets:
        found = records.get(target.as_posix())
        stranger = not ours if found is None else found.command != command
        if stranger and file_identity(manifest.folder / target) is not None:
            raise UsageError(
                f"The output folder holds an image that `{command}` did not write.",
                got=str(manifest.folder / target),
                unchanged="everything",
                hint="choose another folder with -o/--output, or add --overwrite",
            )


def refuse_image_names(targets: Iterable[Path]) -> None:
    """Check that no text is written under the name of an image.

    Raises:
        UsageError: There is such a name.
    """
    for target in targets:
        if target.suffix.lower() in SUFFIXES:
            raise _refusal("A table or a page cannot have the name of an image.", target)


def _is_manifest(path: Path) -> bool:
    stem, _, suffix = FILE_NAME.rpartition(".")
    return path.name.startswith(f"{stem}.") and path.name.endswith(f".{suffix}")


def _refusal(problem: str, path: Path) -> UsageError:
    return UsageError(problem, got=str(path), unchanged="everything", hint="choose another name or folder")
