"""Which images are shown beside one another, and what is shown of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from PIL import Image

from restorecli.errors import DataError, ImageError, UsageError
from restorecli.folders.made import Made
from restorecli.folders.matching import index_for
from restorecli.folders.walking import walk
from restorecli.images.image import FileTraits, ImageData, Pixels
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image
from restorecli.report.inset import Region, draw_inset, fitted
from restorecli.report.maps import difference_map, error_map, log_spectrum
from restorecli.report.panels import score_line, to_image

Item = TypeVar("Item")

AS_SEEN: Final = ReadOptions(allow_truncated=True, to_srgb=True, frames="first")
"""How images are read to be looked at: in the colors of any viewer, and as much of them as there is."""

_EXPECTED = "converted to sRGB"  # what every viewer does, and no news

MAPS: Final[Mapping[str, Callable[[Pixels, Pixels], Pixels]]] = MappingProxyType(
    {"difference": difference_map, "error": error_map}
)
"""What can be drawn of an image against the last one of its row."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a comparison, or one image of a folder.

    Attributes:
        name: Relative path of the image in the first folder.
        files: One for each column: a file, or the reason why there is none.
    """

    name: str
    files: tuple[Path | str, ...]


@dataclass(frozen=True, slots=True)
class Lineup:
    """What is shown.

    Attributes:
        columns: A label for each path.
        entries: The images that are shown, in the order of the first folder.
        total: How many there would be without a limit.
        notes: What a reader should know of how names were matched.
    """

    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    total: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of every image.

    Attributes:
        crop: (width, height, left, top) in pixels of the last image of a row, or None.
        zoom: The central part is shown whose sides are 1 / zoom of the crop's, or of the image's.
        inset: The whole image is shown, and what `crop` and `zoom` name enlarged in a box inside it.
        scores: Whether PSNR and SSIM against the last image of a row stand below the others.
        maps: Names of `MAPS`, drawn of every image but the last of its row.
        spectrum: Whether the log spectrum of every image is shown too.
        values: Which values of the last image are black and white, see `ReadOptions.range`.
    """

    crop: tuple[int, int, int, int] | None = None
    zoom: float = 1.0
    inset: bool = False
    scores: bool = False
    maps: tuple[str, ...] = ()
    spectrum: bool = False
    values: str = "auto"


@dataclass(frozen=True, slots=True)
class Tile:
    """One image as it is shown, already in its final size; without an image, a reason why."""

    label: str
    image: Image.Image | None
    reason: str = ""
    caption: str = ""


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


