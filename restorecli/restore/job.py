"""One run over a folder: reading ahead, restoring in the calling thread, writing behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from restorecli.errors import ImageError, ResourceError, RestorecliError
from restorecli.images.atomic import write_fault
from restorecli.images.budget import available_memory
from restorecli.images.folders import ImageFile
from restorecli.images.jobs import Failure, Progress, run_ordered
from restorecli.images.manifest import Manifest, Record
from restorecli.images.notes import Note, NoteTally
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.picture import Picture
from restorecli.images.reading import probe, read_picture
from restorecli.images.writing import write_picture
from restorecli.restore.adapter import MethodPainter
from restorecli.restore.context import Findings
from restorecli.restore.findings import write_findings
from restorecli.restore.gate import MemoryGate
from restorecli.restore.picture import CHANGED_BY_TILES, PictureRestorer, TileUse
from restorecli.restore.records import SourceRecords, Stamp, identify, restored_record, stamp
from restorecli.version import __version__

_BYTES_PER_PIXEL = 4 * 4
"""A float32 picture of up to four channels."""


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
class _Loaded:
    """A picture that was read, its file's stamp, and the bytes it holds at the gate."""

    picture: Picture
    stamp: Stamp
    size: int


@dataclass(slots=True)
class _Restored:
    """A restored picture on its way to the disk; whoever writes it takes it out, which frees its memory."""

    picture: Picture | None
    stamp: Stamp
    size: int
    use: TileUse
    area: int
    found: Findings

    def take(self) -> Picture:
        """Return the picture and let go of it."""
        picture, self.picture = self.picture, None
        assert picture is not None  # noqa: S101 - every picture is written once
        return picture


@dataclass(frozen=True, slots=True)
class _Written:
    """A picture on the disk: its size before restoration, and what a reader should know of it."""

    megapixels: float
    notes: tuple[str, ...]


