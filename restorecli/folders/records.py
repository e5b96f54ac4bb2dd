"""The lines of manifests by the path of their image, read when they are asked for."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from restorecli.errors import DataError
from restorecli.folders.marks import Marks
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
        self._homes, self._starts = array("I"), array("Q")
        self._paths = Marks(self._places())

    def _places(self) -> Iterator[str]:
        """Note where each line is, and yield what it is about."""
        for home, file in enumerate(self._files):
            for start, path in _lines(file):
                self._homes.append(home)
                self._starts.append(start)
                yield path

    def __getitem__(self, path: str) -> Record:
        for number in reversed(self._paths.places(path)):
            record = self._read(number)
            if record.path == path:
                return record
        raise KeyError(path)

    def __len__(self) -> int:
        return len(self._paths.last())

    def __iter__(self) -> Iterator[str]:
        return (self._read(int(number)).path for number in self._paths.last())

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
