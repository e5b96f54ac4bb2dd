"""What the header of an image file promises, found without decoding a pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import IO

from PIL import Image

from restorecli.images import avif, netpbm, pillow_files, png, tiff_header
from restorecli.images.formats import sniff
from restorecli.images.png_chunks import orientation_by

_START = 65536


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the header of a file promises.

    Attributes:
        size: Height and width in pixels, upright.
        channels: 1 for gray, 3 for RGB.
        depth: Bits per sample as the image will be handed on: 8, 16 or 32.
        format: Pillow's name of the format.
        alpha: Whether there is alpha beside the colors.
    """

    size: tuple[int, int]
    channels: int
    depth: int
    format: str
    alpha: bool = False


def inspect_header(stream: IO[bytes]) -> ImageHeader:
    """Return what the header of an open file promises.

    Raises:
        ImageError: The header is damaged, or the file is of no format that is read.
    """
    start = stream.read(_START)
    stream.seek(0)
    file_format = sniff(start)
    if file_format == "PPM":
        ppm = netpbm.read_header(start)
        return ImageHeader((ppm.height, ppm.width), ppm.channels, ppm.depth, "PPM")
    if file_format == "TIFF":
        return _tiff(tiff_header.read_header(stream))
    if file_format == "PNG":
        return _png(stream, start)
    with pillow_files.open_file(stream, file_format) as image:
        header = _pillow(image, file_format, pillow_files.orientation(image))
    deep = file_format == "AVIF" and avif.bits_of(start) > 8
    return replace(header, depth=16) if deep else header


def _pillow(image: Image.Image, file_format: str, orientation: int) -> ImageHeader:
    width, height = image.size
    return ImageHeader(
        size=(width, height) if orientation >= 5 else (height, width),
        channels=1 if pillow_files.is_gray(image) else 3,
        depth=8,
        format=file_format,
        alpha=pillow_files.has_alpha(image),
    )


def _png(stream: IO[bytes], start: bytes) -> ImageHeader:
    """Return what Pillow found, corrected where its modes do not tell 16-bit samples."""
    with pillow_files.open_file(stream, "PNG") as image:
        opened = _pillow(image, "PNG", orientation_by(png.read_description(stream)))
    header = png.read_header(start)
    if header.depth != 16:
        return opened
    gray = header.color in (0, 4)
    alpha = header.color in (4, 6) or opened.alpha
    return ImageHeader(opened.size, 1 if gray else 3, 16, "PNG", alpha)


def _tiff(header: tiff_header.TiffHeader) -> ImageHeader:
    upright = (header.height, header.width)
    return ImageHeader(
        size=upright if header.orientation < 5 else upright[::-1],
        channels=1 if header.photometric in (0, 1) else 3,
        depth=header.depth,
        format="TIFF",
        alpha=header.alpha is not None,
    )
