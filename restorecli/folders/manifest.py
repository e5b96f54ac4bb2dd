"""The manifest: one JSON line per picture that tells where it came from and what was done to it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import BinaryIO

from restorecli.folders.locators import locate, make_locator, open_locator
from restorecli.folders.places import open_output, touch
from restorecli.folders.record import Record
from restorecli.folders.records import Records, is_whole
from restorecli.folders.samples import Sample
from restorecli.images.atomic import write_fault

__all__ = ["FILE_NAME", "Manifest", "Record", "locate", "make_locator", "open_locator"]

FILE_NAME = "manifest.jsonl"


class Manifest:
    """The manifest of one folder: read whole, appended line by line from any thread."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.file = self.folder / FILE_NAME
        self._lock = threading.Lock()
        self._tail_is_sound = False

    def exists(self) -> bool:
        """Tell whether the folder has a manifest."""
        return self.file.is_file()

    def read(self) -> Records:
        """Return the records by path; the last line for a path wins, a torn last line is ignored.

        Raises:
            DataError: A line is damaged or does not fit this version, or the file cannot be read.
        """
        return Records([self.file])

    def start(self) -> None:
        """Make the file where there is none, so that pictures without a line are known as unfinished ones.

        Raises:
            DataError: A link stands in its place, or the folder cannot be written to.
            ResourceError: The disk is full or failing.
        """
        touch(self.file)

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
