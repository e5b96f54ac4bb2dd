"""The tags that describe a picture: out of a TIFF as an EXIF block and back, byte for byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from restorecli.images.exif import PREFIX

_CAMERA, _PLACE, _INTEROPERABILITY = 34665, 34853, 40965
_NESTED = ((_CAMERA, _PLACE), (_INTEROPERABILITY,), ())
"""Tags that point to a directory, by level; followed nowhere else, so that none goes in a circle."""
_DESCRIPTIVE = frozenset(
    {270, 271, 272, 282, 283, 296, 305, 306, 315, 33432, _CAMERA, _PLACE}
)  # description, make, model, resolution, software, date, artist, copyright, and two directories
_LONG = 4
_BYTES_PER_VALUE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SWAPPED_UNIT = {3: 2, 8: 2, 4: 4, 5: 4, 9: 4, 10: 4, 11: 4, 13: 4, 12: 8}
_POINTERS = frozenset({_CAMERA, _PLACE, _INTEROPERABILITY})


class _Entry(NamedTuple):
    """One tag: its value as little-endian bytes, or the entries of the directory it points to."""

    tag: int
    kind: int
    length: int
    value: bytes
    children: tuple[_Entry, ...] | None = None


def descriptive_exif(data: bytes) -> bytes | None:
    """Return the descriptive tags of a TIFF and its camera and GPS directories as an EXIF block.

    Args:
        data: The whole file; for BigTIFF, and if there are no such tags, None comes back.
    """
    entries = _descriptive(data)
    if not entries:
        return None
    body = bytearray(b"II*\x00\x00\x00\x00\x00")
    _finish(body, {entry.tag: _append(body, entry) for entry in entries})
    return PREFIX + bytes(body)


def append_tags(data: bytes, exif: bytes | None) -> bytes:
    """Return a TIFF whose first directory also holds the descriptive tags of an EXIF block.

    A new first directory is written at the end of the file; it refers to everything the old one did.

    Args:
        data: A little-endian classic TIFF of one page.
        exif: The EXIF block, or None. Its thumbnail is left out.
    """
    entries = _descriptive((exif or b"").removeprefix(PREFIX))
    if not entries or data[:4] != b"II*\x00":
        return data
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    fields = {}
    for place in range(directory + 2, directory + 2 + 12 * count, 12):
        fields[struct.unpack_from("<H", data, place)[0]] = data[place : place + 12]
    body = bytearray(data)
    fields |= {entry.tag: _append(body, entry) for entry in entries}
    _finish(body, fields)
    return bytes(body)


def _descriptive(data: bytes) -> list[_Entry]:
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(bytes(data[:4]))
    if order is None or len(data) < 8:
        return []
    (directory,) = struct.unpack_from(order + "I", data, 4)
    return [entry for entry in _read(data, directory, order, 0) if entry.tag in _DESCRIPTIVE]


def _read(data: bytes, directory: int, order: str, level: int) -> Iterator[_Entry]:
    """Yield the entries of a directory that are whole, each tag once."""
    if directory + 2 > len(data):
        return
    seen = set()
    (count,) = struct.unpack_from(order + "H", data, directory)
    for place in range(directory + 2, min(directory + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, length = struct.unpack_from(order + "HHI", data, place)
        size = _BYTES_PER_VALUE.get(kind, 0) * length
        start = place + 8 if size <= 4 else struct.unpack_from(order + "I", data, place + 8)[0]
        if tag in seen or size == 0 or start + size > len(data):
            continue
        seen.add(tag)
        value = data[start : start + size]
        if tag not in _POINTERS:
            yield _Entry(tag, kind, length, _little_endian(value, kind, order))
        elif tag in _NESTED[level] and size == 4:
            (nested,) = struct.unpack(order + "I", value)
            yield _Entry(tag, _LONG, 1, b"", tuple(_read(data, nested, order, level + 1)))


def _little_endian(value: bytes, kind: int, order: str) -> bytes:
    unit = _SWAPPED_UNIT.get(kind, 1)
    if order == "<" or unit == 1:
        return bytes(value)
    return b"".join(value[place : place + unit][::-1] for place in range(0, len(value), unit))


def _append(body: bytearray, entry: _Entry) -> bytes:
    """Put what does not fit into a field of 12 bytes at the end of `body`; return the field."""
    value = entry.value
    if entry.children is not None:
        fields = {child.tag: _append(body, child) for child in entry.children}
        value = struct.pack("<I", _put_directory(body, fields))
    elif len(value) > 4:
        place = _even_end(body)
        body += value
        value = struct.pack("<I", place)
    return struct.pack("<HHI", entry.tag, entry.kind, entry.length) + value.ljust(4, b"\x00")


def _put_directory(body: bytearray, fields: dict[int, bytes]) -> int:
    place = _even_end(body)
    body += struct.pack("<H", len(fields)) + b"".join(fields[tag] for tag in sorted(fields)) + bytes(4)
    return place


def _finish(body: bytearray, fields: dict[int, bytes]) -> None:
    struct.pack_into("<I", body, 4, _put_directory(body, fields))


def _even_end(body: bytearray) -> int:
    body += bytes(len(body) % 2)
    return len(body)
