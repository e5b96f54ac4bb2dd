"""What a pair is: where the images of one score lie, and what has no match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from restorecli.errors import RestorecliError
from restorecli.folders.manifest import Record, locate, open_locator
from restorecli.folders.samples import LOCATOR
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import read_image

Side = Literal["degraded", "restored", "reference", "mask"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where one image is.

    Attributes:
        locator: Its path relative to `folder`, or a manifest's locator; this is what tables show.
        folder: The folder that the locator is relative to.
        path: The file, where it is known; a manifest's locator is resolved on reading.
        category: What its own folder says about it, or None.
        defect: The same of its defect.
        options: How to read what is unusual, by the manifest.
    """

    locator: str
    folder: Path
    path: Path | None = None
    category: str | None = None
    defect: str | None = None
    options: ReadOptions = STRICT

    @property
    def file(self) -> Path | None:
        """Where the image is, whether it is there or not; None for a built-in sample."""
        if self.path is not None:
            return self.path
        place = None if self.locator.startswith(LOCATOR) else locate(self.locator, self.folder)
        return place if isinstance(place, Path) else None

    def read(self, like: FileTraits | None = None) -> ImageData:
        """Decode the image.

        Args:
            like: Traits of the reference, by whose black and white the values are read, too.

        Raises:
            ImageError: It cannot be read.
            DataError: A manifest's locator leads nowhere.
        """
        if self.path is None:
            return open_locator(self.locator, self.folder, self.options, like)
        return read_image(self.path, self.options, like=like)


@dataclass(frozen=True, slots=True)
class Pair:
    """The images of one score; at least one of `restored` and `degraded` is there.

    Attributes:
        path: Name of the scored image, relative to its folder.
        category: From the manifest, else by the folder.
        defect: From the manifest or an MVTec-style tree, or None.
        reference: The clean image, or None where there is none and no metric needs one.
        restored: The restored image, or None when a degraded folder is scored alone.
        degraded: The degraded image, or None when it is not known.
        record: The manifest's line about the scored image, else about its degraded one, or None.
        mask: Where its defect is, drawn on the reference, or None.
    """

    path: str
    category: str
    defect: str | None
    reference: Source | None
    restored: Source | None
    degraded: Source | None
    record: Record | None = None
    mask: Source | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of its images and its mask; built-in samples have none."""
        sources = (self.reference, self.degraded, self.restored, self.mask)
        return tuple(source.file for source in sources if source is not None and source.file is not None)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """One image that was not scored, and why."""

    side: Side
    path: str
    reason: str

    def to_dict(self) -> dict[str, object]:
        """Return the entry as JSON values."""
        return {"side": self.side, "path": self.path, "reason": self.reason}


def unread(path: str, side: Side, source: Source, error: RestorecliError) -> Unmatched:
    """Return the problem of an image of a pair that could not be read.

    Args:
        path: Name of the pair.
        side: Which image it is.
        source: Where it is.
        error: Why it could not be read.
    """
    got = f" ({error.got})" if error.got else ""
    return Unmatched(side, path, f"{source.locator}: {error.problem}{got}")


@dataclass(frozen=True, slots=True)
class Pairing:
    """All pairs of a folder in its order, everything that is in no pair, and what a reader should know."""

    pairs: Sequence[Pair]
    unmatched: tuple[Unmatched, ...]
    notes: tuple[str, ...] = ()
