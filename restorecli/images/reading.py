"""Reading an image file: any format, depth and metadata, upright, in [0, 1], strict about damage."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from restorecli.errors import ImageError
from restorecli.images import avif, netpbm, pillow_files, png, tiff, tiff_header, tiff_ycbcr
from restorecli.images.budget import check_budget, decoding_budget, decoding_bytes
from restorecli.images.colors import convert_to_srgb
from restorecli.images.decoded import DamagedImageError, Decoded, scale_for, to_image
from restorecli.images.faults import read_fault
from restorecli.images.headers import ImageHeader, inspect_header
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.png_chunks import with_description
from restorecli.images.scale import extent_of
from restorecli.images.stacks import is_still, read_plane
from restorecli.images.tiff_tags import descriptive_exif

__all__ = ["ImageHeader", "fits_in_memory", "probe", "read_image"]

_BIG_ENDIAN_BIGTIFF = b"MM\x00+"

MAX_PIXELS_PER_BYTE = 1032
"""Bytes that one byte can unpack to: what deflate reaches at most (zlib, "Technical Details")."""

_FILLED_ANYWAY = 16 << 20
"""Bytes of samples that are read from a damaged file however little is left of it."""

_GRAY_OR_RGB = (tiff_header.INVERTED, tiff_header.GRAY, tiff_header.RGB)


def read_image(
    path: Path | str,
    options: ReadOptions = STRICT,
    *,
    budget: int | None = None,
    like: FileTraits | None = None,
) -> ImageData:
    """Read an image file.

    Integers of 8 bits, and of 16 where they fill their range, become integer / (2^depth - 1) exactly, and
    floating point inside [0, 1] stays as it is. All other values are brought to [0, 1] by a scale that stands
    in the traits; see `choose_scale`. The image stands upright; depth, alpha, ICC profile and EXIF are in
    its traits, too.

    Args:
        path: The file. Its content decides the format, not its suffix.
        options: How to read what is unusual; what was done to the file stands in the notes of its traits.
        budget: Bytes that decoding may take; by default half of the memory that is free.
        like: Traits of an image that this one is to be compared with, whose scale it is read by.

    Returns:
        The image: (1, H, W) or (3, H, W) float32.

    Raises:
        ImageError: The file is missing, damaged, too large or of a kind that is not processed.

    Example:
        >>> import numpy as np
        >>> from restorecli.images.image import ImageData
        >>> from restorecli.images.writing import write_image
        >>> write_image("gray.png", ImageData(np.full((1, 4, 6), 0.2, np.float32)))
        ()
        >>> image = read_image("gray.png")
        >>> image.pixels.shape, image.pixels.dtype, round(255 * float(image.pixels[0, 0, 0]), 4)
        ((1, 4, 6), dtype('float32'), 51.0)
    """
    path = Path(path)
    try:
        if options.frames.isdigit():
            _check_regular(path)
            if not is_still(path, options.frames):
                return read_plane(path, options, like)
        return _read(_read_bytes(path, budget), options, budget, like)
    except ImageError as error:
        error.file = error.file or str(path)
        raise
    except OSError as fault:
        raise read_fault(fault, path) from fault
    except MemoryError as fault:
        raise ImageError("Memory ran out while the image was decoded.", file=path) from fault


def probe(path: Path | str) -> ImageHeader:
    """Return what the header of a file promises; no pixel is decoded.

    Raises:
        ImageError: The file is missing, or its header is damaged or of no format that is read.

    Example:
        >>> import numpy as np
        >>> from restorecli.images.image import ImageData
        >>> from restorecli.images.writing import write_image
        >>> write_image("gray.png", ImageData(np.full((1, 4, 6), 0.2, np.float32)))
        ()
        >>> header = probe("gray.png")
        >>> header.size, header.channels, header.depth
        ((4, 6), 1, 8)
    """
    path = Path(path)
    try:
        _check_regular(path)
        with path.open("rb") as stream:
            return inspect_header(stream)
    except OSError as fault:
        raise read_fault(fault, path) from fault
    except ImageError as error:
        error.file = error.file or str(path)
        raise


def fits_in_memory(header: ImageHeader) -> bool:
    """Tell whether `read_image` would find room for an image now."""
    size = decoding_bytes(*header.size, header.channels + header.alpha, header.depth)
    return size <= decoding_budget()


def _read(data: bytes, options: ReadOptions, budget: int | None, like: FileTraits | None) -> ImageData:
    header = inspect_header(io.BytesIO(data))
    check_budget(*header.size, header.channels + header.alpha, header.depth, budget)
    try:
        decoded = _decode(data, header, options)
    except DamagedImageError as error:
        if not options.allow_truncated:
            error.hint = error.hint or "--allow-truncated reads what is left of it"
            raise
        decoded = _decode_rest(data, header, options, error)
    if options.to_srgb and decoded.icc is not None:
        decoded = convert_to_srgb(_on_its_type(decoded, options, like))
        options, like = replace(options, range="type"), None
    return to_image(decoded, options, like)


def _on_its_type(decoded: Decoded, options: ReadOptions, like: FileTraits | None) -> Decoded:
    """Return an image that color profiles can be applied to: its values fill the range of its type.

    Raises:
        ImageError: They are on another scale.
    """
    samples = decoded.samples
    scale = scale_for(samples.dtype, decoded.levels, options, like, lambda: extent_of([samples]))
    if scale is not None or samples.dtype not in (np.uint8, np.uint16, np.float32):
        raise ImageError(
            "The colors of such values are not converted.",
            expected="8 or 16 bits that are filled, or floating point from 0 to 1",
            got=f"{samples.dtype.name}" + ("" if scale is None else f", {scale.note}"),
            hint="leave out --to-srgb, or say --range type",
        )
    return decoded


def _decode(data: bytes, header: ImageHeader, options: ReadOptions) -> Decoded:
    if header.format == "PPM":
        return netpbm.decode(data, options)
    if header.format == "PNG":
        return png.decode_deep(data, options) if header.depth == 16 else _decode_plain_png(data, options)
    if header.format == "TIFF":
        return _decode_tiff(data, options)
    if header.format == "AVIF" and header.depth == 16:
        return avif.in_depth(pillow_files.decode(data, "AVIF", options), data)
    return pillow_files.decode(data, header.format, options)


def _decode_plain_png(data: bytes, options: ReadOptions) -> Decoded:
    chunks = png.read_chunks(data)  # Pillow does not look at every check sum
    decoded = pillow_files.decode(data, "PNG", options)
    return with_description(decoded, chunks)


def _decode_tiff(data: bytes, options: ReadOptions) -> Decoded:
    header = tiff_header.read_header(io.BytesIO(data))
    tiff_header.check_kind(header)
    unknown_to_pillow = data[:4] == _BIG_ENDIAN_BIGTIFF or not pillow_files.takes(header.height, header.width)
    if not header.plain or (unknown_to_pillow and header.photometric in _GRAY_OR_RGB):
        return tiff.decode(data, options)
    if header.photometric == tiff_header.YCBCR and not header.jpeg:
        return tiff_ycbcr.decode(data, options)
    notes = tiff_header.check_pages(header, options)  # Pillow takes thumbnails for pages
    decoded = pillow_files.decode(data, "TIFF", options)
    return replace(decoded, exif=descriptive_exif(data), notes=(*notes, *decoded.notes))


def _decode_rest(data: bytes, header: ImageHeader, options: ReadOptions, error: DamagedImageError) -> Decoded:
    """Decode a damaged file after completing it with an end mark or with empty samples."""
    _check_rest(data, header, error)
    if header.format == "PNG":
        mended = png.mend(data)
    elif header.format == "JPEG":
        mended = data + b"\xff\xd9"
    else:
        mended = data + bytes(_sample_bytes(header))
    try:
        decoded = _decode(mended, header, options)
    except DamagedImageError:
        raise error from None
    note = f"damaged file, read as far as possible: {error.problem}"
    return replace(decoded, notes=(*decoded.notes, note))


def _check_rest(data: bytes, header: ImageHeader, error: DamagedImageError) -> None:
    """Refuse a damaged file whose header promises far more than its bytes can hold.

    Raises:
        ImageError: Next to nothing would be read, and all the rest filled in.
    """
    most = _FILLED_ANYWAY + MAX_PIXELS_PER_BYTE * len(data)
    if _sample_bytes(header) > most:
        height, width = header.size
        raise ImageError(
            "The file is damaged, and almost nothing is left of what its header promises.",
            expected=f"at most {most:,} bytes of samples from a damaged file of this size",
            got=f"{width} x {height} promised by {len(data):,} bytes ({error.problem})",
            hint="copy the file again from where it came",
        )


def _sample_bytes(header: ImageHeader) -> int:
    height, width = header.size
    return height * width * (header.channels + header.alpha) * header.depth // 8


def _read_bytes(path: Path, budget: int | None) -> bytes:
    _check_regular(path)
    size = path.stat().st_size
    if size > (decoding_budget() if budget is None else budget):
        raise ImageError("The file is larger than the memory it may take.", got=f"{size:,} bytes")
    return path.read_bytes()


def _check_regular(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise ImageError("This is no regular file.", expected="an image file", file=path)
