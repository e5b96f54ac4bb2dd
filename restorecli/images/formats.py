"""The image formats that are read and written: their names, suffixes, first bytes and limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from restorecli.errors import ImageError, UsageError


@dataclass(frozen=True, slots=True)
class Format:
    """What is known of a format, and what of an image it holds.

    Attributes:
        suffixes: Of its files; the first one is given to new names. None where it is only read.
        names: What a user may call it.
        depths: Bits of the unsigned integers that it holds, as written here.
        every_type: Whether it holds signed integers and floating point, too.
        lossless: Whether it gives back what was written; others are left for PNG unless asked for.
        longest: Pixels that a side can have at most for its encoder.
        alpha: Whether it holds alpha.
        gray: Whether it holds one channel.
        metadata: Whether it holds an ICC profile, EXIF and XMP.
        resolution: Whether it holds pixels per inch.
        several: Whether several images of a file are written.
    """

    suffixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    depths: tuple[int, ...] = (8,)
    every_type: bool = False
    lossless: bool = False
    longest: float = math.inf
    alpha: bool = True
    gray: bool = True
    metadata: bool = True
    resolution: bool = True
    several: bool = False


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "PNG": Format((".png",), ("png",), (8, 16), lossless=True, several=True),
        "JPEG": Format((".jpg", ".jpeg", ".jpe", ".jfif"), ("jpeg", "jpg"), longest=65500, alpha=False),
        "TIFF": Format(
            (".tiff", ".tif"), ("tiff", "tif"), (8, 16, 32), every_type=True, lossless=True, several=True
        ),
        "WEBP": Format((".webp",), ("webp",), longest=16383, gray=False, resolution=False, several=True),
        "BMP": Format((".bmp", ".dib"), ("bmp",), lossless=True, alpha=False, metadata=False),
        "PPM": Format(
            (".ppm", ".pgm", ".pbm", ".pnm"),
            ("ppm",),
            (8, 16),
            lossless=True,
            alpha=False,
            metadata=False,
            resolution=False,
        ),
        "AVIF": Format((".avif",), ("avif",), longest=65536, gray=False, resolution=False),
        "GIF": Format(),
        "HEIF": Format(),
    }
)
"""Every format that is read, by Pillow's name; who decodes and encodes it stands where that is done."""

SUFFIXES = {suffix: name for name, kind in FORMATS.items() for suffix in kind.suffixes}
"""The format by suffix, of those that are written."""

OTHER_TIFF = frozenset({".lsm", ".stk", ".svs", ".ndpi"})
"""What microscopes and slide scanners call their TIFF files, which are read and written as such."""

_OF_INSTRUMENTS = frozenset({".czi", ".nd2", ".lif", ".oib", ".oir", ".ims"}) | frozenset(
    {".dcm", ".fits", ".mrc", ".dm3", ".dm4"}
)
"""Formats of microscopes, scanners and telescopes that are not read."""

FOREIGN_SUFFIXES = (
    OTHER_TIFF | _OF_INSTRUMENTS | {".gif", ".heic", ".heif", ".jp2", ".jxl", ".psd", ".exr", ".dng"}
)
"""Images that are not written or not even read: a folder walk lists them, not to lose them in silence."""

_NAMES = {called: name for name, kind in FORMATS.items() for called in kind.names}

_BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "HEIF"
)
"""The format by the main brand of an ISO media file."""

_STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    **{b"P%d" % kind: "PPM" for kind in range(1, 7)},
}


def sniff(start: bytes) -> str:
    """Return the format that the first bytes of a file show; its suffix does not count.

    Args:
        start: At least the first 64 bytes, or the whole file if it is shorter.

    Raises:
        ImageError: The file is empty or of no format that is read.
    """
    if not start:
        raise ImageError("The file is empty.", expected="an image", got="0 bytes")
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp" and start[8:12] in _BRANDS:
        return "AVIF" if b"avif" in start[16:64] else _BRANDS[start[8:12]]
    for signature, name in _STARTS.items():
        if start.startswith(signature):
            return name
    raise ImageError(
        "The file is no image of a format that is read.",
        expected="PNG, JPEG, TIFF, WebP, AVIF, HEIC, GIF, BMP or PPM content, whatever the suffix says",
        got=f"a file that begins with {start[:12]!r}",
        hint="convert it to PNG or TIFF first, or remove it from the folder",
    )


def format_for(path: PurePath) -> str:
    """Return the format that a file of this name is written in.

    Raises:
        UsageError: The suffix names no format that is written.
    """
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            "The suffix names no format that is written.",
            expected=", ".join(sorted(SUFFIXES)),
            got=path.suffix or "no suffix",
            file=str(path),
        ) from None


def format_named(name: str) -> str:
    """Return Pillow's name of the format that a user calls `name`, e.g. "tif" -> "TIFF".

    Raises:
        UsageError: There is no such format.
    """
    try:
        return _NAMES[name.lower().lstrip(".")]
    except KeyError:
        raise UsageError(
            "Unknown image format.", expected=", ".join(sorted(_NAMES)), got=repr(name)
        ) from None
