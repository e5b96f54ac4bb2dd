"""Which pictures are shown beside one another, and what is shown of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from PIL import Image

from restorecli.errors import DataError, ImageError, UsageError
from restorecli.folders.matching import index_for
from restorecli.folders.walking import walk
from restorecli.images.options import ReadOptions
from restorecli.images.picture import FileTraits, Picture, Pixels
from restorecli.images.reading import read_picture
from restorecli.report.maps import difference_map, error_map, log_spectrum
from restorecli.report.panels import to_image

Item = TypeVar("Item")

AS_SEEN: Final = ReadOptions(allow_truncated=True, to_srgb=True, frames="first")
"""How pictures are read to be looked at: in the colours of any viewer, and as much of them as there is."""

_EXPECTED = "converted to sRGB"  # what every viewer does, and no news

MAPS: Final[Mapping[str, Callable[[Pixels, Pixels], Pixels]]] = MappingProxyType(
    {"difference": difference_map, "error": error_map}
)
"""What can be drawn of a picture against the last one of its row."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a comparison, or one picture of a folder.

    Attributes:
        name: Relative path of the picture in the first folder.
        files: One for each column: a file, or the reason why there is none.
    """

    name: str
    files: tuple[Path | str, ...]


@dataclass(frozen=True, slots=True)
class Lineup:
    """What is shown.

    Attributes:
        columns: A label for each path.
        entries: The pictures that are shown, in the order of the first folder.
        total: How many there would be without a limit.
        notes: What a reader should know of how names were matched.
    """

    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    total: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of every picture.

    Attributes:
        crop: (width, height, left, top) in pixels of the last picture of a row, or None.
        zoom: The central part is shown whose sides are 1 / zoom of the picture's.
        maps: Names of `MAPS`, drawn of every picture but the last of its row.
        spectrum: Whether the log spectrum of every picture is shown too.
        values: Which values of the last picture are black and white, see `ReadOptions.range`.
    """

    crop: tuple[int, int, int, int] | None = None
    zoom: float = 1.0
    maps: tuple[str, ...] = ()
    spectrum: bool = False
    values: str = "auto"


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture as it is shown, already in its final size; without an image, a reason why."""

    label: str
    image: Image.Image | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Tiles that stand beside one another.

    Attributes:
        title: Name of the row; empty in a grid, where every tile has its own name.
        tiles: From left to right.
        problems: What could not be shown, and why.
        notes: What a reader should know about the files.
    """

    title: str
    tiles: tuple[Tile, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def line_up(paths: Sequence[Path], limit: int, endings: Sequence[str] = ()) -> Lineup:
    """Find the pictures that belong beside one another.

    Args:
        paths: Files or folders. The first one gives the rows; those of the others are found by their names,
            see `folders.matching.NameIndex`. A single file stands beside every picture.
        limit: How many pictures of the first folder at most; of more, evenly spread ones are taken.
        endings: What names end in besides; see `NameIndex`.

    Returns:
        The rows; a missing mate is a reason, not an error.

    Raises:
        DataError: A path does not exist or holds no picture.
        UsageError: There is no path, or the limit is not positive.
    """
    if not paths or limit < 1:
        raise UsageError(
            "there is nothing to show", expected="paths and a limit of 1 or more", came=f"limit {limit}"
        )
    files = walk(paths[0])
    if not files:
        raise DataError("the folder holds no pictures", file=paths[0])
    names = [file.relative for file in files]
    matched = [index_for(path, names, endings) for path in paths[1:]]
    entries = []
    for file in spread(files, limit):
        mates = [index.find(file.relative) for index, _ in matched]
        found = [mate if isinstance(mate, str) else mate.path for mate in mates]
        entries.append(Entry(file.relative.as_posix(), (file.path, *found)))
    notes = tuple(note for _, said in matched for note in said)
    return Lineup(_labels(paths), tuple(entries), len(files), notes)


def spread(items: Sequence[Item], limit: int) -> list[Item]:
    """Return at most `limit` items, evenly spread from the first on, in their order."""
    count = min(limit, len(items))
    return [items[place * len(items) // count] for place in range(count)]


def headings(lineup: Lineup, view: View) -> tuple[str, ...]:
    """Return what stands above the tiles of a comparison; nothing for a single folder."""
    if len(lineup.columns) == 1:
        return ()
    shown: list[str] = []
    for index, column in enumerate(lineup.columns):
        shown.append(column)
        shown += [f"{column}: {name}" for name in view.maps if index < len(lineup.columns) - 1]
        shown += [f"{column}: spectrum"] if view.spectrum else []
    return tuple(shown)


def rows(lineup: Lineup, view: View, box: tuple[int, int], across: int) -> Iterator[Row]:
    """Read the pictures row by row; only one row is in memory.

    Args:
        lineup: Which pictures; one column is shown as a grid of thumbnails, several as a comparison.
        view: What is shown of each picture; maps need a comparison.
        box: Width and height in pixels that every picture is fitted into.
        across: Pictures in a row of a grid; spectra stand beside their pictures.
    """
    reader = _Reader(view, box)
    if len(lineup.columns) > 1:
        for entry in lineup.entries:
            yield reader.row(entry, lineup.columns)
        return
    for start in range(0, len(lineup.entries), across):
        read = [reader.row(entry, (entry.name,)) for entry in lineup.entries[start : start + across]]
        yield Row(
            "",
            tuple(tile for row in read for tile in row.tiles),
            tuple(problem for row in read for problem in row.problems),
            tuple(note for row in read for note in row.notes),
        )


def fitted(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Return an image as large as it goes into a box: shrunk smoothly, or enlarged by a whole factor."""
    scale = min(box[0] / image.width, box[1] / image.height)
    if scale < 1:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
    factor = math.floor(scale)
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


class _Reader:
    """Reads the pictures of one row, and makes tiles of them."""

    def __init__(self, view: View, box: tuple[int, int]) -> None:
        self._view = view
        self._box = box
        self._problems: list[str] = []
        self._notes: list[str] = []

    def row(self, entry: Entry, labels: Sequence[str]) -> Row:
        """Return the tiles of an entry; the last picture is read first, as the scale of the others."""
        self._problems, self._notes = [], []
        read = self._read(entry.files[-1])
        like = None if isinstance(read, str) else read.traits
        last = _pixels(read)
        size = None if isinstance(last, str) else last.shape[1:]
        last = self._cut(last, size)
        tiles: list[Tile] = []
        for label, file in zip(labels[:-1], entry.files[:-1], strict=True):
            seen = self._cut(_pixels(self._read(file, like)), size)
            tiles += self._tiles(label, seen, last, self._view.maps)
        tiles += self._tiles(labels[-1], last, last, ())
        return Row(entry.name, tuple(tiles), tuple(self._problems), tuple(self._notes))

    def _read(self, file: Path | str, like: FileTraits | None = None) -> Picture | str:
        if isinstance(file, str):
            self._problems.append(file)
            return "missing"
        try:
            picture = read_picture(file, replace(AS_SEEN, range=self._view.values), like=like)
        except ImageError as error:
            self._problems.append(f"{file}: {error.problem}")
            return "unreadable"
        self._notes += [f"{file}: {note}" for note in picture.traits.notes if note != _EXPECTED]
        return picture

    def _cut(self, pixels: Pixels | str, size: tuple[int, ...] | None) -> Pixels | str:
        """Return the part of a picture that is shown; `size` is that of the picture the crop is meant for."""
        if isinstance(pixels, str):
            return pixels
        height, width = pixels.shape[1:]
        if self._view.crop is None:
            high, wide = (max(1, round(side / self._view.zoom)) for side in (height, width))
            top, left = (height - high) // 2, (width - wide) // 2
            return pixels[:, top : top + high, left : left + wide]
        down, across = (
            own / meant for own, meant in zip((height, width), size or (height, width), strict=True)
        )
        wide, high, left, top = self._view.crop
        columns = slice(round(left * across), round((left + wide) * across))
        part = pixels[:, round(top * down) : round((top + high) * down), columns]
        return part if part.size else "outside the crop"

    def _tiles(
        self, label: str, pixels: Pixels | str, last: Pixels | str, maps: Sequence[str]
    ) -> Iterator[Tile]:
        """Yield the picture, its maps against the last one, and its spectrum."""
        yield self._tile(label, pixels)
        for name in maps:
            yield self._tile(f"{label}: {name}", _map(name, pixels, last))
        if self._view.spectrum:
            yield self._tile(
                f"{label}: spectrum", pixels if isinstance(pixels, str) else log_spectrum(pixels)
            )

    def _tile(self, label: str, pixels: Pixels | str) -> Tile:
        if isinstance(pixels, str):
            return Tile(label, None, pixels)
        return Tile(label, fitted(to_image(pixels), self._box))


def _pixels(read: Picture | str) -> Pixels | str:
    return read if isinstance(read, str) else read.pixels


def _map(name: str, pixels: Pixels | str, last: Pixels | str) -> Pixels | str:
    if isinstance(pixels, str) or isinstance(last, str):
        return "nothing to compare"
    return MAPS[name](pixels, last) if pixels.shape[1:] == last.shape[1:] else "another size"


def _labels(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the last name of every path, or the whole paths where last names are the same."""
    names = [path.name or path.resolve().name or str(path) for path in paths]
    return tuple(names if len(set(names)) == len(names) else (str(path) for path in paths))
