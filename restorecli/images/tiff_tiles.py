"""TIFF images that memory cannot hold: written by tiles, from rows as they come."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tifffile

from restorecli.errors import ImageError
from restorecli.images.atomic import atomic_write
from restorecli.images.decoded import Samples
from restorecli.images.image import FileTraits, Pixels
from restorecli.images.metadata import metadata_for
from restorecli.images.tiff import how_to_write
from restorecli.images.tiff_tags import append_tags_to_file
from restorecli.images.writing import samples_of

TILE = 256
"""Side of the tiles of written files."""

_BUFFER = 16 << 20
"""Bytes of tiles that are packed side by side."""

_CLASSIC_LIMIT = (1 << 32) - (1 << 25)
"""Bytes of samples from which on BigTIFF is written; its directories need some of the 4 GiB too."""


def write_tiff_rows(
    path: Path, bands: Iterable[Pixels], size: tuple[int, int], channels: int, traits: FileTraits
) -> tuple[str, ...]:
    """Write a TIFF whose rows come one band after another, atomically; it has tiles of 256 pixels.

    Values become integers as in `write_image`. Files of more than 4 GiB are BigTIFF.

    Args:
        path: The file to write; its folder must exist.
        bands: (C, rows, W) pixels from top to bottom, any number of rows each.
        size: Height and width in pixels.
        channels: 1 for gray, 3 for RGB.
        traits: Depth and metadata to write.

    Returns:
        What could not be kept.

    Raises:
        ImageError: The disk has no room for the samples; nothing was written.
        ResourceError: The disk became full or failed.
    """
    shape = size if channels == 1 else (*size, channels)
    dtype = traits.dtype
    needed = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    _check_room(path, needed)
    metadata, losses = metadata_for(traits, channels, "TIFF")
    # What the rows will hold is not known yet, so that their scale is always stated, but for 8 bits.
    stated = traits.scale or (None if dtype == np.uint8 else traits.value_scale)
    how = how_to_write(dtype, shape, icc=metadata.icc, xmp=metadata.xmp, dpi=metadata.dpi, scale=stated)
    with atomic_write(path, needed=needed) as temporary:
        tifffile.imwrite(
            temporary,
            _tiles(bands, traits),
            shape=shape,
            dtype=dtype,
            tile=(TILE, TILE),
            bigtiff=needed > _CLASSIC_LIMIT,
            buffersize=_BUFFER,
            **how,
        )
        append_tags_to_file(temporary, metadata.exif)
    return losses


def _tiles(bands: Iterable[Pixels], traits: FileTraits) -> Iterator[Samples]:
    """Yield the tiles of an image, row by row; those at its right and lower edge are what is left."""
    for rows in _regrouped(bands):
        samples = samples_of(rows, traits.dtype, traits.scale)
        for left in range(0, samples.shape[1], TILE):
            yield samples[:, left : left + TILE]


def _regrouped(bands: Iterable[Pixels]) -> Iterator[Pixels]:
    """Yield the rows of all bands in groups of `TILE`, the last with what is left."""
    waiting: list[Pixels] = []
    held = 0
    for band in bands:
        place = 0
        while place < band.shape[1]:
            part = band[:, place : place + TILE - held]
            place, held = place + part.shape[1], held + part.shape[1]
            waiting.append(part)
            if held == TILE:
                yield np.concatenate(waiting, axis=1)
                waiting, held = [], 0
    if waiting:
        yield np.concatenate(waiting, axis=1)


def _check_room(path: Path, needed: int) -> None:
    """Refuse an image whose samples the disk has no room for, before anything is computed.

    Raises:
        ImageError: There is no room.
    """
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise ImageError(
            "The disk has no room for the image.",
            expected=f"{needed:,} bytes",
            got=f"{free:,} bytes free",
            file=path,
            hint="free some space, use an -o/--output on another disk, or check whether the file is a bomb",
        )
