"""PNG below Pillow: checked chunks, 16-bit samples, and what is left of a damaged file."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import IO, NamedTuple

import imagecodecs
import numpy as np

from restorecli.errors import ImageError
from restorecli.images.decoded import DamagedImageError, Decoded, Samples, check_single
from restorecli.images.options import ReadOptions
from restorecli.images.png_chunks import (
    COLOR_KINDS,
    TEXT_KINDS,
    Chunk,
    make_chunk,
    unpacked,
    with_description,
)
from restorecli.images.scale import FileLevels, ValueScale, bits_to_levels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 1 << 20
_MAX_TEXT = 64 << 20
_SAMPLES_PER_PIXEL = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DESCRIBING = TEXT_KINDS | COLOR_KINDS | {b"eXIf", b"iCCP", b"pHYs", b"sBIT", b"acTL", b"tRNS"}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True, slots=True)
class PngHeader:
    """The IHDR chunk (PNG specification, third edition, section 11.2.1)."""

    width: int
    height: int
    depth: int
    color: int
    interlaced: bool

    @property
    def samples(self) -> int:
        """Samples per pixel; a palette index counts as one."""
        return _SAMPLES_PER_PIXEL[self.color]


def read_header(data: bytes) -> PngHeader:
    """Return the header; `data` needs to hold the first 33 bytes only.

    Raises:
        DamagedImageError: The header is cut short, damaged or impossible.
    """
    if (
        len(data) < 33
        or data[12:16] != b"IHDR"
        or zlib.crc32(data[12:29]) != int.from_bytes(data[29:33], "big")
    ):
        raise DamagedImageError("The PNG header is damaged or cut short.")
    width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    if color not in _SAMPLES_PER_PIXEL or depth not in (1, 2, 4, 8, 16):
        raise DamagedImageError("The PNG header is impossible.", got=f"color type {color} at {depth} bits")
    return PngHeader(width, height, depth, color, bool(interlace))


def read_chunks(data: bytes) -> list[Chunk]:
    """Return all chunks as (kind, payload), each checked against its CRC.

    Raises:
        DamagedImageError: The file is cut short, or the CRC of a chunk is wrong.
    """
    chunks = []
    for chunk in _walk(data):
        if not chunk.whole:
            break
        if not chunk.sound:
            raise DamagedImageError(
                "The PNG is damaged: a chunk does not match its check sum.",
                got=f"chunk {chunk.kind.decode('latin-1')!r} of {len(chunk.payload)} bytes",
            )
        chunks.append((chunk.kind, chunk.payload))
    if not chunks or chunks[-1][0] != b"IEND":
        raise DamagedImageError("The PNG is cut short.", expected="an IEND chunk", got="the end of the file")
    return chunks


def read_description(stream: IO[bytes]) -> list[Chunk]:
    """Return the chunks that describe the image, wherever they stand; the others are skipped, not read.

    Args:
        stream: The open file; a chunk that is cut short or too large ends the list.
    """
    found: list[Chunk] = []
    stream.seek(len(SIGNATURE))
    for _ in range(_MAX_CHUNKS):
        head = stream.read(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or kind == b"IEND":
            break
        if kind in _DESCRIBING:
            if size > _MAX_TEXT:
                break
            found.append((kind, memoryview(stream.read(size))))
            size = 0
        stream.seek(size + 4, io.SEEK_CUR)
    return found


def decode_deep(data: bytes, options: ReadOptions) -> Decoded:
    """Decode a PNG of 16 bits per sample, metadata included.

    Args:
        data: The whole file.
        options: What to do with an animation.

    Raises:
        DamagedImageError: The file is damaged.
        ImageError: It is animated.
    """
    chunks = read_chunks(data)
    header = read_header(data)
    try:
        samples: Samples = imagecodecs.png_decode(data)
        samples = samples.reshape(header.height, header.width, -1)
    except (imagecodecs.PngError, ValueError) as fault:
        raise DamagedImageError("The PNG cannot be decoded.", got=str(fault)) from fault
    colors = samples[..., 0] if samples.shape[2] < 3 else samples[..., :3]
    described = describe(colors, chunks, options)
    bits = dict(reversed(chunks)).get(b"sBIT")
    return replace(
        described,
        alpha=samples[..., -1] if samples.shape[2] in (2, 4) else None,
        levels=FileLevels(_stated_levels(bits, colors)),
    )


def describe(colors: Samples, chunks: Sequence[Chunk], options: ReadOptions) -> Decoded:
    """Return decoded colors with what the chunks of their file say of them.

    Args:
        colors: The samples, or an empty array that stands for them.
        chunks: All chunks but those of the samples.
        options: What to do with an animation.

    Raises:
        ImageError: It is animated.
    """
    kinds = dict(reversed(chunks))
    exif = kinds.get(b"eXIf")
    decoded = Decoded(
        colors,
        "PNG",
        icc=_profile(kinds.get(b"iCCP")),
        exif=None if exif is None else bytes(exif),
        notes=_check_frames(kinds.get(b"acTL"), options),
    )
    return with_description(decoded, chunks)


def encode_deep(
    samples: Samples,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    scale: ValueScale | None = None,
) -> bytes:
    """Encode 16-bit samples as PNG, fast rather than small (zlib level 1, run lengths, "sub" filter).

    Args:
        samples: (H, W), (H, W, 2), (H, W, 3) or (H, W, 4) uint16 array; even counts end with alpha.
        icc: The ICC profile to embed.
        exif: The EXIF block to embed, without the "Exif" prefix.
        scale: What to state by significant bits, if they can: from 0 to all of some bits set.

    Raises:
        ImageError: The image is too large for the format.
    """
    try:
        data = bytes(imagecodecs.png_encode(np.ascontiguousarray(samples), level=1, strategy=3, filter=16))
    except (imagecodecs.PngError, ValueError) as fault:
        raise ImageError("The image cannot be encoded as PNG.", got=str(fault)) from fault
    extra = b""
    if icc is not None:
        extra += make_chunk(b"iCCP", b"ICC profile\x00\x00" + zlib.compress(icc))
    if exif is not None:
        extra += make_chunk(b"eXIf", exif)
    bits = None if scale is None else scale.bits
    if bits is not None:
        extra += make_chunk(b"sBIT", bytes([bits]) * (1 if samples.ndim == 2 else samples.shape[2]))
    return data[:33] + extra + data[33:]


def mend(data: bytes) -> bytes:
    """Return a PNG that holds what can be decoded of a damaged one; the rest is black or transparent.

    Raises:
        DamagedImageError: Not even the header is left.
    """
    header = read_header(data)
    kept, packed = [], []
    for chunk in _walk(data):
        if chunk.kind == b"IDAT":
            packed.append(chunk.payload)
        elif chunk.sound and chunk.kind != b"IEND":
            kept.append(make_chunk(chunk.kind, bytes(chunk.payload)))
    rows = _unpack_what_is_left(b"".join(packed), _packed_size(header))
    return SIGNATURE + b"".join(
        [*kept, make_chunk(b"IDAT", zlib.compress(rows, 1)), make_chunk(b"IEND", b"")]
    )


class _Found(NamedTuple):
    kind: bytes
    payload: memoryview
    whole: bool
    sound: bool


def _walk(data: bytes) -> Iterator[_Found]:
    """Yield the chunks up to IEND or the end of the file; the last one may be cut short."""
    view, position = memoryview(data), len(SIGNATURE)
    while position + 8 <= len(data):
        end = position + 8 + int.from_bytes(view[position : position + 4], "big")
        kind = bytes(view[position + 4 : position + 8])
        whole = end + 4 <= len(data)
        sound = whole and zlib.crc32(view[position + 4 : end]) == int.from_bytes(view[end : end + 4], "big")
        yield _Found(kind, view[position + 8 : end], whole, sound)
        if kind == b"IEND":
            return
        position = end + 4


def _check_frames(control: memoryview | None, options: ReadOptions) -> tuple[str, ...]:
    frames = 1 if control is None or len(control) < 4 else int.from_bytes(control[:4], "big")
    return check_single(frames, options)


def _stated_levels(payload: memoryview | None, colors: Samples) -> tuple[float, float] | None:
    """Return black and white by the significant bits of a 16-bit PNG, if its samples were not scaled up.

    The specification (third edition, section 11.3.2.7) has them scaled to 16 bits; microscopes do not.
    """
    bits = set(payload[: 1 if colors.ndim == 2 else 3]) if payload else set()
    levels = bits_to_levels(max(bits), colors.dtype) if bits else None
    return None if levels is None else (levels if colors.max() <= levels[1] else (0.0, 65535.0))


def _profile(payload: memoryview | None) -> bytes | None:
    if payload is None:
        return None
    _, _, rest = bytes(payload).partition(b"\x00")
    return unpacked(rest[1:])


def _packed_size(header: PngHeader) -> int:
    """Return the number of bytes that the filtered rows take before compression."""
    passes = _ADAM7 if header.interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, step_x, step_y in passes:
        columns = max(-(-(header.width - left) // step_x), 0)
        rows = max(-(-(header.height - top) // step_y), 0)
        if columns:
            total += rows * (1 + (columns * header.samples * header.depth + 7) // 8)
    return total


def _unpack_what_is_left(packed: bytes, size: int) -> bytes:
    unpacker, rows = zlib.decompressobj(), bytearray()
    step = 4096
    for start in range(0, len(packed), step):
        try:
            rows += unpacker.decompress(packed[start : start + step])
        except zlib.error:
            break
        if len(rows) >= size:
            break
    return bytes(rows[:size].ljust(size, b"\x00"))
