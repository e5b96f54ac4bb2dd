"""Files of at most 8 bits per sample, decoded by Pillow from a fixed list of formats."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import IO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from restorecli.errors import ImageError
from restorecli.images.colors import cmyk_to_srgb, lab_to_srgb
from restorecli.images.decoded import (
    DECODER_FAULTS,
    DamagedImageError,
    Decoded,
    Samples,
    check_single,
)
from restorecli.images.options import ReadOptions
from restorecli.images.png_chunks import comment_chunk
from restorecli.images.untrusted import Untrusted, resolution
from restorecli.images.untrusted import orientation as checked_orientation


def _open_heif(stream: IO[bytes], name: str) -> ImageFile.ImageFile:
    del name
    try:
        from pillow_heif import HeifImageFile
    except ImportError as fault:
        raise ImageError(
            "HEIC is read with an extra package only.",
            expected="pillow-heif",
            got="it is not installed",
            hint='pip install "restorecli[heic]"',
        ) from fault
    opened: ImageFile.ImageFile = HeifImageFile(stream)
    return opened


# Opened by their own class, not by Image.open: only the decoder that the first bytes call for ever runs, and
# Pillow's constant limit of pixels gives way to the memory budget.
_OPENERS: dict[str, Callable[[IO[bytes], str], ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.jpeg_factory,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "HEIF": _open_heif,
}
OPENED = frozenset(_OPENERS)
"""The formats that are opened here."""

_CONVERTED_MODES = ("CMYK", "LAB")
_REFUSED_MODES = {"CMYK", "LAB", "HSV", "YCbCr", "I", "F"}
_ALPHA_MODES = {"LA", "La", "PA", "RGBA", "RGBa"}
_GRAY_MODES = {"1", "L", "LA", "La", "I;16", "I;16B"}


def open_file(stream: IO[bytes], file_format: str) -> ImageFile.ImageFile:
    """Open a file with Pillow's class for its format: the header is read, no pixel is decoded.

    Raises:
        DamagedImageError: The header is damaged.
        ImageError: It promises more than Pillow allows (WebP above 179 megapixels).
    """
    try:
        return _OPENERS[file_format](stream, "")
    except ImageError:
        raise
    except (Image.DecompressionBombError, MemoryError) as fault:
        raise ImageError(f"The {file_format} is too large to be opened.", got=str(fault)) from fault
    except DECODER_FAULTS as fault:
        raise DamagedImageError(
            f"The {file_format} cannot be read.", got=str(fault) or type(fault).__name__
        ) from fault


def takes(height: int, width: int) -> bool:
    """Tell whether Pillow decodes so many pixels of a TIFF's tile; it has a limit of its own."""
    return Image.MAX_IMAGE_PIXELS is None or height * width <= 2 * Image.MAX_IMAGE_PIXELS


def is_gray(image: Image.Image) -> bool:
    """Tell whether an image has one color channel, beside alpha."""
    return image.mode in _GRAY_MODES


def has_alpha(image: Image.Image) -> bool:
    """Tell whether an image has alpha: a channel, or a transparent color or palette entry."""
    return image.mode in _ALPHA_MODES or "transparency" in image.info


def orientation(image: Image.Image) -> int:
    """Return the orientation by EXIF or, without it, by XMP: 1 to 8; 1 if it is damaged.

    Not for PNG, of which Pillow would decode all pixels to look for a late EXIF chunk.
    """
    try:
        return checked_orientation(image.getexif().get(0x0112))
    except DECODER_FAULTS:
        return 1


def decode(data: bytes, file_format: str, options: ReadOptions) -> Decoded:
    """Decode a file of at most 8 bits per sample.

    Args:
        data: The whole file.
        file_format: Pillow's name of the format.
        options: How to read what is unusual.

    Raises:
        DamagedImageError: The file is damaged.
        ImageError: It holds several images, or colors that are neither gray nor RGB.
    """
    with open_file(io.BytesIO(data), file_format) as image:
        try:
            notes = _check_frames(image, options)
            image.load()
            return _decoded(image, file_format, notes, options)
        except ImageError:
            raise
        except Image.DecompressionBombError as fault:
            raise ImageError(f"The {file_format} is too large to be decoded.", got=str(fault)) from fault
        except DECODER_FAULTS as fault:
            raise DamagedImageError(
                f"The {file_format} is damaged or cut short.", got=str(fault) or type(fault).__name__
            ) from fault


