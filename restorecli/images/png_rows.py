"""PNG images that memory cannot hold: written from rows as they come."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import ImageError
from restorecli.images.atomic import atomic_write
from restorecli.images.decoded import Samples
from restorecli.images.exif import PREFIX
from restorecli.images.image import FileTraits, Pixels
from restorecli.images.metadata import Metadata, metadata_for
from restorecli.images.png import SIGNATURE
from restorecli.images.png_chunks import make_chunk, with_metadata
from restorecli.images.writing import samples_of

_SUB = 1
"""The filter by which a byte becomes its difference from that of the pixel to the left."""


def write_png_rows(
    path: Path, bands: Iterable[Pixels], size: tuple[int, int], channels: int, traits: FileTraits
) -> tuple[str, ...]:
    """Write a PNG of 8 or 16 bits whose rows come one band after another, atomically.

    It is compressed fast rather than small, as `png.encode_deep` does it.

    Args:
        path: The file to write; its folder must exist.
        bands: (C, rows, W) pixels from top to bottom, any number of rows each.
        size: Height and width in pixels.
        channels: 1 for gray, 3 for RGB.
        traits: Depth and metadata to write.

    Returns:
        What could not be kept.

    Raises:
        ImageError: The values are not those of 8 or 16 bits.
        ResourceError: The disk became full or failed.
    """
    if not traits.plain:
        raise ImageError(
            "Such values are not written to a PNG by rows.",
            expected="8 or 16 bits that are filled",
            got=f"{traits.dtype.name}" + ("" if traits.scale is None else f", {traits.scale.note}"),
            hint="--format tiff",
        )
    metadata, losses = metadata_for(traits, channels, "PNG")
    with atomic_write(path) as temporary, temporary.open("wb") as stream:
        stream.write(_start(size, channels, traits, metadata))
        for packed in _packed(samples_of(band, traits.dtype, None) for band in bands):
            stream.write(make_chunk(b"IDAT", packed))
        stream.write(make_chunk(b"IEND", b""))
    return losses


def _start(size: tuple[int, int], channels: int, traits: FileTraits, metadata: Metadata) -> bytes:
    """Return all that comes before the samples."""
    color = 0 if channels == 1 else 2
    data = SIGNATURE + make_chunk(
        b"IHDR", struct.pack(">IIBBBBB", size[1], size[0], traits.depth, color, 0, 0, 0)
    )
    if metadata.icc is not None:
        data += make_chunk(b"iCCP", b"ICC profile\x00\x00" + zlib.compress(metadata.icc))
    if metadata.exif is not None:
        data += make_chunk(b"eXIf", metadata.exif.removeprefix(PREFIX))
    return with_metadata(data, metadata.xmp, metadata.dpi, metadata.chunks)


def _packed(bands: Iterator[Samples]) -> Iterator[bytes]:
    """Yield the compressed rows, piece by piece."""
    packer = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    for samples in bands:
        packed = packer.compress(_filtered(samples).tobytes())
        if packed:
            yield packed
    yield packer.flush()


def _filtered(samples: Samples) -> NDArray[np.uint8]:
    """Return (rows, bytes) of (rows, W) or (rows, W, 3) samples, each row after the number of its filter."""
    pixel = samples.itemsize * (1 if samples.ndim == 2 else samples.shape[2])
    plain = np.ascontiguousarray(samples, samples.dtype.newbyteorder(">"))
    row = plain.view(np.uint8).reshape(len(samples), samples.shape[1] * pixel)
    filtered = np.empty((len(row), row.shape[1] + 1), np.uint8)
    filtered[:, 0] = _SUB
    filtered[:, 1 : pixel + 1] = row[:, :pixel]
    np.subtract(row[:, pixel:], row[:, :-pixel], out=filtered[:, pixel + 1 :])
    return filtered
