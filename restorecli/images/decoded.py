"""What a decoder hands over, in the file's own samples, and the one step from there to a `Picture`."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import ImageError
from restorecli.images import xmp
from restorecli.images.exif import stated_orientation, turn_upright, upright_block
from restorecli.images.options import ReadOptions
from restorecli.images.picture import FileTraits, Picture, Pixels

Samples = NDArray[Any]

DECODER_FAULTS = (
    OSError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)
"""What Pillow, tifffile and imagecodecs raise when a file is damaged: nearly anything."""


class DamagedImageError(ImageError):
    """The file is cut short or its bytes are damaged; what is left may be read on request."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded file before anything is turned or scaled.

    Attributes:
        samples: (H, W) or (H, W, 3) array of uint8, uint16 or float32, as the file holds it.
        format: Pillow's name of the format.
        alpha: (H, W) array of the same sample type, or None.
        icc: The ICC profile, or None.
        exif: The EXIF block, or None.
        xmp: The XMP packet, or None.
        dpi: Pixels per inch across and down, or None.
        chunks: Text and colour chunks of a PNG; see `FileTraits`.
        orientation: 1 to 8, if it does not stand in `exif` or `xmp`.
        peak: The integer that stands for 1.0; None for floating point and for all bits set.
        notes: What a reader should know.
    """

    samples: Samples
    format: str
    alpha: Samples | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    orientation: int | None = None
    peak: int | None = None
    notes: tuple[str, ...] = ()


def check_single(frames: int, options: ReadOptions) -> tuple[str, ...]:
    """Return the note that frames or pages are left out, if there are several and one was asked for.

    Raises:
        ImageError: There are several and nobody asked for the first one.
    """
    if frames <= 1:
        return ()
    if options.frames == "first":
        return (f"first of {frames} frames or pages",)
    raise ImageError(
        "the file holds several pictures",
        expected="one picture",
        came=f"{frames} frames or pages",
        hint="--frames first reads the first one; split the file to process all",
    )


def to_picture(decoded: Decoded) -> Picture:
    """Turn the samples upright, scale them to [0, 1] and order them channels first.

    Raises:
        ImageError: Floating-point samples hold values that are not finite.
    """
    stated = decoded.orientation or stated_orientation(decoded.exif) or xmp.stated_orientation(decoded.xmp)
    orientation = stated or 1
    samples = turn_upright(decoded.samples, orientation)
    alpha = None if decoded.alpha is None else np.ascontiguousarray(turn_upright(decoded.alpha, orientation))
    traits = FileTraits(
        format=decoded.format,
        depth=8 * samples.dtype.itemsize,
        alpha=alpha,
        icc=decoded.icc,
        exif=upright_block(decoded.exif),
        xmp=xmp.upright_packet(decoded.xmp),
        dpi=decoded.dpi,
        chunks=decoded.chunks,
        notes=decoded.notes,
    )
    return Picture(scaled(samples, decoded.peak), traits)


def scaled(samples: Samples, peak: int | None) -> Pixels:
    """Return (H, W) or (H, W, C) samples as (C, H, W) pixels, `peak` (or all bits set) standing for 1.

    Raises:
        ImageError: Floating-point samples hold values that are not finite.
    """
    planes = samples[np.newaxis] if samples.ndim == 2 else samples.transpose(2, 0, 1)
    pixels = np.empty(planes.shape, np.float32)
    if samples.dtype.kind == "f":
        pixels[...] = planes
        if not np.isfinite(pixels).all():
            raise ImageError(
                "the picture holds values that are not finite",
                came=f"{int(np.count_nonzero(~np.isfinite(pixels)))} values are NaN or infinite",
                hint="replace them before processing; one of them would spread over its whole surroundings",
            )
        return pixels
    full = np.iinfo(samples.dtype).max if peak is None else peak
    np.divide(planes, np.float32(full), out=pixels, casting="unsafe")
    return pixels
