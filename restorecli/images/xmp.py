"""XMP: the packet of descriptions that editors write, kept byte for byte but for the orientation."""

from __future__ import annotations

import re

_STATED = re.compile(rb"(?<!/)tiff:Orientation(?:\s*=\s*[\"']|>\s*)([1-8])(?![0-9])")
_ORIENTATION = re.compile(rb"((?<!/)tiff:Orientation(?:\s*=\s*[\"']|>\s*))[1-8]")


def stated_orientation(packet: bytes | None) -> int | None:
    """Return the orientation, 1 to 8, or None if the packet names none."""
    found = _STATED.search(packet) if packet else None
    return None if found is None else int(found[1])


def upright_packet(packet: bytes | None) -> bytes | None:
    """Return the packet with its orientation set to 1, since pixels are upright; None for none.

    Args:
        packet: The XMP packet, UTF-8 as every format but for an old few has it.
    """
    return _ORIENTATION.sub(rb"\g<1>1", packet) if packet else None
