"""What passes through a folder job: a picture as a task, as read, as restored, as written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from restorecli.folders.walking import ImageFile
from restorecli.images.picture import Picture
from restorecli.restoration.context import Findings
from restorecli.restoration.picture import TileUse
from restorecli.restoration.records import Stamp


@dataclass(frozen=True, slots=True)
class Task:
    """One picture to restore and the relative path of its result."""

    file: ImageFile
    target: PurePosixPath

    @property
    def name(self) -> str:
        """The picture's relative path, as it is printed."""
        return self.file.relative.as_posix()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A picture that was read, its file's stamp, and the bytes it holds at the gate.

    There is no picture where memory cannot hold it: its rows are read when they are restored.
    """

    picture: Picture | None
    stamp: Stamp
    size: int


@dataclass(slots=True)
class Restored:
    """A restored picture on its way to the disk; whoever writes it takes it out, which frees its memory.

    One that was restored by rows is on the disk already: there is no picture, but its notes.
    """

    picture: Picture | None
    stamp: Stamp
    size: int
    use: TileUse
    area: int
    found: Findings
    notes: tuple[str, ...] = ()

    def take(self) -> Picture:
        """Return the picture and let go of it."""
        picture, self.picture = self.picture, None
        assert picture is not None  # noqa: S101 - every picture is written once
        return picture


@dataclass(frozen=True, slots=True)
class Written:
    """A picture on the disk: its size before restoration, and what a reader should know of it."""

    megapixels: float
    notes: tuple[str, ...]
