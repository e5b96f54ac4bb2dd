"""XMP: the packet of descriptions that editors write, kept byte for byte but for the orientation."""

from __future__ import annotations

import re

_ORIENTATION = re.compile(rb"((?<!/)tiff:Orientation(?:\s*=\s*[\"']|>\s*))[1-8]")


def upright_packet(packet: bytes | None) -> bytes | None:
    """Return the packet with its orientation set to 1, since pixels are upright; None for none.

    Args:
        packet: The XMP packet, UTF-8 as every format but for an old few has it.
    """
    return _ORIENTATION.sub(rb"\g<1>1", packet) if packet else None
