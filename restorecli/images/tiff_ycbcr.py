"""TIFF whose samples are luma and two color differences: converted to RGB by the file's own numbers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from restorecli.errors import ImageError
from restorecli.images.decoded import DECODER_FAULTS, Decoded, Samples
from restorecli.images.options import ReadOptions
from restorecli.images.tiff import description, page_samples
from restorecli.images.tiff_header import check_pages, damaged, parse_header
from restorecli.images.tiff_tags import descriptive_exif

_COEFFICIENTS, _SUBSAMPLING, _REFERENCE = 529, 530, 532
_BT601 = (0.299, 0.587, 0.114)
_FULL = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
NOTE = "YCbCr converted to RGB by the file's own coefficients"


def decode(data: bytes, options: ReadOptions) -> Decoded:
    """Decode a YCbCr TIFF of 8 bits that is not compressed as JPEG.

    Args:
        data: The whole file.
        options: What to do with several pages.

    Raises:
        DamagedImageError: The file is damaged.
        ImageError: It holds several pages, or is of a kind that is not processed.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            header = parse_header(file)
            notes = check_pages(header, options)
            colors = rgb_of(file, file.pages.first)
            icc, xmp, dpi, dropped = description(file)
    except ImageError:
        raise
    except DECODER_FAULTS as fault:
        raise damaged(fault) from fault
    return Decoded(
        colors,
        "TIFF",
        icc=icc,
        exif=descriptive_exif(data),
        xmp=xmp,
        dpi=dpi,
        orientation=header.orientation,
        notes=(*notes, NOTE, *dropped),
    )


def rgb_of(file: tifffile.TiffFile, page: tifffile.TiffPage) -> NDArray[np.uint8]:
    """Return a page as (H, W, 3) RGB.

    Raises:
        ImageError: It has further channels, more than 8 bits, or parts of another color resolution in a
            layout that is not read.
    """
    if int(page.samplesperpixel) != 3 or page.bitspersample != 8:
        raise ImageError("YCbCr is processed with three channels of 8 bits.", got=str(page.bitspersample))
    across, down = _pair(page.tags.valueof(_SUBSAMPLING, default=(2, 2)))
    samples = page_samples(page) if (across, down) == (1, 1) else _subsampled(file, page, across, down)
    coefficients = _numbers(page.tags.valueof(_COEFFICIENTS), 3) or _BT601
    return to_rgb(samples, coefficients, _numbers(page.tags.valueof(_REFERENCE), 6) or _FULL)


def to_rgb(
    samples: Samples, coefficients: tuple[float, ...], reference: tuple[float, ...]
) -> NDArray[np.uint8]:
    """Convert (H, W, 3) luma, Cb and Cr of 8 bits to RGB (TIFF 6.0, sections 20 and 21).

    Args:
        samples: As the file holds them.
        coefficients: The shares of red, green and blue in luma.
        reference: Black and white of luma, then of Cb and of Cr; black of these is no color.
    """
    red, green, blue = coefficients
    levels = samples.astype(np.float32)
    luma, first, second = (
        (levels[..., channel] - low) * (full / (high - low))
        for channel, low, high, full in zip(
            range(3), reference[::2], reference[1::2], (255.0, 127.0, 127.0), strict=True
        )
    )
    r = second * (2 - 2 * red) + luma
    b = first * (2 - 2 * blue) + luma
    g = (luma - blue * b - red * r) / green
    rounded: NDArray[np.uint8] = np.floor(np.clip(np.stack([r, g, b], axis=-1), 0, 255) + 0.5).astype(
        np.uint8
    )
    return rounded


def _subsampled(file: tifffile.TiffFile, page: tifffile.TiffPage, across: int, down: int) -> Samples:
    """Return (H, W, 3) samples of strips in which a block of luma shares one pair of differences."""
    if page.is_tiled or int(page.predictor) != 1 or int(page.planarconfig) != 1:
        raise ImageError("YCbCr with fewer colors than luma is read in plain strips only.")
    height, width = int(page.imagelength), int(page.imagewidth)
    unpack = tifffile.TIFF.DECOMPRESSORS[page.compression]
    samples = np.empty((height, width, 3), np.uint8)
    rows = int(page.rowsperstrip)
    blocks_across = -(-width // across)
    for number, (place, size) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        top = number * rows
        bottom = min(top + rows, height)
        blocks_down = -(-(bottom - top) // down)
        file.filehandle.seek(place)
        packed = file.filehandle.read(size)
        flat = np.frombuffer(packed if int(page.compression) == 1 else unpack(packed), np.uint8)
        shape = (blocks_down, blocks_across, across * down + 2)
        blocks = flat[: blocks_down * blocks_across * shape[2]].reshape(shape)
        units = blocks[..., :-2].reshape(blocks_down, blocks_across, down, across).swapaxes(1, 2)
        luma = units.reshape(blocks_down * down, blocks_across * across)
        shared = blocks[..., -2:].repeat(down, axis=0).repeat(across, axis=1)
        samples[top:bottom] = np.dstack([luma, shared])[: bottom - top, :width]
    return samples


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, tuple) and len(value) == 2 and set(value) <= {1, 2, 4}:
        return int(value[0]), int(value[1])
    raise ImageError("The color resolution of the YCbCr TIFF is impossible.", got=repr(value)[:40])


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:  # noqa: ANN401 - whatever a tag holds
    """Return fractions of a tag as numbers that can be computed with, or None."""
    if not isinstance(value, tuple) or len(value) not in (count, 2 * count):
        return None
    parts = [float(part) for part in value]
    if len(parts) == 2 * count:
        if not all(parts[1::2]):
            return None
        parts = [top / bottom for top, bottom in zip(parts[::2], parts[1::2], strict=True)]
    if count == 3:
        return tuple(parts) if all(0 < part < 1 for part in parts) else None
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return tuple(parts) if all(low < high for low, high in pairs) else None
