"""What the tags of a TIFF say about its values: black and white, significant bits, what is shown."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import tifffile

from restorecli.images.scale import FileLevels, ValueScale, bits_to_levels
from restorecli.images.tiff_header import TiffHeader

_LOWEST, _HIGHEST = 340, 341
_DOUBLE = 12
_SIGNIFICANT_BITS = re.compile(r"<(?:\w+:)?Pixels\b[^>]*\bSignificantBits=\"(\d{1,2})\"")


def levels_of(file: tifffile.TiffFile, header: TiffHeader) -> FileLevels:
    """Return what a TIFF says about its values.

    In this order: SMinSampleValue and SMaxSampleValue, BitsPerSample where it is less than the type holds,
    SignificantBits of OME-XML; and the range that ImageJ shows.

    Args:
        file: The open file.
        header: What its first directory says.
    """
    page = file.pages.first
    dtype = np.dtype(page.dtype or np.uint8)
    tags = page.tags
    lowest = 0 if dtype.kind == "u" else None
    stated = _levels(tags.valueof(_LOWEST, default=lowest), tags.valueof(_HIGHEST))
    if stated is None and 8 < header.bits < 8 * dtype.itemsize:
        stated = bits_to_levels(header.bits, dtype)
    if stated is None and file.is_ome:
        found = _SIGNIFICANT_BITS.search(file.ome_metadata or "")
        stated = bits_to_levels(int(found[1]), dtype) if found else None
    described: Any = file.imagej_metadata if file.is_imagej else None
    shown = _levels(described.get("min"), described.get("max")) if isinstance(described, Mapping) else None
    return FileLevels(stated, shown)


def level_tags(scale: ValueScale, samples: int) -> list[tuple[int, int, int, tuple[float, ...], bool]]:
    """Return the tags that state black and white, as tifffile takes them."""
    return [
        (tag, _DOUBLE, samples, (float(value),) * samples, True)
        for tag, value in ((_LOWEST, scale.black), (_HIGHEST, scale.white))
    ]


def _levels(low: object, high: object) -> tuple[float, float] | None:
    """Return two values of tags, of all channels in common, or None if they make no sense."""
    lows, highs = _numbers(low), _numbers(high)
    if not lows or not highs:
        return None
    black, white = min(lows), max(highs)
    return (black, white) if math.isfinite(white - black) and black < white else None


def _numbers(value: object) -> list[float]:
    values = value if isinstance(value, tuple | list) else (value,)
    return [float(number) for number in values if isinstance(number, int | float)]
