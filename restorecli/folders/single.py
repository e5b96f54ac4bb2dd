"""One image in, one image out: no folder, no manifest, and nothing written over in silence."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from restorecli.errors import UsageError
from restorecli.folders.places import make_folder
from restorecli.folders.protect import file_identity
from restorecli.folders.walking import check_exists
from restorecli.images.formats import FOREIGN_SUFFIXES, SUFFIXES, format_for


def single_target(
    source: str | Path | None, output: str | Path, image_format: str | None = None
) -> Path | None:
    """Return the one file that an image is to be written to, or None where `output` is a folder.

    It is a folder where it is one already, ends with a slash, or has no suffix of an image: formats that
    are not written, and suffixes that are a slip of the fingers, are refused.

    Args:
        source: What is read.
        output: Where the user wants the result.
        image_format: The format that was asked for beside it.

    Raises:
        UsageError: A folder of images cannot become one file, the format is not that of the suffix, or
            no image is written under such a name.
    """
    target = Path(output)
    if str(output).endswith(("/", os.sep)) or target.is_dir():
        return None
    if target.suffix.lower() not in SUFFIXES:
        _refuse_unwritten(target)
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


def _refuse_unwritten(output: Path) -> None:
    """Refuse a name that is meant for one image, but that no image is written under.

    Raises:
        UsageError: It asks for a pipe, names a format that is not written, or has the letters of one that is.
    """
    if str(output) == "-":
        raise UsageError(
            "Images are not written to a pipe.",
            expected="a file or a folder",
            got="-",
            unchanged="everything",
        )
    suffix = output.suffix.lower()
    slips = [known for known in SUFFIXES if set(known) == set(suffix)]
    if suffix in FOREIGN_SUFFIXES or slips:
        meant = output.with_suffix(slips[0] if slips else ".png")
        raise UsageError(
            "The suffix of the output names no format that is written.",
            expected=", ".join(sorted(SUFFIXES)),
            got=str(output),
            unchanged="everything",
            hint=f"-o/--output {meant}, or {output}/ for a folder of this name",
        )


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
            expected="a name for the result that is not taken",
            got=str(target),
            unchanged="everything",
            hint="add --overwrite to replace it, or choose another -o/--output",
        )
