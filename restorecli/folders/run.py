"""One run over a folder of images: everything that `degrade` and `restore` do alike.

A room says what one image depends on and how images are made; the run holds the lock, keeps inputs and
other people's images from being written over, leaves out what is finished, and tells what was done.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Generic, Protocol, TypeVar

from restorecli.errors import RestorecliError
from restorecli.folders.jobs import Failure, FolderSummary, Progress, SilentProgress
from restorecli.folders.lock import output_lock
from restorecli.folders.made import Made
from restorecli.folders.manifest import Manifest
from restorecli.folders.notes import NoteTally
from restorecli.folders.protect import keep_originals, refuse_foreign_files
from restorecli.folders.record import Command, Record
from restorecli.folders.samples import Sample
from restorecli.folders.shards import WHOLE, Shard


class Item(Protocol):
    """One image to make."""

    @property
    def name(self) -> str:
        """Its source's relative path, as it is printed."""

    @property
    def source(self) -> Path | Sample:
        """What it is made from."""

    @property
    def target(self) -> PurePosixPath:
        """Where it is written, below the output folder."""

    @property
    def inputs(self) -> Sequence[Path]:
        """The files that must never be written over: its source, and the original that belongs to it."""


AnyItem = TypeVar("AnyItem", bound=Item)
Append = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Done:
    """One image on the disk: its size in millions of pixels, and what a reader should know of it."""

    megapixels: float
    notes: tuple[str, ...]


class Room(Protocol[AnyItem]):
    """What a command adds to a run: which images are finished, and how the others are made."""

    @property
    def command(self) -> Command:
        """The command that writes."""

    def is_finished(self, item: AnyItem, record: Record) -> bool:
        """Tell whether the image stands there as this run would make it.

        Args:
            item: The image.
            record: The last line of the output's manifest about it.
        """

    def check_replaced(self, items: Sequence[AnyItem], records: Mapping[str, Record]) -> None:
        """Refuse to replace what an earlier run wrote, where somebody may want to keep it.

        Args:
            items: All images of the run.
            records: The last line of the output's manifest about each image.

        Raises:
            UsageError: There is such an image.
        """

    def results(
        self, items: Iterable[AnyItem], append: Append
    ) -> Generator[tuple[AnyItem, Done | RestorecliError], None, None]:
        """Make images, and yield them in their order, each done or failed.

        Args:
            items: Taken one by one, from the caller's thread.
            append: Adds a line to the manifest, from any thread; called once an image is on the disk.
        """


class AroundRoom(Generic[AnyItem]):
    """Another room, of which only the making of images is changed.

    Args:
        room: The room.
    """

    def __init__(self, room: Room[AnyItem]) -> None:
        self.command: Command = room.command
        self._room = room

    def is_finished(self, item: AnyItem, record: Record) -> bool:
        """Tell whether the image stands there as this run would make it."""
        return self._room.is_finished(item, record)

    def check_replaced(self, items: Sequence[AnyItem], records: Mapping[str, Record]) -> None:
        """Refuse to replace what somebody may want to keep; see `Room`."""
        self._room.check_replaced(items, records)


def run_folder(
    room: Room[AnyItem],
    items: Sequence[AnyItem],
    output: Path,
    *,
    overwrite: bool = False,
    shard: Shard = WHOLE,
    hidden: int = 0,
    progress: Progress | None = None,
) -> FolderSummary:
    """Make the images that are not finished; one that fails costs one image.

    Args:
        room: What is done.
        items: All images, with targets that differ.
        output: The folder to write into; made when missing.
        overwrite: Make finished images again, and replace images that `room.command` did not write.
        shard: The part of the images to make; other processes make the others.
        hidden: Files that were left out of the listing, for the summary.
        progress: Progress callbacks.

    Raises:
        UsageError: A target is an input, or an image that `room.command` did not write.
        DataError: The manifest of the output is damaged, or its folder cannot be written to.
        BusyError: Another run writes into the output.
        ResourceError: The disk or the memory ran out.
    """
    began = time.perf_counter()
    progress = progress or SilentProgress()
    keep_originals(items, output)
    items = part_of(items, shard)
    with output_lock(output, shard):
        manifest = Manifest(output, shard)
        records = manifest.read()
        waiting = _waiting(room, items, manifest, records, overwrite=overwrite)
        manifest.start()
        del records
        tally = _Tally(progress)
        progress.start(len(waiting), "images")
        try:
            with closing(room.results((items[number] for number in waiting), manifest.append)) as results:
                for item, outcome in results:
                    tally.add(item.name, outcome)
        finally:
            progress.finish()
    return FolderSummary(
        command=room.command,
        output=output,
        written=tally.written,
        skipped=len(items) - len(waiting),
        failures=tuple(tally.failures),
        megapixels=tally.megapixels,
        seconds=time.perf_counter() - began,
        notes=tally.notes.notes,
        hidden=hidden,
    )


def one_done(command: Command, name: str, target: Path, done: Done, began: float) -> FolderSummary:
    """Return what was done to one image, as of a folder of one whose output is `target`.

    Args:
        command: Who wrote it.
        name: Its source, as it is printed.
        target: The file that was written.
        done: The image.
        began: When, by `time.perf_counter`.
    """
    tally = NoteTally()
    tally.add(name, done.notes)
    seconds = time.perf_counter() - began
    return FolderSummary(command, target, 1, 0, (), done.megapixels, seconds, tally.notes)


def unfinished(
    room: Room[AnyItem], items: Sequence[AnyItem], output: Path, *, overwrite: bool = False
) -> list[AnyItem]:
    """Return the images that `run_folder` with the same arguments would make; nothing is written.

    Raises:
        UsageError: As of `run_folder`.
        DataError: The manifest of the output is damaged.
    """
    keep_originals(items, output)
    manifest = Manifest(output)
    waiting = _waiting(room, items, manifest, manifest.read(), overwrite=overwrite)
    return [items[number] for number in waiting]


def part_of(items: Sequence[AnyItem], shard: Shard) -> Sequence[AnyItem]:
    """Return the items of a shard."""
    if shard == WHOLE:
        return items
    numbers = array("L", (number for number, item in enumerate(items) if shard.holds(item.target)))
    return Made(len(numbers), lambda place: items[numbers[place]])


def _waiting(
    room: Room[AnyItem],
    items: Sequence[AnyItem],
    manifest: Manifest,
    records: Mapping[str, Record],
    *,
    overwrite: bool,
) -> array[int]:
    """Return the numbers of the images that are to be made, once it is clear that they may be."""
    if not overwrite:
        refuse_foreign_files((item.target for item in items), manifest, records, room.command)
        room.check_replaced(items, records)
    waiting = array("L")
    for number, item in enumerate(items):
        record = records.get(item.target.as_posix())
        if overwrite or record is None or not room.is_finished(item, record):
            waiting.append(number)
    return waiting


class _Tally:
    """What a run has done so far."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.written = 0
        self.megapixels = 0.0
        self.failures: list[Failure] = []
        self.notes = NoteTally()

    def add(self, name: str, outcome: Done | RestorecliError) -> None:
        if isinstance(outcome, RestorecliError):
            self.failures.append(Failure(name, outcome))
            self._progress.advance(name, outcome)
            return
        self.written += 1
        self.megapixels += outcome.megapixels
        self.notes.add(name, outcome.notes)
        self._progress.advance(name)
