"""TIFF: 16-bit and floating-point samples, which Pillow narrows or refuses, and all TIFFs written."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import tifffile

from restorecli.errors import ImageError
from restorecli.images.decoded import DECODER_FAULTS, Decoded, Samples
from restorecli.images.options import ReadOptions
from restorecli.images.scale import ValueScale
from restorecli.images.tiff_header import (
    INVERTED,
    PREMULTIPLIED,
    RGB,
    UNSPECIFIED,
    TiffHeader,
    check_kind,
    check_pages,
    damaged,
    parse_header,
)
from restorecli.images.tiff_levels import level_tags, levels_of
from restorecli.images.tiff_tags import append_tags, descriptive_exif
from restorecli.images.untrusted import Untrusted, resolution

_ICC = 34675
_XMP = 700
_ACROSS, _DOWN, _UNIT = 282, 283, 296
_PER_INCH = {2: 1.0, 3: 2.54}  # of the units inch and centimeter


def decode(data: bytes, options: ReadOptions) -> Decoded:
    """Decode a gray or RGB TIFF of at least 8 bits per sample.

    Args:
        data: The whole file.
        options: How to read what is unusual.

    Returns:
        Samples of the file's own type, or of the next larger one for a number of bits that no type has.

    Raises:
        DamagedImageError: The file is damaged.
        ImageError: It holds several pages or samples of a kind that is not processed.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            header = parse_header(file)
            check_kind(header)
            notes = check_pages(header, options)
            samples = page_samples(file.pages.first)
            icc, xmp, dpi, dropped = description(file)
            levels = levels_of(file, header)
    except ImageError:
        raise
    except DECODER_FAULTS as fault:
        raise damaged(fault) from fault
    samples, peak, more = as_supported(samples, header)
    colors, alpha, further = apart(samples, header)
    return Decoded(
        colors,
        "TIFF",
        alpha=alpha,
        icc=icc,
        exif=descriptive_exif(data),
        xmp=xmp,
        dpi=dpi,
        orientation=header.orientation,
        peak=peak,
        levels=levels,
        notes=(*notes, *more, *further, *dropped),
    )


def encode(
    samples: Samples,
    *,
    alpha: bool,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    scale: ValueScale | None = None,
) -> bytes:
    """Encode samples as TIFF: integers packed without loss (deflate, predictor), floating point as it is.

    Args:
        samples: (H, W) or (H, W, C) array of integers or floating point, alpha last.
        alpha: Whether the last channel is (independent) alpha.
        icc: The ICC profile to embed.
        exif: The EXIF block, whose tags become tags and directories of the TIFF.
        xmp: The XMP packet to embed.
        dpi: Pixels per inch across and down.
        scale: Black and white to state in the file, or None to leave them unsaid.
    """
    stream = io.BytesIO()
    how = how_to_write(samples.dtype, samples.shape, alpha=alpha, icc=icc, xmp=xmp, dpi=dpi, scale=scale)
    tifffile.imwrite(stream, np.ascontiguousarray(samples), **how)
    return append_tags(stream.getvalue(), exif)


def how_to_write(
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    *,
    alpha: bool = False,
    icc: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    scale: ValueScale | None = None,
) -> dict[str, Any]:
    """Return tifffile's arguments for every TIFF that is written; see `encode` for ours.

    Args:
        dtype: Of the samples.
        shape: (H, W) or (H, W, C).
        alpha: Whether the last channel is alpha.
        icc: The ICC profile.
        xmp: The XMP packet.
        dpi: Pixels per inch across and down.
        scale: Black and white to state.
    """
    integers = dtype.kind in "ui"
    colors = 1 if len(shape) == 2 else shape[2] - alpha
    return {
        "photometric": "rgb" if colors == 3 else "minisblack",
        "planarconfig": "contig" if len(shape) == 3 else None,
        "extrasamples": ["unassalpha"] if alpha else None,
        "compression": "zlib" if integers else None,
        "compressionargs": {"level": 1} if integers else None,
        "predictor": integers,
        "iccprofile": icc,
        "resolution": dpi,
        "resolutionunit": None if dpi is None else "INCH",
        "extratags": [
            *([] if xmp is None else [(_XMP, 1, len(xmp), xmp, True)]),
            *([] if scale is None else level_tags(scale, shape[2] if len(shape) == 3 else 1)),
        ],
        "metadata": None,
        "software": False,
        "byteorder": "<",
    }


