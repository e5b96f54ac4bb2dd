"""The tags that describe an image: out of a TIFF as an EXIF block and back, byte for byte.

Classic TIFF counts with 32 bits and holds 4 GiB; BigTIFF, which goes on from there, counts with 64.
"""

from __future__ import annotations

import mmap
import os
import re
import struct
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import NamedTuple

from restorecli.images.exif import PREFIX

_CAMERA, _PLACE, _INTEROPERABILITY = 34665, 34853, 40965
_NESTED = ((_CAMERA, _PLACE), (_INTEROPERABILITY,), ())
"""Tags that point to a directory, by level; followed nowhere else, so that none goes in a circle."""
_WORDS = 270
_DESCRIPTIVE = frozenset(
    {_WORDS, 271, 272, 282, 283, 296, 305, 306, 315, 33432, _CAMERA, _PLACE}
)  # description, make, model, resolution, software, date, artist, copyright, and two directories
_IMAGES = re.compile(rb"^images=(\d{1,9})", re.MULTILINE)
_SIZES = re.compile(rb'\bSize[ZCT]="(\d{1,9})')
_SAMPLES = re.compile(rb'\bSamplesPerPixel="(\d{1,9})"')
_LONG, _LONG8, _IFD8 = 4, 16, 18
_CLASSIC_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BYTES_PER_VALUE = _CLASSIC_BYTES | {_LONG8: 8, _IFD8: 8}
_ONLY_BIG = frozenset({_LONG8, _IFD8})
_SWAPPED_UNIT = {3: 2, 8: 2, 4: 4, 5: 4, 9: 4, 10: 4, 11: 4, 13: 4, 12: 8}
_POINTERS = frozenset({_CAMERA, _PLACE, _INTEROPERABILITY})


class _Entry(NamedTuple):
    """One tag: its value as little-endian bytes, or the entries of the directory it points to."""

    tag: int
    kind: int
    length: int
    value: bytes
    children: tuple[_Entry, ...] | None = None


class _Layout(NamedTuple):
    """How a file counts and points, in struct's letters: classic TIFF with 32 bits, BigTIFF with 64."""

    order: str
    counter: str
    offset: str
    start: int

    def unpack(self, letters: str, data: bytes | mmap.mmap, place: int) -> tuple[int, ...]:
        """Return the numbers at a place of the file."""
        return struct.unpack_from(self.order + letters, data, place)

    @property
    def room(self) -> int:
        """Bytes of a value that stands in the directory itself, and of an offset."""
        return struct.calcsize("<" + self.offset)

    @property
    def field(self) -> int:
        """Bytes of one tag in a directory."""
        return 4 + 2 * self.room

    def directory(self, data: bytes | mmap.mmap, place: int) -> tuple[int, int]:
        """Return the number of tags of a directory and where the first one stands; none beyond the end."""
        first = place + struct.calcsize("<" + self.counter)
        return (0, first) if first > len(data) else (self.unpack(self.counter, data, place)[0], first)


_CLASSIC = _Layout("<", "H", "I", 4)
_LAYOUTS = {
    b"II*\x00": _CLASSIC,
    b"MM\x00*": _CLASSIC._replace(order=">"),
    b"II+\x00": _Layout("<", "Q", "Q", 8),
    b"MM\x00+": _Layout(">", "Q", "Q", 8),
}


class _Tail:
    """What is added behind the end of a file.

    Args:
        start: Where it begins.
        layout: Of the file.
    """

    def __init__(self, start: int, layout: _Layout) -> None:
        self.data = bytearray()
        self._start = start
        self._layout = layout

    def put(self, value: bytes) -> int:
        """Add bytes and return their place, which is even."""
        self.data += bytes((self._start + len(self.data)) % 2)
        place = self._start + len(self.data)
        self.data += value
        return place

    def field(self, entry: _Entry) -> bytes:
        """Return the field of a tag, after adding what does not fit into it."""
        value, room = entry.value, self._layout.room
        if entry.children is not None:
            value = self._offset(self.directory({child.tag: self.field(child) for child in entry.children}))
            kind = _LONG if room == 4 else _LONG8
            return struct.pack("<HH" + self._layout.offset, entry.tag, kind, 1) + value
        if len(value) > room:
            value = self._offset(self.put(value))
        return struct.pack("<HH" + self._layout.offset, entry.tag, entry.kind, entry.length) + value.ljust(
            room, b"\x00"
        )

    def directory(self, fields: Mapping[int, bytes], following: bytes = b"") -> int:
        """Add a directory, which points to another one or to none, and return its place."""
        count = struct.pack("<" + self._layout.counter, len(fields))
        body = b"".join(fields[tag] for tag in sorted(fields))
        return self.put(count + body + (following or bytes(self._layout.room)))

    def _offset(self, place: int) -> bytes:
        return struct.pack("<" + self._layout.offset, place)


