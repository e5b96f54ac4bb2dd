"""The lines of manifests by the path of their image, read when they are asked for."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.folders.record import Record


class Records(Mapping[str, Record]):
    """The records of manifests by path, of which only the places in the files are kept.

    All lines are read and checked once, when it is made. The last line for a path wins, those of a later file
    after those of an earlier one; a torn last line of a file is ignored. Iteration goes by the last lines.
    A hundred thousand lines take 2.4 MB. The files may be appended to meanwhile, but not be changed.

    Args:
        files: The manifests; those that are missing hold no line.

    Raises:
        DataError: A line is damaged or does not fit this version, or a file cannot be read.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)
        marks, homes, starts = array("Q"), array("I"), array("Q")
        for home, file in enumerate(self._files):
            for start, path in _lines(file):
                marks.append(_mark(path))
                homes.append(home)
                starts.append(start)
        self._homes, self._starts = homes, starts
        found: NDArray[np.uint64] = np.frombuffer(marks, np.uint64) if marks else np.empty(0, np.uint64)
        self._order = np.argsort(found, kind="stable").astype(np.uint32)
        self._marks = found[self._order]

    def __getitem__(self, path: str) -> Record:
        mark = np.uint64(_mark(path))
        low, high = (int(np.searchsorted(self._marks, mark, side)) for side in ("left", "right"))
        for place in range(high - 1, low - 1, -1):
            record = self._read(int(self._order[place]))
            if record.path == path:  # two paths might share their 64 bits
                return record
        raise KeyError(path)

    def __len__(self) -> int:
        return len(self._last())

    def __iter__(self) -> Iterator[str]:
        return (self._read(int(number)).path for number in self._last())

    def _last(self) -> NDArray[np.uint32]:
        """Return the numbers of the lines that count, in their order."""
        if not len(self._marks):
            return self._order
        ends = np.append(self._marks[1:] != self._marks[:-1], True)
        return np.sort(self._order[ends])

    def _read(self, number: int) -> Record:
        with self._files[self._homes[number]].open("rb") as stream:
            stream.seek(self._starts[number])
            return Record.from_json(stream.readline())


def is_whole(line: bytes) -> bool:
    """Tell whether a line without an end is one nevertheless, and not torn."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield where each line begins, and the path that it is about."""
    start = 0
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip() and (line.endswith(b"\n") or is_whole(line)):
                    yield start, _checked(line, file, number).path
                start += len(line)
    except FileNotFoundError:
        return
    except OSError as fault:
        raise DataError("The manifest cannot be read.", got=str(fault), file=file) from fault


def _checked(line: bytes, file: Path, number: int) -> Record:
    try:
        return Record.from_json(line)
    except DataError as error:
        error.file = f"{file}, line {number}"
        error.hint = "repair or remove this line; the image it names is then made again"
        raise


def _mark(path: str) -> int:
    name = path.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
