"""PPM and PGM of any depth: Pillow narrows color above 8 bits without a word."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restorecli.images.decoded import DamagedImageError, Decoded, Samples, check_single
from restorecli.images.options import ReadOptions

_TOKEN = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*(?:([0-9]+)|(.))", re.DOTALL)
_CHANNELS = {b"P1": 1, b"P2": 1, b"P3": 3, b"P4": 1, b"P5": 1, b"P6": 3}


@dataclass(frozen=True, slots=True)
class NetpbmHeader:
    """The text before the samples; `start` is where the samples begin."""

    kind: bytes
    width: int
    height: int
    peak: int
    start: int

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return _CHANNELS[self.kind]

    @property
    def depth(self) -> int:
        """8 or 16 bits per sample."""
        return 8 if self.peak < 256 else 16


def read_header(data: bytes) -> NetpbmHeader:
    """Parse the header; `data` needs to hold no more than it.

    Raises:
        DamagedImageError: The header is cut short or impossible.
    """
    kind, position = data[:2], 2
    numbers = []
    for _ in range(2 if kind in (b"P1", b"P4") else 3):
        found = _TOKEN.match(data, position)
        if found is None or found.group(1) is None or len(found.group(1)) > 9:
            raise DamagedImageError("The PPM header is damaged or cut short.", got=repr(data[:24]))
        numbers.append(int(found.group(1)))
        position = found.end()
    width, height, peak = (*numbers, 1)[:3]
    if not 0 < peak < 65536:
        raise DamagedImageError(
            "The PPM header is impossible.", expected="a maximum of 1 to 65535", got=str(peak)
        )
    return NetpbmHeader(kind, width, height, peak, position + 1)


def decode(data: bytes, options: ReadOptions) -> Decoded:
    """Decode a PBM, PGM or PPM, plain or raw, with any maximum.

    Args:
        data: The whole file.
        options: What to do with a file that holds several images.

    Raises:
        DamagedImageError: The file is damaged.
        ImageError: It holds several images.
    """
    header = read_header(data)
    flat = (
        _bits(data, header)
        if header.peak == 1 and header.kind in (b"P1", b"P4")
        else _numbers(data, header, options)
    )
    shape = (header.height, header.width, 3) if header.channels == 3 else (header.height, header.width)
    if flat.max(initial=0) > header.peak:
        raise DamagedImageError(
            "A sample is larger than the header's maximum.", got=f"{flat.max()} > {header.peak}"
        )
    notes: tuple[str, ...] = ()
    if header.peak not in (255, 65535):
        notes = (f"samples of 0 to {header.peak} widened to {header.depth} bits",)
    return Decoded(flat.reshape(shape), "PPM", peak=header.peak, notes=notes)


def encode(samples: Samples) -> bytes:
    """Encode (H, W) or (H, W, 3) uint8 or uint16 samples as raw PGM or PPM."""
    height, width = samples.shape[:2]
    kind = b"P5" if samples.ndim == 2 else b"P6"
    header = kind + f"\n{width} {height}\n{np.iinfo(samples.dtype).max}\n".encode("ascii")
    return (
        header + np.ascontiguousarray(samples).astype(samples.dtype.newbyteorder(">"), copy=False).tobytes()
    )


def _numbers(data: bytes, header: NetpbmHeader, options: ReadOptions) -> NDArray[np.generic]:
    count = header.height * header.width * header.channels
    dtype: np.dtype[np.generic] = np.dtype(np.uint8 if header.depth == 8 else ">u2")
    if header.kind in (b"P2", b"P3"):
        words = re.sub(rb"#[^\r\n]*", b"", data[header.start - 1 :]).split(maxsplit=count)[:count]
        values = np.array([int(word) for word in words] if _all_digits(words) else [], np.int64)
        if values.max(initial=0) > header.peak:
            raise DamagedImageError("A sample is larger than the header's maximum.", got=str(values.max()))
        flat = values.astype(dtype.newbyteorder("="))
    else:
        end = header.start + count * dtype.itemsize
        flat = np.frombuffer(
            data[header.start : end][: (len(data) - header.start) // dtype.itemsize * dtype.itemsize], dtype
        )
        check_single(1 + (data[end : end + 2] in _CHANNELS), options)
    if flat.size < count:
        raise DamagedImageError("The PPM is cut short.", expected=f"{count} samples", got=str(flat.size))
    return flat.astype(dtype.newbyteorder("="), copy=False)


def _bits(data: bytes, header: NetpbmHeader) -> NDArray[np.uint8]:
    """Return 0 for black and 1 for white; the files have it the other way round."""
    count = header.height * header.width
    if header.kind == b"P1":
        text = re.sub(rb"#[^\r\n]*|\s", b"", data[header.start - 1 :])
        bits = np.frombuffer(text[:count], np.uint8) - ord("0")
    else:
        row = -(-header.width // 8)
        packed = np.frombuffer(data[header.start : header.start + row * header.height], np.uint8)
        if packed.size < row * header.height:
            raise DamagedImageError("The PBM is cut short.")
        bits = np.unpackbits(packed.reshape(header.height, row), axis=1, count=header.width).ravel()
    if bits.size < count or bits.max(initial=0) > 1:
        raise DamagedImageError(
            "The PBM is damaged or cut short.", expected=f"{count} bits", got=str(bits.size)
        )
    return (1 - bits).astype(np.uint8)


def _all_digits(words: list[bytes]) -> bool:
    return all(word.isdigit() and len(word) < 8 for word in words)