def _check_frames(image: ImageFile.ImageFile, options: ReadOptions) -> tuple[str, ...]:
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # checked before: Pillow counts thumbnails, too
        return ()
    frames = int(getattr(image, "n_frames", 1))
    if (
        image.format == "MPO" and frames > 1
    ):  # what phones write: the photograph, then previews or a depth map
        return (f"the main image of {frames} in a multi-image JPEG; the others are not carried on",)
    return check_single(frames, options)


def _decoded(
    image: ImageFile.ImageFile, file_format: str, notes: tuple[str, ...], options: ReadOptions
) -> Decoded:
    described = _described(image, file_format)
    plain: Image.Image = image
    if image.mode in _CONVERTED_MODES and options.to_srgb:
        plain, note = cmyk_to_srgb(image, described.icc) if image.mode == "CMYK" else lab_to_srgb(image)
        notes, described = (*notes, note), replace(described, icc=None)
    elif image.mode in _REFUSED_MODES:
        raise ImageError(
            f"Images in {image.mode} colors are not processed.",
            expected="gray or RGB",
            got=image.mode,
            hint="--to-srgb converts it" if image.mode in _CONVERTED_MODES else "convert it to RGB first",
        )
    colors, alpha = _split(plain)
    notes = (*notes, *_expansions(plain), *described.notes)
    return replace(described, samples=colors, alpha=alpha, notes=notes)


def describe(stream: IO[bytes], file_format: str, options: ReadOptions) -> Decoded:
    """Return what a file says of its image; no pixel is decoded, and its samples are empty.

    Args:
        stream: The open file.
        file_format: Pillow's name of the format.
        options: How to read what is unusual.

    Raises:
        DamagedImageError: The header is damaged.
        ImageError: It holds several images.
    """
    with open_file(stream, file_format) as image:
        described = _described(image, file_format)
        return replace(described, notes=(*_check_frames(image, options), *described.notes))


def _described(image: ImageFile.ImageFile, file_format: str) -> Decoded:
    info, untrusted = dict(image.info), Untrusted()
    return Decoded(
        np.empty((0, 0), np.uint8),
        file_format,
        icc=untrusted.block("icc", info.get("icc_profile")),
        exif=untrusted.block("exif", info.get("exif")),
        xmp=untrusted.block("xmp", info.get("xmp")),
        dpi=_dpi(image),
        chunks=_comment(info.get("comment")) if file_format == "JPEG" else (),
        orientation=None if file_format == "PNG" else orientation(image),
        notes=tuple(untrusted.notes),
    )


def _split(image: Image.Image) -> tuple[Samples, Samples | None]:
    """Return (H, W) or (H, W, 3) colors, and alpha."""
    gray = is_gray(image)
    if not has_alpha(image):
        return np.asarray(_as_mode(image, "L" if gray else "RGB")), None
    straight = image.convert("LA") if image.mode == "La" else image
    both = np.asarray(_as_mode(straight, "RGBA"))
    return both[..., 0] if gray else both[..., :3], np.ascontiguousarray(both[..., 3])


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode and "transparency" not in image.info else image.convert(mode)


def _expansions(image: Image.Image) -> list[str]:
    """Return the notes on samples that were not gray or RGB of 8 bits."""
    notes = []
    if image.mode in {"P", "PA"}:
        notes.append("palette expanded to RGBA" if has_alpha(image) else "palette expanded to RGB")
    if image.mode == "1":
        notes.append("1-bit samples widened to 8-bit gray")
    if image.mode in {"La", "RGBa"}:
        notes.append("premultiplied alpha divided out")
    return notes


def _comment(comment: object) -> tuple[tuple[bytes, bytes], ...]:
    return (comment_chunk(comment),) if isinstance(comment, bytes) and comment else ()


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    """Return pixels per inch as Pillow found them; None for what is damaged or, in a TIFF, for its guess."""
    if isinstance(image, TiffImagePlugin.TiffImageFile) and TiffImagePlugin.X_RESOLUTION not in image.tag_v2:
        return None
    value = image.info.get("dpi")
    return resolution(*value) if isinstance(value, tuple) and len(value) == 2 else None
