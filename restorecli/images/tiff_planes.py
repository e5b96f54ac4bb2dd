"""TIFF files of several images are read: pages, ImageJ and OME hyperstacks, channels; a plane at a time."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from restorecli.errors import ImageError
from restorecli.images.budget import check_budget
from restorecli.images.decoded import DECODER_FAULTS, DamagedImageError, Decoded, Samples, scale_for, to_image
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.planes import Layout
from restorecli.images.scale import Extent, extent_of
from restorecli.images.tiff import apart, as_supported, description, page_samples
from restorecli.images.tiff_header import (
    COPIES_LEFT_OUT,
    GRAY,
    INVERTED,
    RGB,
    YCBCR,
    TiffHeader,
    check_kind,
    closed_where_damaged,
    damaged,
    open_tiff,
    parse_header,
)
from restorecli.images.tiff_levels import levels_of
from restorecli.images.tiff_tags import exif_of
from restorecli.images.tiff_ycbcr import NOTE, rgb_of

_NO_IMAGE = 5  # bits of NewSubfileType: a reduced copy, a mask
_OF_IMAGEJ = (
    *("unit", "spacing", "finterval", "fps", "min", "max", "mode", "loop"),
    *("Info", "Labels", "Ranges", "LUTs", "Overlays", "ROI", "Properties"),
)
_UUID = re.compile(r"<UUID\b[^>]*?(?:/>|>.*?</UUID>)|\sUUID=\"[^\"]*\"", re.DOTALL)


_TAKEN = (INVERTED, GRAY, RGB)
"""What pages may be, beside YCbCr, which becomes RGB."""


def is_one_of_other_colors(path: Path) -> bool:
    """Tell whether a TIFF is one page of colors that planes are not read of, such as CMYK or a palette.

    Raises:
        ImageError: The file is damaged.
    """
    with open_tiff(path) as file, closed_where_damaged(file):
        return parse_header(file).photometric not in (*_TAKEN, YCBCR) and len(_main_pages(file)) == 1


class TiffPlanes:
    """An open TIFF of several images; see `planes.Planes`.

    All planes share one scale of values. A page whose channels are neither gray nor RGB gives one plane for
    each of them.

    Args:
        path: The file.
        options: How to read what is unusual.
        like: Traits of an image that these are to be compared with.

    Raises:
        ImageError: The file is damaged or of a kind that is not processed.
    """

    def __init__(self, path: Path, options: ReadOptions, like: FileTraits | None = None) -> None:
        self._path = path
        self._like = like
        self._options = options
        self._file = open_tiff(path)
        with closed_where_damaged(self._file):
            self._open()

    def _open(self) -> None:
        file = self._file
        self._pages = _main_pages(file)
        self._header = parse_header(file)
        self._mixed = self._header.photometric == YCBCR
        if self._mixed:
            self._header = replace(self._header, photometric=RGB)
        if self._header.photometric not in _TAKEN:
            raise ImageError(
                "The planes of such a TIFF are not processed.",
                expected="gray, RGB or YCbCr",
                got=f"photometric interpretation {self._header.photometric}",
                hint="--frames first takes the first one; or convert it to RGB",
            )
        self._split = _channels_apart(self._header)
        if not self._split:
            check_kind(self._header)
        self._mapped = _mapped(self._path, file) if len(self._pages) == 1 and not self._split else None
        self._told = (NOTE,) if self._mixed and not self._header.jpeg else ()
        self.layout = self._find_layout()
        self._exif = exif_of(self._path)
        levels = levels_of(file, self._header)
        dtype = self._samples(0).dtype
        self._scale = scale_for(dtype, levels, self._options, self._like, self._measure)

    def _find_layout(self) -> Layout:
        file, series = self._file, self._file.series[0]
        count = len(self._pages) * (self._header.samples if self._split else 1)
        if self._mapped is not None:
            count = len(self._mapped)
        shape, axes = _lead(series, split=self._split)
        kind = series.kind if series.kind in ("ome", "imagej", "shaped") else "pages"
        if prod(shape) != count or (kind == "ome" and self._split):
            kind, shape, axes = "pages", (count,), "I"
        return Layout(
            "TIFF",
            shape or (1,),
            axes,
            kind,
            described=_described(file, kind),
            resolution=_resolution(file),
            height=self._header.height,
            notes=_smaller_copies(file, len(self._pages)),
        )

    def read(self, number: int) -> ImageData:
        """Decode a plane; see `planes.Planes`."""
        try:
            samples = self._samples(number)
            icc, xmp, dpi, dropped = description(self._file)
        except DECODER_FAULTS as fault:
            raise damaged(fault) from fault
        samples, peak, more = as_supported(samples, self._header)
        further: tuple[str, ...] = ()
        colors: Samples = samples[..., 0]
        alpha: Samples | None = None
        if not self._split:
            colors, alpha, further = apart(samples, self._header)
        decoded = Decoded(
            colors,
            "TIFF",
            alpha=alpha,
            icc=None if self._split else icc,
            exif=self._exif,
            xmp=xmp,
            dpi=dpi,
            orientation=self._header.orientation,
            peak=peak,
            notes=(*more, *further, *self._told, *dropped),
        )
        values = FileTraits(depth=8 * colors.dtype.itemsize, kind=colors.dtype.kind, scale=self._scale)
        return to_image(decoded, self._options, values)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _samples(self, number: int) -> Samples:
        """Return one plane as (H, W, C) samples, as they stand in the file."""
        if self._mapped is not None:
            plane = np.array(self._mapped[number])
            return plane[..., np.newaxis] if plane.ndim == 2 else plane
        place, channel = divmod(number, self._header.samples) if self._split else (number, None)
        page: Any = self._file.pages[self._pages[place]]
        page = page.aspage() if isinstance(page, tifffile.TiffFrame) else page
        count = int(page.samplesperpixel)
        check_budget(page.imagelength, page.imagewidth, count, self._header.depth)
        samples = self._page(page)
        if (count, page.photometric, samples.dtype) != self._kind_of_first():
            raise ImageError("The pages of the file differ in their kind.", got=f"page {place}")
        return samples if channel is None else samples[..., channel : channel + 1]

    def _page(self, page: tifffile.TiffPage) -> Samples:
        return rgb_of(self._file, page) if self._mixed and not self._header.jpeg else page_samples(page)

    def _kind_of_first(self) -> tuple[int, Any, np.dtype[Any]]:
        first: Any = self._file.pages[self._pages[0]]
        return int(first.samplesperpixel), first.photometric, np.dtype(first.dtype)

    def _measure(self) -> Extent:
        return extent_of(self._samples(number) for number in range(prod(self.layout.shape)))


def _main_pages(file: tifffile.TiffFile) -> list[int]:
    """Return the numbers of the pages that are no copies or masks.

    Raises:
        DamagedImageError: A page leads back to one before it, so that there is no end of them.
    """
    seen: dict[int, int] = {}
    found = []
    pages: Any = file.pages
    for number, page in enumerate(pages):
        if (before := seen.setdefault(page.offset, number)) != number:
            raise DamagedImageError(
                "The pages of the TIFF go in a circle.",
                expected="each page once",
                got=f"page {number} is page {before} again",
                hint="--frames first takes the first one",
            )
        if not int(page.subfiletype) & _NO_IMAGE:
            found.append(number)
    return found


def _channels_apart(header: TiffHeader) -> bool:
    """Tell whether the samples of a pixel are channels that have nothing to do with color."""
    colors = 3 if header.photometric == RGB else 1
    return header.photometric in (GRAY, RGB) and header.samples - (header.alpha is not None) != colors


def _lead(series: tifffile.TiffPageSeries, *, split: bool) -> tuple[tuple[int, ...], str]:
    """Return the shape and the axes of a series without those of one plane."""
    before = series.axes.index("Y")
    shape, axes = tuple(series.shape[:before]), series.axes[:before]
    if split and series.axes.endswith("S"):
        shape, axes = (*shape, series.shape[-1]), axes + "S"
    return shape, axes.replace("S", "C") if split else axes


def _mapped(path: Path, file: tifffile.TiffFile) -> Samples | None:
    """Return (planes, H, W) or (planes, H, W, C) of a file with one directory for all, left in the file."""
    series = file.series[0]
    before = series.axes.index("Y")
    if series.dataoffset is None or prod(series.shape[:before]) < 2:
        return None
    dtype = np.dtype(series.dtype).newbyteorder(file.byteorder)
    shape = (prod(series.shape[:before]), *series.shape[before:])
    return np.memmap(path, dtype, "r", series.dataoffset, shape)


def _described(file: tifffile.TiffFile, kind: str) -> str | Mapping[str, object] | None:
    if kind == "ome":  # without the names and numbers of files, since it is another one
        return _UUID.sub("", file.ome_metadata or "")
    if kind == "imagej":
        return {name: value for name, value in (file.imagej_metadata or {}).items() if name in _OF_IMAGEJ}
    return None


def _resolution(file: tifffile.TiffFile) -> tuple[float, float, int] | None:
    """Return pixels per unit across and down, and the unit's number, or None."""
    tags = file.pages.first.tags
    with contextlib.suppress(TypeError, ValueError, ArithmeticError):
        across, down = (float(value[0]) / float(value[1]) for value in map(tags.valueof, (282, 283)))
        unit = tags.valueof(296, default=1)
        return (across, down, int(unit)) if across > 0 and down > 0 and int(unit) in (1, 2, 3) else None
    return None


def _smaller_copies(file: tifffile.TiffFile, pages: int) -> tuple[str, ...]:
    if pages == len(file.pages) and len(file.series[0].levels) == 1:
        return ()
    return (COPIES_LEFT_OUT,)
