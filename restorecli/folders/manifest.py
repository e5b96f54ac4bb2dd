"""The manifest: one JSON line per image that tells where it came from and what was done to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from restorecli.counting import counted
from restorecli.errors import UsageError
from restorecli.folders.locators import locate, make_locator, open_locator
from restorecli.folders.places import open_output, touch
from restorecli.folders.record import Record
from restorecli.folders.records import Records, is_whole
from restorecli.folders.samples import Sample
from restorecli.folders.shards import WHOLE, Shard, shard_files
from restorecli.images.atomic import atomic_write
from restorecli.images.faults import write_fault

__all__ = ["FILE_NAME", "Manifest", "Record", "locate", "make_locator", "open_locator"]

FILE_NAME = "manifest.jsonl"


class Manifest:
    """The manifest of one folder: read line by line, appended to from any thread.

    Every shard writes a file of its own, `manifest.3-of-8.jsonl`, and all files are read as one. A run over
    the whole folder joins them.

    Args:
        folder: The folder.
        shard: The part of the folder's images that lines are appended about.
    """

    def __init__(self, folder: Path | str, shard: Shard = WHOLE) -> None:
        self.folder = Path(folder)
        self.file = self.folder / shard.name_in(FILE_NAME)
        self._shard = shard
        self._lock = threading.Lock()
        self._tail_is_sound = False

    def exists(self) -> bool:
        """Tell whether the folder has a manifest."""
        return (self.folder / FILE_NAME).is_file()

    def read(self) -> Records:
        """Return the records by path; the last line for a path wins, a torn last line is ignored.

        Raises:
            DataError: A line is damaged or does not fit this version, or the file cannot be read.
        """
        parts = [file for _, file in shard_files(self.folder, FILE_NAME)]
        return Records([self.folder / FILE_NAME, *parts])

    def start(self) -> None:
        """Make the file where there is none, so that images without a line are known as unfinished ones.

        A manifest of the whole folder takes in the lines of its shards; the caller holds the folder's lock.

        Raises:
            UsageError: Lines of another number of shards stand there.
            DataError: A link stands in its place, or the folder cannot be written to.
            ResourceError: The disk is full or failing.
        """
        parts = list(shard_files(self.folder, FILE_NAME))
        if self._shard == WHOLE and parts:
            self._join([file for _, file in parts])
        elif any(shard.count != self._shard.count for shard, _ in parts):
            raise UsageError(
                "The output folder was written by another number of shards.",
                expected=f"{counted(parts[0][0].count, 'shard')}, or the whole folder",
                got=counted(self._shard.count, "shard"),
                file=self.folder,
                unchanged="everything",
                hint="run the command once without --shard: it joins what the shards wrote and does the rest",
            )
        touch(self.folder / FILE_NAME)
        touch(self.file)

    def _join(self, parts: Sequence[Path]) -> None:
        records = self.read()
        with atomic_write(self.file) as temporary, temporary.open("w", encoding="ascii") as stream:
            stream.writelines(f"{record.to_json()}\n" for record in records.values())
        for part in parts:
            part.unlink()

    def append(self, record: Record) -> None:
        """Add one line; safe from several threads, at the same cost however long the manifest is.

        Raises:
            ResourceError: The disk is full or failing.
            DataError: The folder cannot be written to.
        """
        line = record.to_json().encode("ascii") + b"\n"
        try:
            with self._lock, os.fdopen(open_output(self.file, os.O_RDWR | os.O_CREAT), "rb+") as stream:
                if not self._tail_is_sound:
                    _mend_tail(stream)
                    self._tail_is_sound = True
                stream.seek(0, os.SEEK_END)
                stream.write(line)
        except OSError as fault:
            self._tail_is_sound = False
            raise write_fault(fault, self.file, needed=len(line)) from fault

    def locate(self, locator: str) -> Path | Sample:
        """Return the file or the built-in sample that a locator names.

        Raises:
            DataError: It names a sample that does not exist.
        """
        return locate(locator, self.folder)


def _mend_tail(stream: BinaryIO) -> None:
    """Cut off a torn last line, so that the next one starts at the beginning of a line."""
    size = stream.seek(0, os.SEEK_END)
    start, tail = size, b""
    while start > 0 and b"\n" not in tail:
        step = min(65536, start)
        start -= step
        stream.seek(start)
        tail = stream.read(step) + tail
    last = tail[tail.rfind(b"\n") + 1 :]
    if not last:
        return
    if is_whole(last):
        stream.seek(size)
        stream.write(b"\n")
    else:
        stream.truncate(size - len(last))
