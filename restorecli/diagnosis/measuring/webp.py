"""How coarsely a WebP file was rounded, which it says itself: its artifacts have no grid that pixels show.

A lossy WebP is one key frame of VP8 (Bankoski et al., RFC 6386, 2011), whose header says how coarsely
coefficients were rounded: the quantizer's index, 0 (finest) to 127.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_START = b"\x9d\x01\x2a"
"""What stands after the tag of a key frame."""

_TAG, _SIZES = 3, 4
_HEADER_BYTES = 1 << 10
_SEGMENTS = 4


def webp_quantizer(path: Path) -> int | None:
    """Return the quantizer's index of a lossy WebP file, 0 to 127; None of any other file.

    Where the frame has segments of other indices, it is that which the frame starts from.
    """
    try:
        with path.open("rb") as file:
            frame = _frame(file)
    except OSError:
        return None
    first = _TAG + len(_START) + _SIZES
    if len(frame) <= first + 2 or frame[0] & 1 or frame[_TAG : _TAG + len(_START)] != _START:
        return None
    return _index(_Bits(frame[first:]))


def _frame(file: BinaryIO) -> bytes:
    """Return the beginning of the first VP8 frame of a RIFF file of WebP; empty where there is none."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        return b""
    while len(chunk := file.read(8)) == 8:
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"VP8 ":
            return file.read(min(size, _HEADER_BYTES))
        file.seek(size + size % 2, 1)
    return b""


def _index(bits: _Bits) -> int:
    """Read the header of a key frame up to the index (RFC 6386, 9.2 to 9.6)."""
    bits.number(2)  # color space and clamping
    if bits.number(1):
        _skip_segments(bits)
    bits.number(1 + 6 + 3)  # filter
    if bits.number(1) and bits.number(1):
        _skip_signed(bits, 8, 6)
    bits.number(2)  # partitions
    return bits.number(7)


def _skip_segments(bits: _Bits) -> None:
    has_map, has_data = bits.number(1), bits.number(1)
    if has_data:
        bits.number(1)
        _skip_signed(bits, _SEGMENTS, 7)
        _skip_signed(bits, _SEGMENTS, 6)
    for _ in range(_SEGMENTS - 1 if has_map else 0):
        if bits.number(1):
            bits.number(8)


def _skip_signed(bits: _Bits, count: int, size: int) -> None:
    """Skip values of so many bits and a sign, each of which may be missing."""
    for _ in range(count):
        if bits.number(1):
            bits.number(size + 1)


class _Bits:
    """The arithmetic decoder of VP8 (RFC 6386, 7.3), for bits of which 0 and 1 are alike likely."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._next = 2
        self._value = int.from_bytes(content[:2], "big")
        self._range = 255
        self._shifted = 0

    def number(self, size: int) -> int:
        """Return a number of so many bits, the highest first."""
        number = 0
        for _ in range(size):
            number = 2 * number + self._bit()
        return number

    def _bit(self) -> int:
        split = 1 + ((self._range - 1) >> 1)
        bit = int(self._value >= split << 8)
        if bit:
            self._range -= split
            self._value -= split << 8
        else:
            self._range = split
        while self._range < 128:
            self._value, self._range = self._value << 1, self._range << 1
            self._shifted += 1
            if self._shifted == 8:
                self._value |= self._content[self._next] if self._next < len(self._content) else 0
                self._next, self._shifted = self._next + 1, 0
        return bit
