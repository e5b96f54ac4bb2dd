"""What passes through a folder job: an image as a task, as read, as restored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from restorecli.folders.walking import ImageFile
from restorecli.images.image import ImageData
from restorecli.images.planes import Chosen
from restorecli.restoration.context import Context, Findings
from restorecli.restoration.cutting import TileUse
from restorecli.restoration.image import Prepared
from restorecli.restoration.records import Stamp


@dataclass(frozen=True, slots=True)
class Task:
    """One image to restore.

    Attributes:
        file: The image.
        target: The relative path of its result.
        reference: The clean original that its manifest names, or None.
    """

    file: ImageFile
    target: PurePosixPath
    reference: Path | None = None

    @property
    def name(self) -> str:
        """The image's relative path, as it is printed."""
        return self.file.relative.as_posix()

    @property
    def source(self) -> Path:
        """The file that is restored."""
        return self.file.path

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files that must never be written over."""
        return (self.file.path,) if self.reference is None else (self.file.path, self.reference)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image that was read, its file and stamp, the bytes of memory that it takes, and what is known.

    There is no image where memory cannot hold it: its rows, or the planes of a stack, are read when they
    are restored.
    """

    image: Prepared | None
    stamp: Stamp
    size: int
    stack: Chosen | None = None
    context: Context = field(default_factory=Context)
    path: Path | None = None


@dataclass(slots=True)
class Restored:
    """A restored image on its way to the disk; whoever writes it takes it out, which frees its memory.

    One that was restored by rows is on the disk already: there is no image, but its notes. `original` is the
    file of one that came back as it was from a format that loses something each time it is written.
    """

    image: ImageData | None
    stamp: Stamp
    size: int
    use: TileUse
    area: int
    found: Findings
    notes: tuple[str, ...] = ()
    original: Path | None = None

    def take(self) -> ImageData:
        """Return the image and let go of it."""
        image, self.image = self.image, None
        assert image is not None  # noqa: S101 - every image is written once
        return image