def descriptive_exif(data: bytes | mmap.mmap) -> bytes | None:
    """Return the descriptive tags of a TIFF and its camera and GPS directories as an EXIF block.

    Args:
        data: The whole file; if there are no such tags, None comes back. What ImageJ, OME and tifffile say of
            the planes of a stack is no description of one image and is left out.
    """
    entries = [entry for entry in _descriptive(data) if entry.tag != _WORDS or _is_of_one(entry.value)]
    if not entries:
        return None
    tail = _Tail(8, _CLASSIC)
    place = tail.directory({entry.tag: tail.field(entry) for entry in entries})
    return PREFIX + b"II*\x00" + struct.pack("<I", place) + bytes(tail.data)


def exif_of(path: Path) -> bytes | None:
    """Do for a file what `descriptive_exif` does; only its directories are read."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return descriptive_exif(data)


def append_tags(data: bytes, exif: bytes | None) -> bytes:
    """Return a TIFF whose first directory also holds the descriptive tags of an EXIF block.

    A new first directory is written at the end of the file; it refers to everything the old one did.

    Args:
        data: A little-endian TIFF; further pages follow as they did.
        exif: The EXIF block, or None. Its thumbnail is left out.
    """
    added = _addition(data, exif)
    if added is None:
        return data
    start, pointer, tail = added
    return data[:start] + pointer + data[start + len(pointer) :] + tail


def append_tags_to_file(path: Path, exif: bytes | None) -> None:
    """Do to a file what `append_tags` does; of a large one only its directory is read."""
    with path.open("r+b") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            added = _addition(data, exif)
        if added is None:
            return
        start, pointer, tail = added
        file.seek(0, os.SEEK_END)
        file.write(tail)
        file.seek(start)
        file.write(pointer)


def _addition(data: bytes | mmap.mmap, exif: bytes | None) -> tuple[int, bytes, bytes] | None:
    """Return where the pointer to the first directory stands, the new pointer, and what to add at the end."""
    entries = _descriptive((exif or b"").removeprefix(PREFIX))
    layout = _LAYOUTS.get(bytes(data[:4]))
    if not entries or layout is None or layout.order == ">":
        return None
    count, first = layout.directory(data, layout.unpack(layout.offset, data, layout.start)[0])
    fields = {}
    for place in range(first, first + layout.field * count, layout.field):
        fields[layout.unpack("H", data, place)[0]] = bytes(data[place : place + layout.field])
    tail = _Tail(len(data), layout)
    fields |= {entry.tag: tail.field(entry) for entry in entries}
    after = first + layout.field * count
    pointer = struct.pack(
        "<" + layout.offset, tail.directory(fields, bytes(data[after : after + layout.room]))
    )
    return layout.start, pointer, bytes(tail.data)


def _is_of_one(words: bytes) -> bool:
    """Tell whether a description is of one plane: ImageJ and OME count theirs, tifffile states the shape."""
    if words.startswith(b"ImageJ="):
        return all(int(count) <= 1 for count in _IMAGES.findall(words))
    if b"<OME" in words:
        samples = max((int(count) for count in _SAMPLES.findall(words)), default=1)
        return prod(int(count) for count in _SIZES.findall(words)) <= samples
    return not words.startswith(b'{"shape":')


def _descriptive(data: bytes | mmap.mmap) -> list[_Entry]:
    layout = _LAYOUTS.get(bytes(data[:4]))
    if layout is None or len(data) < layout.start + layout.room:
        return []
    (directory,) = layout.unpack(layout.offset, data, layout.start)
    return [entry for entry in _read(data, directory, layout, 0) if entry.tag in _DESCRIPTIVE]


def _read(data: bytes | mmap.mmap, directory: int, layout: _Layout, level: int) -> Iterator[_Entry]:
    """Yield the entries of a directory that are whole, each tag once."""
    seen = set()
    count, first = layout.directory(data, directory)
    last = min(first + layout.field * count, len(data) - layout.field + 1)
    for place in range(first, last, layout.field):
        tag, kind, length = layout.unpack("HH" + layout.offset, data, place)
        size = _BYTES_PER_VALUE.get(kind, 0) * length
        start = place + 4 + layout.room
        if size > layout.room:
            (start,) = layout.unpack(layout.offset, data, start)
        if tag in seen or size == 0 or start + size > len(data):
            continue
        seen.add(tag)
        value = bytes(data[start : start + size])
        if tag not in _POINTERS and kind not in _ONLY_BIG:
            yield _Entry(tag, kind, length, _little_endian(value, kind, layout.order))
        if tag in _NESTED[level] and size in (4, 8):
            (nested,) = struct.unpack(layout.order + ("I" if size == 4 else "Q"), value)
            yield _Entry(tag, _LONG, 1, b"", tuple(_read(data, nested, layout, level + 1)))


def _little_endian(value: bytes, kind: int, order: str) -> bytes:
    unit = _SWAPPED_UNIT.get(kind, 1)
    if order == "<" or unit == 1:
        return value
    return b"".join(value[place : place + unit][::-1] for place in range(0, len(value), unit))