def page_samples(page: tifffile.TiffPage) -> Samples:
    """Return the (H, W, C) samples of a page of tifffile."""
    samples: Samples = page.asarray()
    height, width, count = int(page.imagelength), int(page.imagewidth), int(page.samplesperpixel)
    if int(page.planarconfig) == 2 and count > 1:
        samples = samples.reshape(count, height, width).transpose(1, 2, 0)
    return samples.reshape(height, width, count)


def description(
    file: tifffile.TiffFile,
) -> tuple[bytes | None, bytes | None, tuple[float, float] | None, list[str]]:
    """Return ICC profile, XMP packet, resolution in pixels per inch, each or None, and what was dropped."""
    tags, untrusted = file.pages.first.tags, Untrusted()
    icc = untrusted.block("icc", tags.valueof(_ICC))
    xmp = untrusted.block("xmp", tags.valueof(_XMP))
    return icc, xmp, _resolution(tags), untrusted.notes


def _resolution(tags: tifffile.TiffTags) -> tuple[float, float] | None:
    unit = tags.valueof(_UNIT, default=2)
    factor = _PER_INCH.get(unit) if isinstance(unit, int) else None
    return None if factor is None else resolution(tags.valueof(_ACROSS), tags.valueof(_DOWN), factor)


def as_supported(samples: Samples, header: TiffHeader) -> tuple[Samples, int | None, tuple[str, ...]]:
    """Return (H, W, C) samples in this machine's byte order with black as 0, and notes.

    Between them stands the integer that is white, for fewer than 8 bits, which are widened to these.
    """
    notes: list[str] = []
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if header.photometric == INVERTED and header.kind == "u":
        samples = samples.copy()
        samples[..., 0] = (1 << header.bits) - 1 - samples[..., 0]
        notes.append("white-is-zero samples inverted")
    if header.bits < 8:
        notes.append(f"{header.bits}-bit samples widened")
        return samples.astype(np.uint8), (1 << header.bits) - 1, tuple(notes)
    if header.bits not in (8, 16, 32, 64):
        notes.append(f"{header.bits}-bit samples are held in {8 * samples.dtype.itemsize} bits")
    return samples, None, tuple(notes)


def apart(samples: Samples, header: TiffHeader) -> tuple[Samples, Samples | None, tuple[str, ...]]:
    """Return the colors of (H, W, C) samples, their alpha, and notes."""
    colors = samples[..., :3] if header.photometric == RGB else samples[..., 0]
    if header.alpha is None:
        return colors, None, ()
    alpha = np.ascontiguousarray(samples[..., -1])
    if header.alpha == PREMULTIPLIED:
        return _unmultiplied(colors, alpha), alpha, ("premultiplied alpha divided out",)
    unknown = header.alpha == UNSPECIFIED
    return colors, alpha, ("extra channel of unspecified meaning carried as alpha",) if unknown else ()


def _unmultiplied(colors: Samples, alpha: Samples) -> Samples:
    """Return colors divided by alpha; where alpha is 0 they stay."""
    full = 1.0 if alpha.dtype.kind == "f" else float(np.iinfo(alpha.dtype).max)
    share = np.where(alpha > 0, alpha / full, 1.0)
    divided = colors / (share if colors.ndim == 2 else share[..., np.newaxis])
    if alpha.dtype.kind == "f":
        return divided.astype(np.float32)
    return np.floor(np.minimum(divided, full) + 0.5).astype(alpha.dtype)
