"""Writing the images that a method found on its way, e.g. a kernel, beside the restored ones."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from restorecli.folders.places import make_folder, touch
from restorecli.folders.walking import OUTPUT_MARK
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.writing import write_image
from restorecli.restoration.context import Findings

_DEPTH = 16


def write_findings(found: Findings, output: Path, target: PurePosixPath) -> None:
    """Write the images of one restored image, 16-bit PNG: `kernels/a/b.png` for `a/b.png`.

    The folder is marked, so that it is not taken for a folder of restored images.

    Args:
        found: What a method found out.
        output: The folder of the restored images.
        target: The restored image in it.

    Raises:
        ResourceError: The disk is full or failing.
        DataError: The folder cannot be written to.
    """
    for name, pixels in found.images.items():
        folder = _side_folder(output, name)
        path = folder / (target if target.suffix == ".png" else target.with_name(f"{target.name}.png"))
        make_folder(path.parent, output)
        touch(folder / OUTPUT_MARK)
        write_image(path, ImageData(np.asarray(pixels, np.float32), FileTraits("PNG", _DEPTH)))


def _side_folder(output: Path, name: str) -> Path:
    """Return the folder of this name, or `NAME-1` ... where a folder of restored images has it."""
    number = 0
    while True:
        folder = output / (name if number == 0 else f"{name}-{number}")
        if not folder.exists() or (folder / OUTPUT_MARK).exists():
            return folder
        number += 1
