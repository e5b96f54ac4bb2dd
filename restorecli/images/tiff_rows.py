"""TIFF images that memory cannot hold: read by rows."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
import tifffile

from restorecli.errors import ImageError
from restorecli.images.budget import decoding_budget
from restorecli.images.decoded import DECODER_FAULTS, Samples, scale_for, scaled
from restorecli.images.image import FileTraits, Pixels
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.scale import Extent, extent_of
from restorecli.images.tiff import as_supported, description
from restorecli.images.tiff_header import (
    GRAY,
    INVERTED,
    JPEG,
    RGB,
    YCBCR,
    TiffHeader,
    check_kind,
    check_pages,
    closed_where_damaged,
    damaged,
    open_tiff,
    parse_header,
)
from restorecli.images.tiff_levels import levels_of
from restorecli.images.tiff_tags import exif_of
from restorecli.images.xmp import upright_packet

_Piece = tuple[Samples | None, tuple[int, int, int, int, int], tuple[int, int, int, int]]

_MEASURED = 1 << 22
"""Pixels that are read at a time to measure their values."""


class TiffRows:
    """An open TIFF of any size, gray or RGB, whose rows are read when they are needed.

    Memory is that of the rows asked for and of one of the file's own strips or tiles.

    Args:
        path: The file.
        options: How to read what is unusual.
        like: Traits of an image that this one is to be compared with, whose scale it is read by.

    Attributes:
        size: Height and width in pixels.
        channels: 1 for gray, 3 for RGB.
        traits: What the file was beside its colors.

    Raises:
        ImageError: The file is damaged, or can only be read whole: it has alpha, is turned by its orientation
            tag, keeps its channels apart, is compressed in pieces that are too large, or is to be converted
            to sRGB.
    """

    def __init__(self, path: Path, options: ReadOptions = STRICT, like: FileTraits | None = None) -> None:
        self._path = path
        self._file = open_tiff(path)
        with closed_where_damaged(self._file):
            self._open(options, like)

    def _open(self, options: ReadOptions, like: FileTraits | None) -> None:
        self._page = self._file.pages.first
        self._header = parse_header(self._file)
        check_kind(self._header)
        notes = check_pages(self._header, options)
        _check_rows(self._page, self._header, options)
        self.size: tuple[int, int] = (self._header.height, self._header.width)
        self.channels = 3 if self._header.photometric in (RGB, YCBCR) else 1
        self._dtype = np.dtype(self._page.dtype)
        none = np.empty((0, 0, self.channels), self._dtype)
        samples, _, more = as_supported(none, self._header)
        levels = levels_of(self._file, self._header)
        self._scale = scale_for(samples.dtype, levels, options, like, self._extent)
        icc, xmp, dpi, dropped = description(self._file)
        self.traits = FileTraits(
            format="TIFF",
            depth=8 * samples.dtype.itemsize,
            kind=samples.dtype.kind,
            scale=self._scale,
            icc=icc,
            exif=exif_of(self._path),
            xmp=upright_packet(xmp),
            dpi=dpi,
            notes=(*notes, *more, *dropped, *(() if self._scale is None else (self._scale.note,))),
        )

    def __enter__(self) -> TiffRows:
        """Return the reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def read(self, start: int, stop: int) -> Pixels:
        """Return the rows from `start` to before `stop`: (C, rows, W) float32, nominally in [0, 1].

        Raises:
            ImageError: They are damaged, or hold values that are not finite.
        """
        samples, peak = self._samples(start, stop)
        return scaled(samples, peak, self._scale)

    def _samples(self, start: int, stop: int) -> tuple[Samples, int | None]:
        try:
            samples = self._direct(start, stop) if _stands_open(self._page) else self._decoded(start, stop)
        except DECODER_FAULTS as fault:
            raise damaged(fault) from fault
        return as_supported(samples, self._header)[:2]

    def _extent(self) -> Extent:
        """Return what values there are; all rows are read for it."""
        height, step = self._header.height, max(1, _MEASURED // self._header.width)
        rows = range(0, height, step)
        return extent_of(self._samples(start, min(start + step, height))[0] for start in rows)

    def _direct(self, start: int, stop: int) -> Samples:
        """Return rows that stand in the file as they are."""
        page = self._page
        dtype = self._dtype.newbyteorder(self._file.byteorder)
        per_row = self._header.width * self.channels
        samples = np.empty((stop - start, self._header.width, self.channels), self._dtype)
        row = start
        while row < stop:
            strip, inside = divmod(row, page.rowsperstrip)
            last = min(stop, (strip + 1) * page.rowsperstrip)
            place = page.dataoffsets[strip] + inside * per_row * dtype.itemsize
            flat = np.fromfile(self._path, dtype, (last - row) * per_row, offset=place)
            samples[row - start : last - start] = flat.reshape(last - row, self._header.width, self.channels)
            row = last
        return samples

    def _decoded(self, start: int, stop: int) -> Samples:
        """Return rows out of the strips or tiles that hold them."""
        page, width = self._page, self._header.width
        samples = np.empty((stop - start, width, self.channels), self._dtype)
        height = page.tilelength if page.is_tiled else page.rowsperstrip
        across = -(-width // page.tilewidth) if page.is_tiled else 1
        for index in range(start // height * across, -(-stop // height) * across):
            piece, (_, _, top, left, _), shape = self._piece(index)
            first, last = max(top, start), min(top + shape[1], stop)
            right = min(left + shape[2], width)
            samples[first - start : last - start, left:right] = (
                page.nodata if piece is None else piece[0, first - top : last - top, : right - left]
            )
        return samples

    def _piece(self, index: int) -> _Piece:
        """Return a strip or tile, or None for one that was left out, its place and its shape."""
        page, file = self._page, self._file.filehandle
        tables = {}
        if int(page.compression) in JPEG:
            tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader}
        decode = page.decode  # which may read elsewhere in the file
        file.seek(page.dataoffsets[index])
        return decode(file.read(page.databytecounts[index]) or None, index, **tables)


def _stands_open(page: tifffile.TiffPage) -> bool:
    """Tell whether the samples stand in the file row by row, as they are."""
    return (
        not page.is_tiled
        and int(page.compression) == 1
        and int(page.fillorder) == 1
        and page.bitspersample in (8, 16, 32, 64)
    )


def _check_rows(page: tifffile.TiffPage, header: TiffHeader, options: ReadOptions) -> None:
    """Refuse what can only be read whole.

    Raises:
        ImageError: The file is such a one.
    """
    height = page.tilelength if page.is_tiled else page.rowsperstrip
    width = page.tilewidth if page.is_tiled else header.width
    # JPEG inside TIFF keeps RGB as YCbCr, and its decoder gives RGB.
    known = (INVERTED, GRAY, RGB, *([YCBCR] if int(page.compression) in JPEG else []))
    piece = 0 if _stands_open(page) else height * width * header.samples * -(-header.bits // 8)
    reasons = {
        "it has alpha": header.alpha is not None,
        "its colors are neither gray nor RGB": header.photometric not in known,
        "its orientation tag turns it": header.orientation != 1,
        "it keeps its channels apart": int(page.planarconfig) == 2 and header.samples > 1,
        "it is compressed in pieces that are too large": piece > decoding_budget() // 4,
        "it is to be converted to sRGB": options.to_srgb,
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise ImageError(
            f"The image is too large for this machine's memory, and cannot be read by rows: {found[0]}.",
            expected="gray or RGB without alpha, upright, in strips or tiles",
            hint="write it so with another program, free memory, or cut the image into parts",
        )
