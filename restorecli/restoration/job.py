"""What `restore` does to one image: read ahead, restore in the calling thread, write behind."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from restorecli.errors import ImageError, ResourceError, RestorecliError, UsageError
from restorecli.folders.jobs import Progress, run_ordered
from restorecli.folders.locators import locate
from restorecli.folders.places import make_folder
from restorecli.folders.record import Command, Record
from restorecli.folders.run import Append, Done
from restorecli.images.budget import available_memory
from restorecli.images.image import ImageData
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import ImageHeader, fits_in_memory, probe, read_image
from restorecli.images.stacks import open_stack
from restorecli.images.writing import write_image
from restorecli.restoration.by_planes import restore_stack
from restorecli.restoration.by_rows import restore_file_by_rows
from restorecli.restoration.context import Findings
from restorecli.restoration.findings import write_findings
from restorecli.restoration.gate import MemoryGate
from restorecli.restoration.image import CHANGED_BY_TILES, ImageRestorer, TileUse
from restorecli.restoration.items import Loaded, Restored, Task
from restorecli.restoration.known import Known
from restorecli.restoration.records import (
    SourceRecords,
    Stamp,
    check_unchanged,
    reading_of,
    restored_record,
    stamp,
)
from restorecli.version import __version__

_BYTES_PER_PIXEL = 4 * 4
"""A float32 image of up to four channels."""

_LEFT_OUT = (
    "ensemble",
    "sigma",
    "operator",
    "operator_digests",
    "mask",
    "asked_tile",
    "asked_overlap",
    "strength",
    "keep_defects",
    "quality",
    "backend",
)
"""Settings that a manifest line has only where they were asked for."""


class RestoreRoom:
    """What `restore` adds to a run over a folder; see `folders.run.Room`.

    Args:
        output: The folder to write into.
        image_restorer: What restores one image.
        known: What the caller knows about the images, beside their manifest.
        sources: What is known of the images to restore.
        progress: Progress callbacks.
        reading: How to read what is unusual.
        workers: Threads for reading and as many for writing; None takes one for each core.
        quality: For JPEG and WebP, 1 to 100; None takes the default of `write_image`.
    """

    def __init__(
        self,
        output: Path,
        image_restorer: ImageRestorer,
        known: Known,
        sources: SourceRecords,
        progress: Progress,
        reading: ReadOptions = STRICT,
        workers: int | None = None,
        quality: int | None = None,
    ) -> None:
        self.command: Command = "restore"
        self._output = output
        self._image_restorer = image_restorer
        self._known = known
        self._sources = sources
        self._progress = progress
        self._reading = reading
        self._workers = workers
        self._quality = {} if quality is None else {"quality": quality}
        self._identity = image_restorer.restorer.identity()
        self._gate = MemoryGate(available_memory() // 4)

    def is_finished(self, item: Task, record: Record) -> bool:
        """Tell whether an earlier run wrote this image from the same source with the same restorer."""
        if record.restorer is None or record.command != "restore":
            return False
        if not self._reading.reads_like(record.reading):
            return False
        try:
            wanted = {**dict.fromkeys(_LEFT_OUT), **self._settings(item, stamp(item.file.path))}
        except ImageError:
            return False
        same = all(record.restorer.get(name) == value for name, value in wanted.items())
        place = item.file.path.parent.resolve() / item.file.path.name
        stands = (self._output / item.target).is_file()
        return same and stands and locate(record.source, self._output) == place

    def check_replaced(self, items: Sequence[Task], records: Mapping[str, Record]) -> None:
        """Refuse to replace results of another model: whoever made them may not have seen them yet.

        Raises:
            UsageError: There are such results; the message says how many, by which model.
        """
        found: list[tuple[str, str]] = []
        for item in items:
            record = records.get(item.target.as_posix())
            if record is None or record.restorer is None or record.command != "restore":
                continue
            name = str(record.restorer.get("name"))
            if name != self._identity["name"] and (self._output / item.target).is_file():
                found.append((item.target.as_posix(), name))
        if found:
            models = ", ".join(dict.fromkeys(name for _, name in found))
            raise UsageError(
                "The output folder holds results of another model.",
                expected=f"results of {self._identity['name']}, or none",
                got=f"{len(found)} images by {models}, first {found[0][0]}",
                file=self._output,
                unchanged="everything",
                hint="add --overwrite to replace them, or choose another -o/--output",
            )

    def _settings(self, task: Task, read: Stamp) -> dict[str, Any]:
        """Return what must be equal for a finished image to count: all that its pixels depend on."""
        settings = {**self._identity, "source_bytes": read.size, "source_changed_ns": read.changed}
        settings |= {**self._known.identity(task.file), **self._quality}
        if self._image_restorer.strength != 1:
            settings["strength"] = self._image_restorer.strength
        if self._image_restorer.keep_defects:
            settings["keep_defects"] = True
        if not self._image_restorer.tiles_change_nothing:
            settings |= {
                "asked_tile": self._image_restorer.tile,
                "asked_overlap": self._image_restorer.overlap,
            }
        return settings

    def results(
        self, items: Iterable[Task], append: Append
    ) -> Generator[tuple[Task, Done | RestorecliError], None, None]:
        """Read ahead in threads, restore in the calling thread, write behind in threads."""
        try:
            restored = self._restored(items)
            for (task, _), outcome in run_ordered(
                partial(self._write_behind, append), restored, self._workers
            ):
                yield task, outcome
        finally:
            self._gate.close()

    def _restored(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Restored | RestorecliError]]:
        """Yield every task with its outcome; runs in the calling thread, which alone uses the device."""
        for (_, task), loaded in run_ordered(self._read_ahead, enumerate(tasks), self._workers):
            yield task, loaded if isinstance(loaded, RestorecliError) else self._restore(task, loaded)

    def _read_ahead(self, numbered: tuple[int, Task]) -> Loaded:
        turn, task = numbered
        header = _header(task.file.path)
        size = _memory_of(header, self._image_restorer.restorer.spec.scale)
        self._gate.enter(turn, size)
        try:
            before = stamp(task.file.path)
            reading = reading_of(task.file, self._reading, self._sources)
            stack = open_stack(task.file.path, reading)
            if stack is not None:
                return Loaded(None, before, size, stack)
            by_rows = header is not None and self._goes_by_rows(header)
            return Loaded(None if by_rows else _read(task.file.path, before, reading), before, size)
        except BaseException:
            self._gate.leave(size)
            raise

    def _goes_by_rows(self, header: ImageHeader) -> bool:
        possible = header.format == "TIFF" and self._image_restorer.streams
        return possible and not fits_in_memory(header)

    def _restore(self, task: Task, loaded: Loaded) -> Restored | RestorecliError:
        try:
            if loaded.image is None:
                return self._restore_pieces(task, loaded)
            height, width = loaded.image.size
            image, use, found = self._restore_image(task, loaded.image)
        except ResourceError as error:
            error.file = error.file or str(task.file.path)
            raise
        except RestorecliError as error:
            self._gate.leave(loaded.size)
            error.file = error.file or str(task.file.path)
            return error
        return Restored(image, loaded.stamp, loaded.size, use, height * width, found)

    def _restore_pieces(self, task: Task, loaded: Loaded) -> Restored:
        """Restore an image by rows, or a stack by planes, from file to file."""
        target, source = self._prepare_target(task), task.file.path
        if loaded.stack is None:
            reading = reading_of(task.file, self._reading, self._sources)
            done = restore_file_by_rows(
                source, target, self._image_restorer, loaded.stamp, reading, self._progress.within
            )
        else:
            done = restore_stack(
                loaded.stack,
                target,
                lambda plane: self._restore_image(task, plane)[:2],
                lambda: check_unchanged(source, loaded.stamp),
                **self._quality,
            )
        return Restored(None, loaded.stamp, loaded.size, done.use, done.area, Findings(), done.notes)

    def _prepare_target(self, task: Task) -> Path:
        target = self._output / task.target
        make_folder(target.parent, self._output)
        return target

    def _restore_image(self, task: Task, image: ImageData) -> tuple[ImageData, TileUse, Findings]:
        needs = self._image_restorer.restorer.spec.needs
        context = self._known.context(task.file, image.pixels, self._sources.find(task.file), needs)
        restored, use = self._image_restorer(image, replace(context, on_progress=self._progress.within))
        return restored, use, context.found

    def _write_behind(self, append: Append, item: tuple[Task, Restored | RestorecliError]) -> Done:
        """Write an image and then its manifest line."""
        task, restored = item
        if isinstance(restored, RestorecliError):
            raise restored
        try:
            notes = restored.notes
            if restored.image is not None:
                image = restored.take()
                losses = write_image(self._prepare_target(task), image, **self._quality)
                write_findings(restored.found, self._output, task.target)
                notes = (*image.traits.notes, *losses)
            record = self._record(task, restored, notes)
            append(record)
        finally:
            self._gate.leave(restored.size)
        return Done(restored.area / 1e6, record.notes)

    def _record(self, task: Task, restored: Restored, notes: tuple[str, ...]) -> Record:
        use = restored.use
        how = {
            **self._settings(task, restored.stamp),
            "tile": use.tile,
            "overlap": use.overlap,
            "exact": use.exact,
        }
        if self._image_restorer.restorer.backend_reason:
            how["backend_reason"] = self._image_restorer.restorer.backend_reason
        if restored.found.values:
            how["found"] = restored.found.values
        if not use.exact:
            notes = (*notes, CHANGED_BY_TILES)
        path = task.target.as_posix()
        return restored_record(
            path, task.file, self._output, self._sources, how, __version__, notes, self._reading
        )


def _header(path: Path) -> ImageHeader | None:
    """Return what the header promises, or None for an image that cannot be read anyway."""
    try:
        return probe(path)
    except RestorecliError:
        return None


def _memory_of(header: ImageHeader | None, scale: int) -> int:
    """Return the bytes that an image will hold: as read, as restored, and on its way to the disk.

    The latter two are larger by the scale. 0 for an image that cannot be read anyway.
    """
    if header is None:
        return 0
    height, width = header.size
    return height * width * _BYTES_PER_PIXEL * (1 + 2 * scale**2)


def _read(path: Path, before: Stamp, options: ReadOptions) -> ImageData:
    """Read an image.

    Raises:
        ImageError: It cannot be read, or changed since its stamp was taken.
    """
    image = read_image(path, options)
    check_unchanged(path, before)
    return image
