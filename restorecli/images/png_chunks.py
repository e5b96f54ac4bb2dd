"""The chunks of a PNG that describe it: XMP, resolution, text, color; read, carried on, written."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from restorecli.images.decoded import DamagedImageError, Decoded
from restorecli.images.exif import is_block
from restorecli.images.exif import stated_orientation as exif_orientation
from restorecli.images.raw_profiles import profile_bytes, profile_kind
from restorecli.images.untrusted import resolution
from restorecli.images.xmp import stated_orientation as xmp_orientation

Chunk = tuple[bytes, memoryview]
"""Kind and payload."""

Carried = tuple[bytes, bytes]
"""Kind and payload of a chunk that is written as it was read."""

COLOR_KINDS = frozenset({b"cICP", b"sRGB", b"gAMA", b"cHRM"})
"""Chunks that say which colors the samples mean, beside the ICC profile."""

TEXT_KINDS = frozenset({b"tEXt", b"zTXt", b"iTXt"})

_UNPACKED_LIMIT = 64 << 20
_INCH = 0.0254  # meters
_XMP = b"XML:com.adobe.xmp\x00"
_COMMENT = b"Comment\x00"
_SRGB_GAMMA = struct.pack(">I", 45455)


def make_chunk(kind: bytes, payload: bytes) -> bytes:
    """Return a chunk: length, kind, payload, CRC."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def unpacked(packed: bytes) -> bytes | None:
    """Return what metadata holds unpacked, up to a limit.

    Raises:
        DamagedImageError: It cannot be unpacked.
    """
    try:
        return zlib.decompressobj().decompress(packed, _UNPACKED_LIMIT) or None
    except zlib.error as fault:
        raise DamagedImageError("The metadata of the PNG is damaged.", got=str(fault)) from fault


def with_description(decoded: Decoded, chunks: Sequence[Chunk]) -> Decoded:
    """Return a decoded PNG with what its chunks say: XMP, resolution, text and colors."""
    raw, left_out = _raw_exif(chunks)
    return replace(
        decoded,
        exif=decoded.exif or raw,
        xmp=_xmp_of(chunks),
        dpi=dpi_of(chunks),
        chunks=tuple(_carried(chunks)),
        notes=(*decoded.notes, *left_out),
    )


def orientation_by(chunks: Iterable[Chunk]) -> int:
    """Return the orientation that EXIF, a raw profile or XMP among the chunks say, in this order, or 1."""
    chunks = list(chunks)
    exif = next((bytes(payload) for kind, payload in chunks if kind == b"eXIf"), None) or _raw_exif(chunks)[0]
    return exif_orientation(exif) or xmp_orientation(_xmp_of(chunks)) or 1


def with_metadata(
    data: bytes, xmp: bytes | None, dpi: tuple[float, float] | None, chunks: Iterable[Carried] = ()
) -> bytes:
    """Return a PNG that also holds an XMP packet, a resolution in pixels per inch, and carried chunks."""
    extra = b"".join(make_chunk(*chunk) for chunk in chunks)
    if dpi is not None:
        across, down = (round(value / _INCH) for value in dpi)
        extra += make_chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    if xmp is not None:
        extra += make_chunk(b"iTXt", _XMP + b"\x00\x00\x00\x00" + xmp)
    return data[:33] + extra + data[33:]


def comment_chunk(comment: bytes) -> Carried:
    """Return a JPEG's comment as text under the key that PNG has for it.

    UTF-8 beyond ASCII needs iTXt; bytes in another encoding stay as they are.
    """
    text = comment.rstrip(b"\x00").replace(b"\x00", b" ")
    try:
        plain = text.decode("utf-8").isascii()
    except UnicodeDecodeError:
        plain = True
    return (b"tEXt", _COMMENT + text) if plain else (b"iTXt", _COMMENT + b"\x00\x00\x00\x00" + text)


def comment_of(chunks: Iterable[Carried]) -> bytes | None:
    """Return what a JPEG's comment can hold of carried chunks: the text under the key "Comment", or None."""
    for kind, payload in chunks:
        if kind in TEXT_KINDS and payload.startswith(_COMMENT):
            with contextlib.suppress(DamagedImageError):
                return _text_of(kind, payload[len(_COMMENT) :])
    return None


def names_other_colors(chunks: Iterable[Carried]) -> bool:
    """Tell whether carried chunks name other colors than sRGB, which images without a word have."""
    colors = {kind: payload for kind, payload in chunks if kind in COLOR_KINDS}
    if b"cICP" in colors:
        return True
    return b"sRGB" not in colors and colors not in ({}, {b"gAMA": _SRGB_GAMMA})


def _text_of(kind: bytes, rest: bytes) -> bytes | None:
    """Return the text of a chunk, whose key is cut off."""
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return unpacked(rest[1:])
    text = rest[2:].split(b"\x00", 2)[-1]  # behind the language and the translated keyword
    return unpacked(text) if rest[:1] == b"\x01" else text


def _carried(chunks: Iterable[Chunk]) -> Iterable[Carried]:
    """Yield the chunks that are written again as they are: text but for XMP, and colors."""
    for kind, payload in chunks:
        text = kind in TEXT_KINDS and not _is_xmp(kind, payload) and _raw_kind(kind, payload) is None
        if text or kind in COLOR_KINDS:
            yield kind, bytes(payload)


def _xmp_of(chunks: Iterable[Chunk]) -> bytes | None:
    """Return the XMP packet among the chunks (XMP specification, part 3, section 1.1.5), or None."""
    for kind, payload in chunks:
        if _is_xmp(kind, payload):
            flags, rest = payload[len(_XMP) : len(_XMP) + 2], bytes(payload[len(_XMP) + 2 :])
            text = rest.split(b"\x00", 2)[-1]  # behind the language and the translated keyword
            return unpacked(text) if flags[0] else text
    return None


def dpi_of(chunks: Iterable[Chunk]) -> tuple[float, float] | None:
    """Return the resolution of a pHYs chunk in pixels per inch; None without one in meters."""
    for kind, payload in chunks:
        if kind == b"pHYs" and len(payload) == 9 and payload[8] == 1:
            across, down = struct.unpack(">II", payload[:8])
            return resolution(across, down, _INCH)
    return None


def _is_xmp(kind: bytes, payload: memoryview | bytes) -> bool:
    return kind == b"iTXt" and bytes(payload[: len(_XMP)]) == _XMP and len(payload) > len(_XMP) + 4


def _raw_kind(kind: bytes, payload: memoryview) -> bytes | None:
    """Return which profile a chunk is ImageMagick's copy of; its orientation would turn pixels twice."""
    return profile_kind(bytes(payload[:80]).partition(b"\x00")[0]) if kind in TEXT_KINDS else None


def _raw_exif(chunks: Iterable[Chunk]) -> tuple[bytes | None, list[str]]:
    """Return the EXIF block that stands as a raw profile in text, or None, and which others are left out."""
    found: bytes | None = None
    left_out = []
    for kind, payload in chunks:
        name = _raw_kind(kind, payload)
        if name is None:
            continue
        block = None
        if name.lower() in (b"exif", b"app1"):
            block = profile_bytes(_text_of(kind, bytes(payload).partition(b"\x00")[2]))
        if block is not None and found is None and is_block(block):
            found = block
        else:
            left_out.append("a raw profile in a text chunk is not carried on")
    return found, left_out
