"""AVIF of 10 and 12 bits, which Pillow narrows to 8."""

from __future__ import annotations

from dataclasses import replace

import imagecodecs
import numpy as np

from restorecli.images.decoded import DECODER_FAULTS, DamagedImageError, Decoded, Samples

_HIGH, _TWELVE = 0x40, 0x20


def bits_of(data: bytes) -> int:
    """Return the bits per sample, 8, 10 or 12, by the configuration box (AV1 in ISO media, section 2.3.3).

    Args:
        data: The file, or its beginning with all boxes but the last.
    """
    place = data.find(b"av1C")
    if place < 0 or place + 7 > len(data):
        return 8
    flags = data[place + 6]
    return 8 if not flags & _HIGH else 12 if flags & _TWELVE else 10


def in_depth(shown: Decoded, data: bytes) -> Decoded:
    """Return an image that was decoded to 8 bits with all its bits, in 16.

    Args:
        shown: What Pillow made of it.
        data: The whole file.

    Raises:
        DamagedImageError: It cannot be decoded.
    """
    bits = bits_of(data)
    try:
        samples: Samples = imagecodecs.avif_decode(data, index=0)
        samples = samples.reshape(*shown.samples.shape[:2], -1)
    except DECODER_FAULTS as fault:
        raise DamagedImageError("The AVIF is damaged or cut short.", got=str(fault)) from fault
    channels = samples.shape[2]
    peak = (1 << bits) - 1
    alpha = None
    if channels in (2, 4):
        wide = np.rint(samples[..., -1] * (65535 / peak))
        alpha = np.ascontiguousarray(wide.astype(np.uint16))
    colors = samples[..., 0] if channels < 3 else samples[..., :3]
    note = f"{bits}-bit samples widened to 16 bits"
    return replace(shown, samples=colors, alpha=alpha, peak=peak, notes=(*shown.notes, note))
