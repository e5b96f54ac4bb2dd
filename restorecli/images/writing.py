"""Writing an image file: the depth, alpha and metadata it came with, atomically."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from restorecli.errors import DataError, ImageError, UsageError
from restorecli.images import netpbm, png, tiff
from restorecli.images.atomic import write_file
from restorecli.images.decoded import DECODER_FAULTS, Samples
from restorecli.images.exif import PREFIX
from restorecli.images.formats import FORMATS, format_for
from restorecli.images.image import FileTraits, ImageData, Pixels, to_levels
from restorecli.images.metadata import Metadata, metadata_for
from restorecli.images.png_chunks import with_metadata
from restorecli.images.scale import ValueScale, from_unit, reads_alike, type_scale

DEFAULT_QUALITY = 95
"""Of JPEG, AVIF and WebP, where nobody asks for another."""


@dataclass(frozen=True, slots=True)
class Page:
    """What an encoder is given: samples with alpha last, the metadata its format can hold, and the scale.

    The scale is there only where a reader of the samples alone would take another one.
    """

    samples: Samples
    alpha: bool
    metadata: Metadata
    quality: int
    scale: ValueScale | None


def write_image(path: Path | str, image: ImageData, *, quality: int = DEFAULT_QUALITY) -> tuple[str, ...]:
    """Write an image in the format of the suffix, atomically.

    The sample type is that of the traits, or the largest the format can hold, and values are those that the
    scale of the traits makes of pixels. Integers are clipped to what they can hold and rounded half up;
    floating point (TIFF) is not. PNG is compressed at zlib level 1.

    Args:
        path: The file to write; its folder must exist.
        image: Pixels and traits; alpha must have the size of the pixels.
        quality: For JPEG and AVIF (4:4:4) and WebP, 1 to 100.

    Returns:
        What the format could not hold, e.g. "BMP holds no ICC profile"; empty if everything was kept.

    Raises:
        ImageError: The pixels are not finite or have a wrong shape, or the format or the folder refuses them.
        ResourceError: The disk is full or failing.
        UsageError: The suffix names no format that is written, or the quality is out of range.

    Example:
        >>> pixels = np.random.default_rng(0).random((3, 8, 8), dtype=np.float32)
        >>> write_image("noise.png", ImageData(pixels, FileTraits(depth=16)))
        ()
        >>> write_image("noise.bmp", ImageData(pixels, FileTraits(depth=16)))
        ('16-bit samples narrowed to 8 bits: BMP holds no more',)
    """
    path = Path(path)
    file_format = format_for(path)
    if not 1 <= quality <= 100:
        raise UsageError("Invalid --quality.", expected="a whole number from 1 to 100", got=str(quality))
    with told_of(path, file_format):
        page, losses = prepare(image, file_format, quality)
        write_file(path, encode(page, file_format))
    return losses


def vain_quality(path: Path, quality: int | None) -> tuple[str, ...]:
    """Return a note where a quality was asked for, but the format of the file has none.

    Args:
        path: The file that is written.
        quality: What was asked for; None where nothing was.

    Raises:
        UsageError: The suffix names no format that is written.
    """
    file_format = format_for(path)
    if quality is None or not FORMATS[file_format].lossless:
        return ()
    return (f"{file_format} is lossless: the quality that was asked for changes nothing",)


@contextlib.contextmanager
def told_of(path: Path, file_format: str) -> Iterator[None]:
    """Name the file in errors of writing it, and turn those of encoders into `ImageError`."""
    try:
        yield
    except ImageError as error:
        error.file = error.file or str(path)
        raise
    except DataError as error:  # one impossible name costs one image, not the job
        raise ImageError(error.problem, got=error.got, file=path, hint=error.hint) from error
    except DECODER_FAULTS as fault:
        raise ImageError(
            f"The image cannot be written as {file_format}.",
            got=str(fault) or type(fault).__name__,
            file=path,
            hint="--format png or --format tiff takes every size",
        ) from fault


def samples_of(pixels: Pixels, dtype: np.dtype[Any], scale: ValueScale | None) -> Samples:
    """Return (H, W) or (H, W, 3) samples of any type by a scale, or by that of the type.

    Args:
        pixels: (C, H, W) float32.
        dtype: Of the samples.
        scale: The values that pixels of 0 and 1 stand for, or None for those of the type.
    """
    if scale is None and dtype in (np.uint8, np.uint16, np.float32):
        return quantize(pixels, 8 * dtype.itemsize)
    planes = pixels[0] if pixels.shape[0] == 1 else pixels.transpose(1, 2, 0)
    return from_unit(planes, scale or type_scale(dtype), dtype)


def quantize(pixels: Pixels, depth: int) -> Samples:
    """Return (H, W) or (H, W, 3) samples: clipped to [0, 1], scaled to the largest integer, rounded half up.

    Args:
        pixels: (C, H, W) float32.
        depth: 8 or 16 for unsigned integers; 32 returns float32, unclipped.

    Example:
        >>> quantize(np.array([[[0.0, 0.5, 1.2]]], np.float32), 8)
        array([[  0, 128, 255]], dtype=uint8)
    """
    planes = pixels[0] if pixels.shape[0] == 1 else pixels.transpose(1, 2, 0)
    if depth == 32:
        return np.ascontiguousarray(planes, np.float32)
    return to_levels(planes, depth)


def encode(page: Page, file_format: str) -> bytes:
    """Return the bytes of a file."""
    return _ENCODERS[file_format](page)


def prepare(image: ImageData, file_format: str, quality: int) -> tuple[Page, tuple[str, ...]]:
    """Return what of an image a format holds, and in words what it does not.

    Raises:
        ImageError: The pixels are not finite or have a wrong shape, or the format has no such size.
    """
    _check_pixels(image.pixels)
    _check_sides(image.size, file_format)
    losses: list[str] = []
    dtype, scale = image.traits.dtype, image.traits.scale
    if not _holds(file_format, dtype):
        dtype, loss = _narrowed(file_format, image.traits)
        scale = None
        losses.append(loss)
    samples = samples_of(image.pixels, dtype, scale)
    stated = None if reads_alike(samples, scale) else scale or type_scale(dtype)
    if not FORMATS[file_format].gray and samples.ndim == 2:
        losses.append(f"{file_format} holds no gray: written as three equal channels")
    alpha = _alpha(image, dtype)
    if alpha is not None and not FORMATS[file_format].alpha:
        losses.append(f"{file_format} holds no alpha")
        alpha = None
    if alpha is not None:
        samples = np.dstack([samples, alpha])
    metadata, more = metadata_for(image.traits, image.channels, file_format)
    return Page(samples, alpha is not None, metadata, quality, stated), (*losses, *more)


def _holds(file_format: str, dtype: np.dtype[Any]) -> bool:
    kind = FORMATS[file_format]
    return kind.every_type or (dtype.kind == "u" and 8 * dtype.itemsize in kind.depths)


def _narrowed(file_format: str, traits: FileTraits) -> tuple[np.dtype[Any], str]:
    """Return the sample type that a format holds instead of an image's own, and the loss in words."""
    depth = max(possible for possible in FORMATS[file_format].depths if possible <= traits.depth)
    what = f"{traits.depth}-bit samples narrowed to {depth} bits"
    if traits.scale is not None:
        full = 2**depth - 1
        what = f"values {traits.scale.black:g} to {traits.scale.white:g} written as 0 to {full}"
    return np.dtype(f"u{depth // 8}"), f"{what}: {file_format} holds no more"


