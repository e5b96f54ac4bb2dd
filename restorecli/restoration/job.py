"""What `restore` does to one image: read ahead, restore in the calling thread, write behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import NoReturn

from restorecli.counting import counted
from restorecli.errors import ImageError, ResourceError, RestorecliError, UsageError
from restorecli.folders.jobs import Ahead, run_ordered
from restorecli.folders.locators import locate, make_locator
from restorecli.folders.places import make_folder
from restorecli.folders.record import Command, Record
from restorecli.folders.run import Append, Done
from restorecli.images.budget import available_memory
from restorecli.images.reading import ImageHeader
from restorecli.restoration.files import FileRestorer, header_of
from restorecli.restoration.findings import write_findings
from restorecli.restoration.items import Loaded, Restored, Task
from restorecli.restoration.memory_limit import MemoryLimit
from restorecli.restoration.records import (
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
    "only_marks",
)
"""Settings that a manifest line has only where they were asked for."""


_Reading = Ahead[tuple[int, Task], Loaded]
_Read = tuple[Task, Loaded | RestorecliError]
_UnderWay = tuple[Task, Callable[[], Restored | RestorecliError]]


class RestoreRoom:
    """What `restore` adds to a run over a folder; see `folders.run.Room`.

    Args:
        output: The folder to write into.
        files: What restores one file.
        workers: Threads for reading and as many for writing; None takes one for each core.
    """

    def __init__(self, output: Path, files: FileRestorer, workers: int | None = None) -> None:
        self.command: Command = "restore"
        self._output = output
        self._files = files
        self._workers = workers
        self._memory: MemoryLimit

    def is_finished(self, item: Task, record: Record) -> bool:
        """Tell whether an earlier run wrote this image from the same source with the same restorer."""
        if record.restorer is None or record.command != "restore":
            return False
        if not self._files.reading.reads_like(record.reading):
            return False
        try:
            wanted = {**dict.fromkeys(_LEFT_OUT), **self._files.settings(item.file, stamp(item.file.path))}
        except ImageError:
            return False
        same = all(record.restorer.get(name) == value for name, value in wanted.items())
        stands = (self._output / item.target).is_file()
        return same and stands and self._came_from(record) == make_locator(item.file.path, self._output)

    def _came_from(self, record: Record) -> str:
        return make_locator(locate(record.source, self._output), self._output)

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
            if name != self._files.identity["name"] and (self._output / item.target).is_file():
                found.append((item.target.as_posix(), name))
        if found:
            models = ", ".join(dict.fromkeys(name for _, name in found))
            raise UsageError(
                "The output folder holds results of another model.",
                expected=f"results of {self._files.identity['name']}, or none",
                got=f"{counted(len(found), 'image')} by {models}, first {found[0][0]}",
                file=self._output,
                unchanged="everything",
                hint="add --overwrite to replace them, or choose another -o/--output",
            )

    def results(
        self, items: Iterable[Task], append: Append
    ) -> Generator[tuple[Task, Done | RestorecliError], None, None]:
        """Read ahead in threads, restore in the calling thread, write behind in threads."""
        self._memory = MemoryLimit(available_memory() // 4)
        try:
            restored = self._restored(items)
            for (task, _), outcome in run_ordered(
                partial(self._write_behind, append), restored, self._workers
            ):
                yield task, outcome
        finally:
            self._memory.close()

    def _restored(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Restored | RestorecliError]]:
        """Yield every task with its outcome; runs in the calling thread, which alone uses the device.

        On a device with streams, further images are begun before the first is waited for, as long as they are
        read already: whoever waited here for one to be read would keep the memory that its reader waits for.
        """
        ahead = self._files.image_restorer.ahead
        under_way: deque[list[_UnderWay]] = deque()
        with Ahead(self._read_ahead, enumerate(tasks), self._workers) as reading:
            while reading or under_way:
                while reading and len(under_way) <= ahead and (not under_way or reading.is_ready()):
                    under_way.append(self._begin(self._next_batch(reading)))
                oldest = under_way.popleft()
                while oldest:
                    # Nothing here may keep the image, or its result, alive while the next are restored.
                    task, wait = oldest.pop(0)
                    outcome = wait()
                    del wait
                    yield task, outcome
                    del outcome

    def _next_batch(self, reading: _Reading) -> list[_Read]:
        """Take the next image, and with it those that are read already and may be one batch with it."""
        batch = [_taken(reading)]
        _, first = batch[0]
        if isinstance(first, Loaded) and first.image is not None:
            limit = self._files.image_restorer.together(first.image)
            alike = takewhile(partial(_are_alike, first), islice(reading.ready(), limit - 1))
            count = 1 + sum(1 for _ in alike)
            rounded = 1 << (count.bit_length() - 1)  # few shapes of batches are met often
            batch += [_taken(reading) for _ in range(rounded - 1)]
        return batch

    def _begin(self, batch: Sequence[_Read]) -> list[_UnderWay]:
        """Begin what may be one batch, and return what waits for each image; faults are told in its turn."""
        loaded = [one for _, one in batch if isinstance(one, Loaded)]
        if not loaded:
            return [(task, partial(_same, error)) for task, error in batch if not isinstance(error, Loaded)]
        begun: list[Callable[[], Restored]]
        if loaded[0].image is None:
            begun = [partial(self._restore_pieces, batch[0][0], loaded[0])]
        else:
            try:
                begun = self._files.begin(loaded)
            except RestorecliError as error:
                if len(batch) > 1 and not isinstance(error, ResourceError):
                    return [one for alone in batch for one in self._begin([alone])]
                begun = [partial(_raised, error)] * len(batch)
        return [
            (task, partial(self._outcome, task, one.size, waits))
            for (task, _), one, waits in zip(batch, loaded, begun, strict=True)
        ]

    def _read_ahead(self, numbered: tuple[int, Task]) -> Loaded:
        turn, task = numbered
        header = header_of(task.file.path)
        size = _memory_of(header, self._files.image_restorer.restorer.spec.scale)
        self._memory.enter(turn, size)
        try:
            return self._files.load(task.file, header, size)
        except BaseException:
            self._memory.leave(size)
            raise

    def _outcome(self, task: Task, size: int, waits: Callable[[], Restored]) -> Restored | RestorecliError:
        """Wait for an image; one that fails gives back its memory."""
        try:
            return waits()
        except ResourceError as error:
            error.file = error.file or str(task.file.path)
            raise
        except RestorecliError as error:
            self._memory.leave(size)
            error.file = error.file or str(task.file.path)
            return error

    def _restore_pieces(self, task: Task, loaded: Loaded) -> Restored:
        return self._files.restore_pieces(task.file, loaded, self._prepare_target(task))

    def _prepare_target(self, task: Task) -> Path:
        target = self._output / task.target
        make_folder(target.parent, self._output)
        return target

    def _write_behind(self, append: Append, item: tuple[Task, Restored | RestorecliError]) -> Done:
        """Write an image and then its manifest line."""
        task, restored = item
        if isinstance(restored, RestorecliError):
            raise restored
        try:
            notes = self._files.write(restored, self._prepare_target(task))
            write_findings(restored.found, self._output, task.target)
            record = self._record(task, restored, notes)
            append(record)
        finally:
            self._memory.leave(restored.size)
        return Done(restored.area / 1e6, record.notes)

    def _record(self, task: Task, restored: Restored, notes: tuple[str, ...]) -> Record:
        use = restored.use
        how = {
            **self._files.settings(task.file, restored.stamp),
            "tile": use.tile,
            "overlap": use.overlap,
            "exact": use.exact,
        }
        if self._files.image_restorer.restorer.backend_reason:
            how["backend_reason"] = self._files.image_restorer.restorer.backend_reason
        if restored.found.values:
            how["found"] = restored.found.values
        path, files = task.target.as_posix(), self._files
        return restored_record(
            path, task.file, self._output, files.sources, how, __version__, notes, files.reading
        )


def _taken(reading: _Reading) -> _Read:
    (_, task), loaded = reading.take()
    return task, loaded


def _are_alike(first: Loaded, other: Loaded | RestorecliError) -> bool:
    """Tell whether two images that were read have one size."""
    if isinstance(other, RestorecliError) or first.image is None or other.image is None:
        return False
    return first.image.seen.shape == other.image.seen.shape


def _same(error: RestorecliError) -> RestorecliError:
    return error


def _raised(error: RestorecliError) -> NoReturn:
    raise error


def _memory_of(header: ImageHeader | None, scale: int) -> int:
    """Return the bytes that an image will hold: as read, as restored, and on its way to the disk.

    The latter two are larger by the scale. 0 for an image that cannot be read anyway.
    """
    if header is None:
        return 0
    height, width = header.size
    return height * width * _BYTES_PER_PIXEL * (1 + 2 * scale**2)
