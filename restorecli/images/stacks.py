"""The way in and out for files of several images, of any format that holds such."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod
from pathlib import Path

from restorecli.errors import ImageError
from restorecli.images.animations import AnimatedPlanes, write_animation
from restorecli.images.faults import read_fault
from restorecli.images.formats import FORMATS, format_for, sniff
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.planes import Chosen, Layout, Planes, choose
from restorecli.images.tiff_planes import TiffPlanes, is_one_of_other_colors
from restorecli.images.tiff_stack import write_tiff_stack
from restorecli.images.writing import told_of

_START = 1 << 20  # bytes of a PNG in which it says whether it is an animation

_HOLDERS = frozenset({"TIFF", "PNG", "GIF", "WEBP", "AVIF"})


def open_stack(path: Path, options: ReadOptions) -> Chosen | None:
    """Open a file whose planes are to be treated one by one.

    Args:
        path: The file.
        options: Which planes (`frames`), and how to read what is unusual.

    Returns:
        The planes, for a `with` statement; None where one image is asked for, or there is only one.

    Raises:
        ImageError: The file cannot be read, is damaged, or has no such planes.
    """
    if not options.stack:
        return None
    try:
        file_format = _format_of(path) if path.is_file() else ""  # who reads it says what it is
        if file_format not in _HOLDERS or is_still(path, options.frames):
            return None
        chosen = choose(lambda: _open(path, file_format, options), options.frames)
    except OSError as fault:
        raise read_fault(fault, path) from fault
    if prod(chosen.planes.layout.shape) > 1:
        return chosen
    chosen.planes.close()
    return None


def is_still(path: Path, frames: str) -> bool:
    """Tell whether a file surely holds one image, and that one is asked for: it is then read as any other.

    Damaged images, and colors that planes are not read of, are read that way only.

    Args:
        path: The file.
        frames: As in `ReadOptions`.

    Raises:
        ImageError: The file is a damaged TIFF.
        OSError: It cannot be read.
    """
    if frames not in ("all", "0", "0..0"):
        return False
    with path.open("rb") as stream:
        start = stream.read(_START)
    if sniff(start) == "TIFF":
        return is_one_of_other_colors(path)
    before, pixels, _ = start.partition(b"IDAT")
    return sniff(start) == "PNG" and bool(pixels) and b"acTL" not in before


def read_plane(path: Path, options: ReadOptions, like: FileTraits | None = None) -> ImageData:
    """Read the one plane that `options.frames` numbers.

    Args:
        path: The file.
        options: Which plane, and how to read what is unusual.
        like: Traits of an image that this one is to be compared with.

    Raises:
        ImageError: The file is damaged, or has no such plane.
        OSError: It cannot be read.
    """
    file_format = _format_of(path)
    if file_format not in _HOLDERS:
        raise ImageError(f"{file_format} is read as one image.", expected="--frames first")
    with choose(lambda: _open(path, file_format, options, like), options.frames) as chosen:
        image = next(iter(chosen))
    count = prod(chosen.planes.layout.shape)
    if count == 1:
        return image
    note = f"plane {options.frames} of 0 to {count - 1}"
    return replace(image, traits=replace(image.traits, notes=(note, *image.traits.notes)))


def write_stack(
    path: Path, images: Iterable[ImageData], layout: Layout, *, quality: int = 95
) -> tuple[str, ...]:
    """Write planes as one file of the format of the suffix, atomically.

    Args:
        path: The file to write; its folder must exist.
        images: The planes, as many as the layout says; one is in memory at a time.
        layout: Of the file that they came from.
        quality: For WebP, 1 to 100.

    Returns:
        What could not be kept.

    Raises:
        ImageError: The format holds one image only, or a plane cannot be written.
        ResourceError: The disk is full or failing.
    """
    file_format = format_for(path)
    if not FORMATS[file_format].several:
        raise ImageError(
            f"{file_format} holds one image only.",
            expected="TIFF, or PNG and WebP for animations",
            got=f"{prod(layout.shape)} frames or pages",
            file=path,
            hint="--format tiff, or --frames 0 for the first one",
        )
    with told_of(path, file_format):
        if file_format == "TIFF":
            losses = write_tiff_stack(path, images, layout)
        else:
            losses = write_animation(path, images, layout, file_format, quality=quality)
    return (*layout.notes, *losses)


def _format_of(path: Path) -> str:
    with path.open("rb") as stream:
        return sniff(stream.read(64))


def _open(path: Path, file_format: str, options: ReadOptions, like: FileTraits | None = None) -> Planes:
    if file_format == "TIFF":
        return TiffPlanes(path, options, like)
    return AnimatedPlanes(path.read_bytes(), file_format, options)
