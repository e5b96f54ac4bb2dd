"""Blocks of metadata as ImageMagick writes them into text chunks of a PNG: hexadecimal digits."""

from __future__ import annotations

import re

_KEY = b"Raw profile type "
_TEXT = re.compile(rb"\s*(\w+)\s+(\d{1,9})\s+([0-9a-fA-F\s]*)\s*\Z")


def profile_kind(key: bytes) -> bytes | None:
    """Return which profile a text chunk of this key holds, e.g. b"exif", or None if it is ordinary text."""
    return key.removeprefix(_KEY) if key.startswith(_KEY) else None


def profile_bytes(text: bytes | None) -> bytes | None:
    """Return the block that the text of such a chunk stands for, or None if it is damaged.

    Args:
        text: A line with the kind, one with the number of bytes, then hexadecimal digits (ImageMagick,
            coders/png.c, `png_write_raw_profile`).
    """
    found = _TEXT.match(text or b"")
    if found is None:
        return None
    digits = b"".join(found[3].split())
    return bytes.fromhex(digits.decode("ascii")) if len(digits) == 2 * int(found[2]) > 0 else None