def _check_pixels(pixels: Pixels) -> None:
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3) or pixels.size == 0:
        raise ImageError("The pixels have a wrong shape.", expected="(1 or 3, H, W)", got=str(pixels.shape))
    if not np.isfinite(pixels).all():
        raise ImageError("The pixels hold values that are not finite.", unchanged="nothing was written")


def _check_sides(size: tuple[int, int], file_format: str) -> None:
    longest = FORMATS[file_format].longest
    if max(size) > longest:
        raise ImageError(
            f"The image is too large for {file_format}.",
            expected=f"sides of at most {longest} pixels",
            got=f"{size[1]}x{size[0]} pixels",
            hint="--format png",
        )


def _alpha(image: ImageData, dtype: np.dtype[Any]) -> Samples | None:
    """Return alpha in the type to write; bit-exact if it has this type already."""
    alpha = image.traits.alpha
    if alpha is None:
        return None
    if alpha.shape != image.size:
        raise ImageError("Alpha and pixels differ in size.", expected=str(image.size), got=str(alpha.shape))
    values: Samples = alpha
    if values.dtype == dtype:
        return values
    full = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)
    return samples_of((values.astype(np.float32) / np.float32(full))[np.newaxis], dtype, None)


def _png(page: Page) -> bytes:
    if page.samples.dtype == np.uint16:
        exif = None if page.metadata.exif is None else page.metadata.exif.removeprefix(PREFIX)
        data = png.encode_deep(page.samples, icc=page.metadata.icc, exif=exif, scale=page.scale)
    else:
        data = _pillow(page, "PNG", compress_level=1)
    return with_metadata(data, page.metadata.xmp, page.metadata.dpi, page.metadata.chunks)


def _jpeg(page: Page) -> bytes:
    held = page.metadata
    description = _known(xmp=held.xmp, dpi=held.dpi, comment=held.comment)
    return _pillow(page, "JPEG", quality=page.quality, subsampling=0, **description)


def _webp(page: Page) -> bytes:
    # "exact" keeps colors where alpha is 0.
    return _pillow(page, "WEBP", quality=page.quality, exact=True, **_known(xmp=page.metadata.xmp))


def _avif(page: Page) -> bytes:
    return _pillow(page, "AVIF", quality=page.quality, subsampling="4:4:4", **_known(xmp=page.metadata.xmp))


def _bmp(page: Page) -> bytes:
    return _pillow(page, "BMP", **_known(dpi=page.metadata.dpi))


def _ppm(page: Page) -> bytes:
    return netpbm.encode(page.samples)


def _tiff(page: Page) -> bytes:
    data = page.metadata
    return tiff.encode(
        page.samples,
        alpha=page.alpha,
        icc=data.icc,
        exif=data.exif,
        xmp=data.xmp,
        dpi=data.dpi,
        scale=page.scale,
    )


def _known(**metadata: object) -> dict[str, object]:
    return {name: value for name, value in metadata.items() if value is not None}


def _pillow(page: Page, file_format: str, **settings: object) -> bytes:
    stream = io.BytesIO()
    metadata = _known(icc_profile=page.metadata.icc, exif=page.metadata.exif)
    Image.fromarray(page.samples).save(stream, format=file_format, **settings, **metadata)
    return stream.getvalue()


_ENCODERS: dict[str, Callable[[Page], bytes]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "TIFF": _tiff,
    "WEBP": _webp,
    "BMP": _bmp,
    "PPM": _ppm,
    "AVIF": _avif,
}
ENCODED = frozenset(_ENCODERS)
"""The formats that are written."""
