"""The picture formats that are read and written: their names, suffixes, first bytes and limits."""

from __future__ import annotations

from pathlib import PurePath

from restorecli.errors import ImageError, UsageError

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pbm": "PPM",
    ".pnm": "PPM",
}
"""Pillow's name of the format by suffix."""

FOREIGN_SUFFIXES = frozenset({".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".psd", ".exr", ".dng"})
"""Pictures that are not read: a folder walk lists them so that each is reported, not lost in silence."""

LOSSLESS = frozenset({"PNG", "TIFF", "BMP", "PPM"})
"""Formats that give back what was written; JPEG and WebP are left for PNG unless asked for."""

DEPTHS = {"PNG": (8, 16), "TIFF": (8, 16, 32), "PPM": (8, 16), "JPEG": (8,), "WEBP": (8,), "BMP": (8,)}
"""Bits per sample that a format can hold, as written here."""

LONGEST_SIDES = {"JPEG": 65500, "WEBP": 16383}
"""Pixels that a side can have at most, of formats whose encoders refuse more."""

NAMES = {"png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "tiff": "TIFF", "tif": "TIFF", "webp": "WEBP"}
NAMES |= {"bmp": "BMP", "ppm": "PPM"}
"""What a user may call a format."""

MAIN_SUFFIX = {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tiff", "WEBP": ".webp", "BMP": ".bmp", "PPM": ".ppm"}
"""The suffix that a new name gets."""

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
        start: At least the first 16 bytes, or the whole file if it is shorter.

    Raises:
        ImageError: The file is empty or of no format that is read.
    """
    if not start:
        raise ImageError("the file is empty", expected="a picture", came="0 bytes")
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    for signature, name in _STARTS.items():
        if start.startswith(signature):
            return name
    raise ImageError(
        "the file is no picture of a format that is read",
        expected="PNG, JPEG, TIFF, WebP, GIF, BMP or PPM content, whatever the suffix says",
        came=f"a file that begins with {start[:12]!r}",
        hint="convert it to PNG first, or remove it from the folder",
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
            "the suffix names no format that is written",
            expected=", ".join(sorted(SUFFIXES)),
            came=path.suffix or "no suffix",
            file=str(path),
        ) from None


def format_named(name: str) -> str:
    """Return Pillow's name of the format that a user calls `name`, e.g. "tif" -> "TIFF".

    Raises:
        UsageError: There is no such format.
    """
    try:
        return NAMES[name.lower().lstrip(".")]
    except KeyError:
        raise UsageError(
            "unknown picture format", expected=", ".join(sorted(NAMES)), came=repr(name)
        ) from None
