"""One image in, one image out: no folder, no manifest, and nothing written over in silence."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from restorecli.errors import UsageError
from restorecli.folders.places import make_folder
from restorecli.folders.protect import file_identity
from restorecli.folders.walking import check_exists
from restorecli.images.formats import SUFFIXES, format_for


def single_target(
    source: str | Path | None, output: str | Path, image_format: str | None = None
) -> Path | None:
    """Return the one file that an image is to be written to, or None where `output` is a folder.

    It is a folder where it is one already, ends with a slash, or has no suffix of an image.

    Args:
        source: What is read.
        output: Where the user wants the result.
        image_format: The format that was asked for beside it.

    Raises:
        UsageError: A folder of images cannot become one file, or the format is not that of the suffix.
    """
    target = Path(output)
    ends_open = str(output).endswith(("/", os.sep))
    if ends_open or target.is_dir() or target.suffix.lower() not in SUFFIXES:
        return None
    if source is None or Path(source).is_dir():
        raise UsageError(
            "Several images cannot be written into one file.",
            expected="a folder",
            got=str(output),
            unchanged="everything",
            hint=f"-o/--output {target.with_suffix('')}, or {output}/ for a folder of this name",
        )
    if image_format is not None and format_for(Path(f"x.{image_format}")) != format_for(target):
        raise UsageError(
            "--format and the suffix of the output differ.",
            expected="one of them, or both alike",
            got=f"--format {image_format} for {output}",
        )
    return target


def prepare_target(target: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Check that a file may be written, and make its folder; see `check_target`.

    Raises:
        UsageError: It is an input, or is there already.
        DataError: There is no source, or the folder cannot be made.
    """
    check_target(target, inputs, overwrite=overwrite)
    make_folder(target.parent, target.parent)


def check_target(target: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Check that a file may be written.

    Args:
        target: The file to write.
        inputs: Files that must not be written over: the source first, and originals that belong to it.
        overwrite: Whether another file that is there may be replaced.

    Raises:
        UsageError: It is an input, or is there already.
        DataError: There is no source.
    """
    inputs = tuple(inputs)
    check_exists(inputs[0])
    if file_identity(target) in {file_identity(path) for path in inputs} - {None}:
        raise UsageError(
            "The result would overwrite an image that is read.",
            expected="another name",
            got=str(target),
            unchanged="everything",
        )
    if not overwrite and os.path.lexists(target):
        raise UsageError(
            "There is a file of this name already.",
            got=str(target),
            unchanged="everything",
            hint="add --overwrite to replace it, or choose another -o/--output",
        )