def line_up(
    paths: Sequence[Path], limit: int, endings: Sequence[str] = (), titles: Sequence[str] = ()
) -> Lineup:
    """Find the images that belong beside one another.

    Args:
        paths: Files or folders. The first one gives the rows; those of the others are found by their names,
            see `folders.matching.NameIndex`. A single file stands beside every image.
        limit: How many images of the first folder at most; of more, evenly spread ones are taken.
        endings: What names end in besides; see `NameIndex`.
        titles: What stands above the columns, one for each path; by default the names of the paths.

    Returns:
        The rows; a missing image is a reason, not an error.

    Raises:
        DataError: A path does not exist or holds no image.
        UsageError: There is no path, or the limit is not positive.
    """
    if not paths or limit < 1:
        raise UsageError(
            "There is nothing to show.", expected="paths and a limit of 1 or more", got=f"limit {limit}"
        )
    files = walk(paths[0])
    if not files:
        raise DataError("The folder holds no images.", file=paths[0])
    names = Made(len(files), lambda place: files[place].relative)
    matched = [index_for(path, names, endings) for path in paths[1:]]
    entries = []
    for file in spread(files, limit):
        partners = [index.find(file.relative) for index, _ in matched]
        found = [partner if isinstance(partner, str) else partner.path for partner in partners]
        entries.append(Entry(file.relative.as_posix(), (file.path, *found)))
    notes = tuple(note for _, said in matched for note in said)
    return Lineup(tuple(titles) or default_titles(paths), tuple(entries), len(files), notes)


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
    """Read the images row by row; only one row is in memory.

    Args:
        lineup: Which images; one column is shown as a grid of thumbnails, several as a comparison.
        view: What is shown of each image; maps need a comparison.
        box: Width and height in pixels that every image is fitted into.
        across: Images in a row of a grid; spectra stand beside their images.
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


class _Reader:
    """Reads the images of one row, and makes tiles of them."""

    def __init__(self, view: View, box: tuple[int, int]) -> None:
        self._view = view
        self._box = box
        self._size: tuple[int, int] | None = None
        self._problems: list[str] = []
        self._notes: list[str] = []

    def row(self, entry: Entry, labels: Sequence[str]) -> Row:
        """Return the tiles of an entry; the last image is read first, as the scale of the others."""
        self._problems, self._notes = [], []
        read = self._read(entry.files[-1])
        like = None if isinstance(read, str) else read.traits
        last = _pixels(read)
        self._size = None if isinstance(last, str) else (last.shape[1], last.shape[2])
        tiles: list[Tile] = []
        for label, file in zip(labels[:-1], entry.files[:-1], strict=True):
            tiles += self._tiles(label, _pixels(self._read(file, like)), last, self._view.maps)
        tiles += self._tiles(labels[-1], last, last, ())
        return Row(entry.name, tuple(tiles), tuple(self._problems), tuple(self._notes))

    def _read(self, file: Path | str, like: FileTraits | None = None) -> ImageData | str:
        if isinstance(file, str):
            self._problems.append(file)
            return "missing"
        try:
            image = read_image(file, replace(AS_SEEN, range=self._view.values), like=like)
        except ImageError as error:
            self._problems.append(f"{file}: {error.problem}")
            return "unreadable"
        self._notes += [f"{file}: {note}" for note in image.traits.notes if note != _EXPECTED]
        return image

    def _box_of(self, pixels: Pixels) -> Region:
        """Return what `crop` and `zoom` name, in pixels of this image: left, top, right, bottom."""
        height, width = pixels.shape[1:]
        left, top, right, bottom = 0, 0, width, height
        if self._view.crop is not None:
            high, wide = self._size or (height, width)  # of the image that the crop is meant for
            across, down = width / wide, height / high
            w, h, x, y = self._view.crop
            left, right = (min(round(place * across), width) for place in (x, x + w))
            top, bottom = (min(round(place * down), height) for place in (y, y + h))
        if self._view.zoom == 1 or right <= left or bottom <= top:
            return left, top, right, bottom
        wide, high = (max(1, round(side / self._view.zoom)) for side in (right - left, bottom - top))
        left, top = left + (right - left - wide) // 2, top + (bottom - top - high) // 2
        return left, top, left + wide, top + high

    def _cut(self, pixels: Pixels | str) -> Pixels | str:
        if isinstance(pixels, str):
            return pixels
        left, top, right, bottom = self._box_of(pixels)
        part = pixels[:, top:bottom, left:right]
        return part if part.size else "outside the crop"

    def _tiles(
        self, label: str, pixels: Pixels | str, last: Pixels | str, maps: Sequence[str]
    ) -> Iterator[Tile]:
        """Yield the image, its maps against the last one, and its spectrum."""
        caption = score_line(pixels, last) if self._view.scores and pixels is not last else ""
        part = self._cut(pixels)
        if self._view.inset and not isinstance(pixels, str) and not isinstance(part, str):
            yield Tile(label, self._with_inset(pixels), caption=caption)
        else:
            yield self._tile(label, part, caption)
        for name in maps:
            yield self._tile(f"{label}: {name}", _map(name, part, self._cut(last)))
        if self._view.spectrum:
            yield self._tile(f"{label}: spectrum", part if isinstance(part, str) else log_spectrum(part))

    def _tile(self, label: str, pixels: Pixels | str, caption: str = "") -> Tile:
        if isinstance(pixels, str):
            return Tile(label, None, pixels)
        return Tile(label, fitted(to_image(pixels), self._box), caption=caption)

    def _with_inset(self, pixels: Pixels) -> Image.Image:
        return draw_inset(to_image(pixels), self._box_of(pixels), self._box)


def _pixels(read: ImageData | str) -> Pixels | str:
    return read if isinstance(read, str) else read.pixels


def _map(name: str, pixels: Pixels | str, last: Pixels | str) -> Pixels | str:
    if isinstance(pixels, str) or isinstance(last, str):
        return "nothing to compare"
    return MAPS[name](pixels, last) if pixels.shape[1:] == last.shape[1:] else "another size"


def default_titles(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the last name of every path, or the whole paths where last names are the same."""
    names = [path.name or path.resolve().name or str(path) for path in paths]
    return tuple(names if len(set(names)) == len(names) else (str(path) for path in paths))
