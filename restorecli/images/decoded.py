"""What a decoder hands over, in the file's own samples, and the one step from there to a `ImageData`."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from restorecli.errors import ImageError
from restorecli.images import xmp
from restorecli.images.exif import stated_orientation, turn_upright, upright_block
from restorecli.images.image import FileTraits, ImageData, Pixels
from restorecli.images.options import ReadOptions
from restorecli.images.scale import (
    UNKNOWN_LEVELS,
    Extent,
    FileLevels,
    ValueScale,
    check_finite,
    choose_scale,
    extent_of,
    to_unit,
)

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
    Image.DecompressionBombError,
)
"""What Pillow, tifffile and imagecodecs raise when a file is damaged: nearly anything."""


class DamagedImageError(ImageError):
    """The file is cut short or its bytes are damaged; what is left may be read on request."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded file before anything is turned or scaled.

    Attributes:
        samples: (H, W) or (H, W, 3) array of integers or floating point, as the file holds it.
        format: Pillow's name of the format.
        alpha: (H, W) array of the same sample type, or None.
        icc: The ICC profile, or None.
        exif: The EXIF block, or None.
        xmp: The XMP packet, or None.
        dpi: Pixels per inch across and down, or None.
        chunks: Text and color chunks of a PNG; see `FileTraits`.
        orientation: 1 to 8, if it does not stand in `exif` or `xmp`.
        peak: The integer that the format itself calls white, up to which samples are widened, or None.
        levels: What the file's metadata say about the meaning of its values.
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
    levels: FileLevels = UNKNOWN_LEVELS
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
        "The file holds several images.",
        expected="one image",
        got=f"{frames} frames or pages",
        hint="--frames first takes the first one, --frames all every one",
    )


def to_image(decoded: Decoded, options: ReadOptions, like: FileTraits | None = None) -> ImageData:
    """Turn the samples upright, bring them to a scale of 0 to 1 and order them channels first.

    Args:
        decoded: The file.
        options: How values are read.
        like: Traits of an image that this one is to be compared with; see `scale_for`.

    Raises:
        ImageError: Floating-point samples hold values that are not finite.
    """
    stated = decoded.orientation or stated_orientation(decoded.exif) or xmp.stated_orientation(decoded.xmp)
    orientation = stated or 1
    samples = turn_upright(decoded.samples, orientation)
    scale = scale_for(samples.dtype, decoded.levels, options, like, lambda: extent_of([samples]))
    notes = () if scale is None else (scale.note,)
    alpha = None if decoded.alpha is None else np.ascontiguousarray(turn_upright(decoded.alpha, orientation))
    traits = FileTraits(
        format=decoded.format,
        depth=8 * samples.dtype.itemsize,
        kind=samples.dtype.kind,
        scale=scale,
        alpha=alpha,
        icc=decoded.icc,
        exif=upright_block(decoded.exif),
        xmp=xmp.upright_packet(decoded.xmp),
        dpi=decoded.dpi,
        chunks=decoded.chunks,
        notes=(*decoded.notes, *notes),
    )
    return ImageData(scaled(samples, decoded.peak, scale), traits)


def scale_for(
    dtype: np.dtype[Any],
    levels: FileLevels,
    options: ReadOptions,
    like: FileTraits | None,
    measure: Callable[[], Extent],
) -> ValueScale | None:
    """Return the scale of an image, or None for that of its sample type.

    An image that is compared with another of the same type has its scale. One of another type, as a 16-bit
    file made from floating point, is read by its own tags or type: what is measured in the two would differ.

    Args:
        dtype: Of the samples.
        levels: What the file says.
        options: How values are read.
        like: Traits of the image to compare with, or None.
        measure: Returns what values there are.
    """
    if like is None:
        return choose_scale(dtype, levels, options.range, measure)
    if dtype == like.dtype:
        return like.scale
    wanted = "file" if options.range == "auto" else options.range
    return choose_scale(dtype, FileLevels(levels.stated), wanted, measure)


def scaled(samples: Samples, peak: int | None, scale: ValueScale | None) -> Pixels:
    """Return (H, W) or (H, W, C) samples as (C, H, W) pixels.

    Args:
        samples: Of any type.
        peak: The integer that stands for 1 where there is no scale; None for all bits set.
        scale: The values that stand for 0 and 1, or None for those of the type.

    Raises:
        ImageError: Floating-point samples hold values that are not finite.
    """
    planes = samples[np.newaxis] if samples.ndim == 2 else samples.transpose(2, 0, 1)
    check_finite(planes)
    if scale is not None:
        return to_unit(planes, scale)
    pixels = np.empty(planes.shape, np.float32)
    if samples.dtype.kind == "f":
        pixels[...] = planes
        return pixels
    full = np.iinfo(samples.dtype).max if peak is None else peak
    np.divide(planes, np.float32(full), out=pixels, casting="unsafe")
    return pixels
