"""Writing the images that a method found on its way, e.g. a kernel, beside the restored ones."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from contextlib import suppress
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
        write_image(path, ImageData(np.asarray(pixels, np.float32), FileTraits("PNG", _DEPTH)))


def _side_folder(output: Path, name: str) -> Path:
    """Return the folder of this name, or `NAME-1` ... where a folder of restored images has it."""
    for number in itertools.count():
        folder = output / (name if number == 0 else f"{name}-{number}")
        if _is_marked(folder) or _claim(folder, output):
            break
    return folder


def _claim(folder: Path, output: Path) -> bool:
    """Make a folder that has its mark from the first moment; tell whether it is a marked one in the end.

    Threads and shards write beside each other: between making a folder and marking it, another would take it
    for a folder of restored images.
    """
    if folder.exists():
        return _is_marked(folder)  # meanwhile, perhaps
    new = output / f".{folder.name}.{os.getpid()}-{threading.get_ident()}.tmp"
    make_folder(new, output)
    touch(new / OUTPUT_MARK)
    with suppress(OSError):  # another was faster
        new.rename(folder)
    if new.exists():
        shutil.rmtree(new)
    return _is_marked(folder)


def _is_marked(folder: Path) -> bool:
    return (folder / OUTPUT_MARK).exists()
