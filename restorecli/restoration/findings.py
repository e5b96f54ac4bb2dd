"""Writing the pictures that a method found on its way, e.g. a kernel, beside the restored ones."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from restorecli.folders.places import make_folder, touch
from restorecli.folders.walking import OUTPUT_MARK
from restorecli.images.picture import FileTraits, Picture
from restorecli.images.writing import write_picture
from restorecli.restoration.context import Findings

_DEPTH = 16


def write_findings(found: Findings, output: Path, target: PurePosixPath) -> None:
    """Write the pictures of one restored picture, 16-bit PNG: `kernels/a/b.png` for `a/b.png`.

    The folder is marked, so that it is not taken for a folder of restored pictures.

    Args:
        found: What a method found out.
        output: The folder of the restored pictures.
        target: The restored picture in it.

    Raises:
        ResourceError: The disk is full or failing.
        DataError: The folder cannot be written to.
    """
    for name, pixels in found.pictures.items():
        folder = _side_folder(output, name)
        path = folder / (target if target.suffix == ".png" else target.with_name(f"{target.name}.png"))
        make_folder(path.parent, output)
        touch(folder / OUTPUT_MARK)
        write_picture(path, Picture(np.asarray(pixels, np.float32), FileTraits("PNG", _DEPTH)))


def _side_folder(output: Path, name: str) -> Path:
    """Return the folder of this name, or `NAME-1` ... where a folder of restored pictures has it."""
    number = 0
    while True:
        folder = output / (name if number == 0 else f"{name}-{number}")
        if not folder.exists() or (folder / OUTPUT_MARK).exists():
            return folder
        number += 1
