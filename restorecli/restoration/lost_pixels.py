"""Which pixels of an image are lost: a mask for all, a folder of masks, or a color."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from restorecli.counting import counted
from restorecli.errors import ImageError, UsageError
from restorecli.folders.addresses import address_of
from restorecli.folders.mask_places import MaskIndex
from restorecli.folders.walking import ImageFile
from restorecli.images.image import Pixels
from restorecli.images.mask_images import read_marked

Mask = NDArray[np.bool_]

Hold = Callable[[Path], AbstractContextManager[object]]
"""Has a file, or the files of a folder, on this machine while a block runs; see `Mirror.hold`."""

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class Masks(Protocol):
    """Where the pixels of images are lost."""

    def find(self, file: ImageFile, pixels: Pixels) -> Mask:
        """Return (H, W), True where a pixel of this image is lost.

        Raises:
            ImageError: There is no mask for it, or one of another size.
        """

    def identity(self, file: ImageFile) -> Mapping[str, object]:
        """Return what tells this image's mask from another."""


def masks_named(word: str, hold: Hold = nullcontext) -> Masks:
    """Return the masks that `--mask` names: a color "#RRGGBB", a file for all images, or a folder.

    Args:
        word: What was named.
        hold: Fetches masks of a remote store.

    Raises:
        UsageError: No such file or folder, and no color.
        DataError: The folder holds no image.
    """
    if _COLOR.fullmatch(word):
        return ColorMasks(word.lower())
    path = Path(word)
    if path.exists():
        return FileMasks(MaskIndex(path), nullcontext if address_of(path) is None else hold)
    raise UsageError(
        "--mask is not understood.",
        expected="a file, a folder, or a color such as #ff00ff",
        got=word,
        hint="quote the color: --mask '#ff00ff'",
    )


@dataclass(frozen=True, slots=True)
class ColorMasks:
    """Pixels of exactly one color, at 8 bits, are lost."""

    color: str

    def find(self, file: ImageFile, pixels: Pixels) -> Mask:
        """Return where the image has the color; see `Masks`."""
        del file
        wanted = [int(self.color[at : at + 2], 16) for at in (1, 3, 5)]
        levels = np.rint(pixels * 255)
        hits: Mask = np.all(
            [plane == level for plane, level in zip(_three(levels), wanted, strict=True)], axis=0
        )
        return hits

    def identity(self, file: ImageFile) -> Mapping[str, object]:
        """Return the color."""
        del file
        return {"mask": self.color}


@dataclass(frozen=True, slots=True)
class FileMasks:
    """Masks in files, found by the names of images; see `folders.mask_places.MaskIndex`.

    Attributes:
        index: A folder of masks, or the one file for all.
        hold: Fetches those of a remote store.
    """

    index: MaskIndex
    hold: Hold = nullcontext

    def find(self, file: ImageFile, pixels: Pixels) -> Mask:
        """Return what the image's mask marks; see `Masks` and `images.mask_images.read_marked`."""
        path = self._path(file)
        with self.hold(path):
            mask = read_marked(path)
        if mask.shape != pixels.shape[1:]:
            raise ImageError(
                "The mask has another size than the image.",
                expected=f"{pixels.shape[2]}x{pixels.shape[1]}",
                got=f"{mask.shape[1]}x{mask.shape[0]}",
                file=path,
            )
        return mask

    def identity(self, file: ImageFile) -> Mapping[str, object]:
        """Return name, size and time of change of the image's mask."""
        path = self._path(file)
        status = path.stat()
        return {"mask": path.name, "mask_bytes": status.st_size, "mask_changed_ns": status.st_mtime_ns}

    def _path(self, file: ImageFile) -> Path:
        path = self.index.find([file.relative])
        if isinstance(path, Path):
            return path
        raise ImageError(
            "There is no mask for this image." if path is None else "Several masks could be of this image.",
            expected=f"{file.relative.with_suffix('.png')} or {file.relative.stem}_mask.png",
            got=path or f"{counted(len(self.index.files), 'mask')} of other names in {self.index.root}",
        )


def _three(levels: Pixels) -> Pixels:
    return levels if levels.shape[0] == 3 else np.repeat(levels, 3, axis=0)
