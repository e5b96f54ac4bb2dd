"""Images that memory cannot hold: which they are, and how they are read and written from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from restorecli.errors import ImageError
from restorecli.images.budget import decoding_budget
from restorecli.images.formats import SUFFIXES, format_for
from restorecli.images.headers import ImageHeader
from restorecli.images.image import FileTraits, Pixels
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.png_rows import write_png_rows
from restorecli.images.reading import MAX_PIXELS_PER_BYTE, fits_in_memory, probe
from restorecli.images.tiff_rows import TiffRows
from restorecli.images.tiff_tiles import write_tiff_rows

BAND_PIXELS = 1 << 21
"""Pixels that are worked on at a time."""

_BY_VIPS = ("PNG", "JPEG")

_MAX_MEMORY_PER_BYTE = MAX_PIXELS_PER_BYTE * 6
"""Bytes that decoding takes for a byte of a file, at most: see `decoding_bytes`."""


class RowReader(Protocol):
    """An open image whose rows are read when they are needed.

    Attributes:
        size: Height and width in pixels.
        channels: 1 for gray, 3 for RGB.
        traits: What the file was beside its colors.
    """

    size: tuple[int, int]
    channels: int
    traits: FileTraits

    def read(self, start: int, stop: int) -> Pixels:
        """Return the rows from `start` to before `stop`: (C, rows, W) float32, nominally in [0, 1].

        Raises:
            ImageError: They are damaged, or hold values that are not finite.
        """

    def __enter__(self) -> Self:
        """Return the reader itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""


def may_go_by_rows(file: Path) -> bool:
    """Tell by suffix and bytes alone whether a file may be one that `goes_by_rows`; most are not."""
    kind = SUFFIXES.get(file.suffix.lower())
    if kind not in _BY_VIPS or not file.is_file():
        return kind == "TIFF"
    return file.stat().st_size * _MAX_MEMORY_PER_BYTE > decoding_budget()


def goes_by_rows(header: ImageHeader) -> bool:
    """Tell whether an image does not fit into memory, but can be read by rows.

    PNG and JPEG can where libvips is installed.
    """
    readable = header.format == "TIFF" or (header.format in _BY_VIPS and find_spec("pyvips") is not None)
    return readable and not fits_in_memory(header)


def open_rows(path: Path, options: ReadOptions = STRICT, like: FileTraits | None = None) -> RowReader:
    """Open an image whose rows are read when they are needed.

    Args:
        path: A file of a format that is read by rows; see `goes_by_rows`.
        options: How to read what is unusual.
        like: Traits of an image that this one is to be compared with, whose scale it is read by.

    Raises:
        ImageError: The file is damaged, or can only be read whole.
    """
    header = probe(path)
    if header.format in _BY_VIPS:
        from restorecli.images.vips_rows import VipsRows

        return VipsRows(path, header, options, like)
    return TiffRows(path, options, like)


def write_rows(
    path: Path, bands: Iterable[Pixels], size: tuple[int, int], channels: int, traits: FileTraits
) -> tuple[str, ...]:
    """Write an image whose rows come one band after another, atomically, as TIFF or PNG.

    Args:
        path: The file to write; its folder must exist.
        bands: (C, rows, W) pixels from top to bottom, any number of rows each.
        size: Height and width in pixels.
        channels: 1 for gray, 3 for RGB.
        traits: Depth and metadata to write.

    Returns:
        What could not be kept.

    Raises:
        ImageError: The suffix is of another format, the format does not hold the values, or the disk has no
            room for them; nothing was written.
        ResourceError: The disk became full or failed.
    """
    writers = {"TIFF": write_tiff_rows, "PNG": write_png_rows}
    writer = writers.get(format_for(path))
    if writer is None:
        raise ImageError(
            "The image is too large for memory, and only TIFF and PNG are written by rows.",
            expected="a TIFF or PNG to write",
            got=path.name,
            hint="--format tiff or --format png",
        )
    return writer(path, bands, size, channels, traits)


def blocks(height: int, width: int, multiple: int = 1) -> Iterator[tuple[int, int]]:
    """Yield first row and end of blocks of about `BAND_PIXELS`; all heights but the last are a multiple."""
    step = max(BAND_PIXELS // (width * multiple), 1) * multiple
    for start in range(0, height, step):
        yield start, min(start + step, height)
