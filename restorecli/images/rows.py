"""Images that memory cannot hold: which they are, and how they are read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from restorecli.images.headers import ImageHeader
from restorecli.images.image import FileTraits
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import fits_in_memory
from restorecli.images.tiff_rows import TiffRows

BAND_PIXELS = 1 << 21
"""Pixels that are worked on at a time."""


def goes_by_rows(header: ImageHeader) -> bool:
    """Tell whether an image does not fit into memory, but can be read by rows."""
    return header.format == "TIFF" and not fits_in_memory(header)


def open_rows(path: Path, options: ReadOptions = STRICT, like: FileTraits | None = None) -> TiffRows:
    """Open an image whose rows are read when they are needed; it is a context manager that closes it.

    Args:
        path: The file.
        options: How to read what is unusual.
        like: Traits of an image that this one is to be compared with, whose scale it is read by.

    Raises:
        ImageError: The file is damaged, or can only be read whole.
    """
    return TiffRows(path, options, like)


def blocks(height: int, width: int, multiple: int = 1) -> Iterator[tuple[int, int]]:
    """Yield first row and end of blocks of about `BAND_PIXELS`; all heights but the last are a multiple."""
    step = max(BAND_PIXELS // (width * multiple), 1) * multiple
    for start in range(0, height, step):
        yield start, min(start + step, height)