class FolderJob:
    """One run over one folder, and what it has done so far.

    Args:
        output: The folder to write into, whose lock the caller holds.
        painter: What restores one picture.
        sources: What is known of the pictures to restore.
        progress: Who wants to know how far the job is.
        reading: How to read what is unusual.

    Attributes:
        written: Pictures written.
        megapixels: Their size before restoration, in millions of pixels.
        failures: Pictures that failed.
    """

    def __init__(
        self,
        output: Path,
        painter: PictureRestorer | MethodPainter,
        sources: SourceRecords,
        progress: Progress,
        reading: ReadOptions = STRICT,
    ) -> None:
        self._output = output
        self._painter = painter
        self._sources = sources
        self._progress = progress
        self._reading = reading
        self._tally = NoteTally()
        self._manifest = Manifest(output)
        self._finished = self._manifest.read()
        self._identity = identify(painter.restorer)
        self._gate = MemoryGate(available_memory() // 4)
        self.written = 0
        self.megapixels = 0.0
        self.failures: list[Failure] = []

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was done to pictures that a reader should know."""
        return self._tally.notes

    def is_finished(self, task: Task) -> bool:
        """Tell whether an earlier run wrote this picture from the same source with the same restorer."""
        record = self._finished.get(task.target.as_posix())
        if record is None or record.restorer is None or record.command != "restore":
            return False
        if not self._reading.reads_like(record.reading):
            return False
        try:
            same = self._settings(task, stamp(task.file.path)).items() <= record.restorer.items()
        except ImageError:
            return False
        place = task.file.path.parent.resolve() / task.file.path.name
        return same and self._manifest.locate(record.source) == place and self._stands(task)

    def _stands(self, task: Task) -> bool:
        return (self._output / task.target).is_file()

    def _settings(self, task: Task, read: Stamp) -> dict[str, Any]:
        """Return what must be equal for a finished picture to count: all that its pixels depend on."""
        settings = {**self._identity, "source_bytes": read.size, "source_changed_ns": read.changed}
        if isinstance(self._painter, MethodPainter):
            settings |= self._painter.identity(task.file)
        if not self._painter.tiles_change_nothing:
            settings |= {"asked_tile": self._painter.tile, "asked_overlap": self._painter.overlap}
        return settings

    def run(self, tasks: Sequence[Task], workers: int | None) -> None:
        """Restore all tasks; failures are collected, and what ends a job ends it."""
        self._progress.start(len(tasks), "pictures")
        try:
            restored = self._restored(tasks, workers)
            for (task, _), outcome in run_ordered(self._write_behind, restored, workers):
                self._account(task, outcome)
        finally:
            self._gate.close()
            self._progress.finish()

    def _account(self, task: Task, outcome: _Written | RestorecliError) -> None:
        if isinstance(outcome, RestorecliError):
            self.failures.append(Failure(task.name, outcome))
            self._progress.advance(task.name, outcome)
            return
        self.written += 1
        self.megapixels += outcome.megapixels
        self._tally.add(task.name, outcome.notes)
        self._progress.advance(task.name)

    def _restored(
        self, tasks: Sequence[Task], workers: int | None
    ) -> Iterator[tuple[Task, _Restored | RestorecliError]]:
        """Yield every task with its outcome; runs in the calling thread, which alone uses the device."""
        for (_, task), loaded in run_ordered(self._read_ahead, enumerate(tasks), workers):
            yield task, loaded if isinstance(loaded, RestorecliError) else self._restore(task, loaded)

    def _read_ahead(self, numbered: tuple[int, Task]) -> _Loaded:
        turn, task = numbered
        size = _memory_of(task.file.path, self._painter.restorer.spec.scale)
        self._gate.enter(turn, size)
        try:
            before = stamp(task.file.path)
            return _Loaded(_read(task.file.path, before, self._reading), before, size)
        except BaseException:
            self._gate.leave(size)
            raise

    def _restore(self, task: Task, loaded: _Loaded) -> _Restored | RestorecliError:
        height, width = loaded.picture.size
        try:
            picture, use, found = self._paint(task, loaded.picture)
        except ResourceError as error:
            error.file = error.file or str(task.file.path)
            raise
        except RestorecliError as error:
            self._gate.leave(loaded.size)
            error.file = error.file or str(task.file.path)
            return error
        return _Restored(picture, loaded.stamp, loaded.size, use, height * width, found)

    def _paint(self, task: Task, picture: Picture) -> tuple[Picture, TileUse, Findings]:
        if isinstance(self._painter, MethodPainter):
            return self._painter(picture, task.file, self._sources.find(task.file))
        return *self._painter(picture), Findings()

    def _write_behind(self, item: tuple[Task, _Restored | RestorecliError]) -> _Written:
        """Write a picture and then its manifest line."""
        task, restored = item
        if isinstance(restored, RestorecliError):
            raise restored
        try:
            picture = restored.take()
            target = self._output / task.target
            _make_folder(target.parent, self._output)
            losses = write_picture(target, picture)
            write_findings(restored.found, self._output, task.target)
            record = self._record(task, restored, (*picture.traits.notes, *losses))
            self._manifest.append(record)
        finally:
            self._gate.leave(restored.size)
        return _Written(restored.area / 1e6, record.notes)

    def _record(self, task: Task, restored: _Restored, notes: tuple[str, ...]) -> Record:
        use = restored.use
        how = {
            **self._settings(task, restored.stamp),
            "tile": use.tile,
            "overlap": use.overlap,
            "exact": use.exact,
        }
        if restored.found.values:
            how["found"] = restored.found.values
        if not use.exact:
            notes = (*notes, CHANGED_BY_TILES)
        path = task.target.as_posix()
        return restored_record(
            path, task.file, self._output, self._sources, how, __version__, notes, self._reading
        )


def _memory_of(path: Path, scale: int) -> int:
    """Return the bytes that a picture will hold: as read, as restored, and on its way to the disk.

    The latter two are larger by the scale. 0 for a picture that cannot be read anyway.
    """
    try:
        height, width = probe(path).size
    except RestorecliError:
        return 0
    return height * width * _BYTES_PER_PIXEL * (1 + 2 * scale**2)


def _read(path: Path, before: Stamp, options: ReadOptions) -> Picture:
    """Read a picture.

    Raises:
        ImageError: It cannot be read, or changed since its stamp was taken.
    """
    picture = read_picture(path, options)
    after = stamp(path)
    if after != before:
        raise ImageError(
            "The picture changed while it was read.",
            expected=f"{before.size:,} bytes",
            came=f"{after.size:,} bytes, or a newer time of change",
            file=path,
            hint="run the command again once nothing writes to it",
        )
    return picture


def _make_folder(folder: Path, output: Path) -> None:
    """Make a folder of the output tree.

    Raises:
        ImageError: It lies outside `output` (through a link), so nothing is written there.
    """
    if not folder.resolve().is_relative_to(output.resolve()):
        raise ImageError("A link in the output folder leads out of it.", file=folder, unchanged="its target")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise write_fault(fault, folder) from fault
