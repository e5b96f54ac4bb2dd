"""EXIF: which way up an image stands, and the block of tags kept byte for byte but for that one tag."""

from __future__ import annotations

import struct
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from restorecli.images.untrusted import orientation

PREFIX = b"Exif\x00\x00"
_ORIENTATION = 0x0112

Array = TypeVar("Array", bound=np.generic)


def orientation_of(block: bytes | None) -> int:
    """Return the orientation tag, 1 to 8; 1 (upright) if there is none or the block is damaged."""
    return stated_orientation(block) or 1


def stated_orientation(block: bytes | None) -> int | None:
    """Return the orientation tag, 1 to 8; None if there is none, 1 if its value is impossible."""
    place = _find_orientation(block)
    if block is None or place is None:
        return None
    order, offset = place
    return orientation(struct.unpack_from(order + "H", block, offset)[0])


def upright_block(block: bytes | None) -> bytes | None:
    """Return the block with its orientation tag set to 1; every other byte, maker notes included, stays.

    Args:
        block: The EXIF block with or without the "Exif" prefix, or None.

    Returns:
        The block with the prefix, or None.
    """
    if not block:
        return None
    if not block.startswith(PREFIX):
        block = PREFIX + block
    place = _find_orientation(block)
    if place is None:
        return block
    order, offset = place
    changed = bytearray(block)
    struct.pack_into(order + "H", changed, offset, 1)
    return bytes(changed)


def is_block(data: bytes) -> bool:
    """Tell whether bytes begin as an EXIF block does, with or without the "Exif" prefix."""
    return data.removeprefix(PREFIX)[:4] in (b"II*\x00", b"MM\x00*")


def turn_upright(array: NDArray[Array], turn: int) -> NDArray[Array]:
    """Return an (H, W) or (H, W, C) array turned so that it stands as the camera held it.

    Args:
        array: Samples in the order of the file.
        turn: EXIF orientation, 1 to 8 (Exif 2.32, section 4.6.4).
    """
    if turn in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    flip_rows = turn in (3, 4, 7, 8)
    flip_columns = turn in (2, 3, 6, 7)
    return array[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def _find_orientation(block: bytes | None) -> tuple[str, int] | None:
    """Return the byte order and the offset of the tag's value inside the block."""
    if not block:
        return None
    start = len(PREFIX) if block.startswith(PREFIX) else 0
    order = {b"II": "<", b"MM": ">"}.get(block[start : start + 2])
    if order is None:
        return None
    try:
        directory = start + struct.unpack_from(order + "I", block, start + 4)[0]
        (entries,) = struct.unpack_from(order + "H", block, directory)
        for entry in range(entries):
            offset = directory + 2 + 12 * entry
            tag, kind, count = struct.unpack_from(order + "HHI", block, offset)
            if tag == _ORIENTATION and kind == 3 and count == 1 and offset + 10 <= len(block):
                return order, offset + 8
    except struct.error:
        return None
    return None
