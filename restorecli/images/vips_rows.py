"""PNG and JPEG images that memory cannot hold: read by rows through libvips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyvips

from restorecli.errors import ImageError
from restorecli.images import budget, pillow_files, png
from restorecli.images.decoded import DamagedImageError, Decoded, Samples, scale_for, scaled
from restorecli.images.exif import stated_orientation, upright_block
from restorecli.images.forward import Forward
from restorecli.images.headers import ImageHeader
from restorecli.images.image import FileTraits, Pixels
from restorecli.images.options import ReadOptions
from restorecli.images.png_chunks import orientation_by
from restorecli.images.scale import Extent, extent_of
from restorecli.images.xmp import upright_packet

_INTERLACED = "it is interlaced, and its samples do not fit into it either"
_PROGRESSIVE = "it is progressive, and its coefficients do not fit into it either"

_COEFFICIENT = 2
"""Bytes that libjpeg keeps for each sample of a progressive image."""

_STRIP = 64
"""Rows that are fetched at a time."""


class VipsRows:
    """An open PNG or JPEG of any size, gray or RGB, whose rows are read from top to bottom.

    Rows are decoded once while ranges go down; going far back begins at the top again. Memory is that of a
    few ranges of rows; of an interlaced PNG it is that of all samples, of a progressive JPEG that of all its
    coefficients: less than half of what decoding whole takes. Only the loader of the format that the first
    bytes show is ever used.

    Args:
        path: The file.
        header: What its header promises.
        options: How to read what is unusual.
        like: Traits of an image that this one is to be compared with, whose scale it is read by.

    Attributes:
        size: Height and width in pixels.
        channels: 1 for gray, 3 for RGB.
        traits: What the file was beside its colors.

    Raises:
        ImageError: The file is damaged, or can only be read whole: it has alpha or a palette, is turned, or
            is to be converted to sRGB; or it is interlaced or progressive, and what its passes add to does
            not fit into memory.
    """

    def __init__(
        self, path: Path, header: ImageHeader, options: ReadOptions, like: FileTraits | None = None
    ) -> None:
        self._path = path
        self._header = header
        with path.open("rb") as stream:
            described, reasons = _DESCRIBE[header.format](stream, options)
        _check_rows(header, options, reasons)
        self.size = header.size
        self.channels = header.channels
        self._dtype = np.dtype(np.uint16 if header.depth == 16 else np.uint8)
        self._rows = self._from_top()
        self._scale = scale_for(self._dtype, described.levels, options, like, self._extent)
        self.traits = FileTraits(
            format=header.format,
            depth=header.depth,
            kind=self._dtype.kind,
            scale=self._scale,
            icc=described.icc,
            exif=upright_block(described.exif),
            xmp=upright_packet(described.xmp),
            dpi=described.dpi,
            chunks=described.chunks,
            notes=(*described.notes, *(() if self._scale is None else (self._scale.note,))),
        )

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._rows = Forward(iter(()))

    def read(self, start: int, stop: int) -> Pixels:
        """Return the rows from `start` to before `stop`: (C, rows, W) float32, nominally in [0, 1].

        Raises:
            ImageError: They are damaged.
        """
        return scaled(self._samples(start, stop), None, self._scale)

    def _samples(self, start: int, stop: int) -> Samples:
        if not self._rows.holds(start):
            self._rows = self._from_top()
        return self._rows.read(start, stop)

    def _extent(self) -> Extent:
        """Return what values there are; all rows are read for it."""
        height = self.size[0]
        return extent_of(self._samples(row, min(row + _STRIP, height)) for row in range(0, height, _STRIP))

    def _from_top(self) -> Forward:
        return Forward(self._strips(), axis=0, behind=2)

    def _strips(self) -> Iterator[Samples]:
        height, width = self.size
        try:
            image = _open(self._path, self._header)
            region = pyvips.Region.new(image)
            for start in range(0, height, _STRIP):
                rows = min(_STRIP, height - start)
                flat = np.frombuffer(region.fetch(0, start, width, rows), self._dtype)
                yield flat.reshape(rows, width, self.channels)
        except (pyvips.Error, ValueError) as fault:
            raise DamagedImageError(
                f"The {self._header.format} is damaged or cut short.",
                got=" ".join(str(fault).split())[:200],
                file=self._path,
            ) from fault


def _open(path: Path, header: ImageHeader) -> Any:  # noqa: ANN401 - pyvips has no types
    load = {"PNG": pyvips.Image.pngload, "JPEG": pyvips.Image.jpegload}[header.format]
    image = load(str(path), access="sequential", fail_on="error", revalidate=True)
    if (image.height, image.width, image.bands) != (*header.size, header.channels):
        raise ValueError(f"{image.width} x {image.height} x {image.bands} came out")
    return image


def _describe_png(stream: Any, options: ReadOptions) -> tuple[Decoded, dict[str, bool]]:  # noqa: ANN401
    header = png.read_header(stream.read(33))
    chunks = png.read_description(stream)
    kinds = {kind for kind, _ in chunks}
    described = png.describe(np.empty((0, 0), np.uint8), chunks, options)
    return described, {
        "it has a palette": header.color == 3,
        "its samples have fewer than 8 bits": header.depth < 8,
        "its samples have fewer significant bits than 16": header.depth == 16 and b"sBIT" in kinds,
        _INTERLACED: header.interlaced,
        "its orientation turns it": orientation_by(chunks) != 1,
    }


def _describe_jpeg(stream: Any, options: ReadOptions) -> tuple[Decoded, dict[str, bool]]:  # noqa: ANN401
    with pillow_files.open_file(stream, "JPEG") as image:
        progressive, mode = bool(image.info.get("progressive")), image.mode
    stream.seek(0)
    described = pillow_files.describe(stream, "JPEG", options)
    return described, {
        "its colors are neither gray nor RGB": mode not in ("L", "RGB"),
        _PROGRESSIVE: progressive,
        "its orientation turns it": (described.orientation or stated_orientation(described.exif) or 1) != 1,
    }


_DESCRIBE = {"PNG": _describe_png, "JPEG": _describe_jpeg}


def _check_rows(header: ImageHeader, options: ReadOptions, reasons: dict[str, bool]) -> None:
    """Refuse what can only be read whole.

    Raises:
        ImageError: The file is such a one.
    """
    samples = header.size[0] * header.size[1] * header.channels
    strip = _STRIP * header.size[1] * header.channels * header.depth // 8
    allowed = budget.decoding_budget()
    for reason, kept in ((_INTERLACED, samples * header.depth // 8), (_PROGRESSIVE, samples * _COEFFICIENT)):
        reasons[reason] = reasons.get(reason, False) and kept > allowed
    known = {
        "it has alpha": header.alpha,
        **reasons,
        "its rows are too long": strip > allowed // 4,
        "it is to be converted to sRGB": options.to_srgb,
    }
    found = [reason for reason, holds in known.items() if holds]
    if found:
        raise ImageError(
            f"The image is too large for this machine's memory, and cannot be read by rows: {found[0]}.",
            expected="gray or RGB of 8 or 16 bits without alpha, upright",
            hint="write it so with another program, free memory, or cut the image into parts",
        )
