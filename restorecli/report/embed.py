"""Images inside the page: a lossless cut at full resolution as a data URI, in a bounded number of bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from restorecli.report.panels import Panel, to_image

MAX_PIXELS = 640 * 480
"""Pixels of an image that the page shows at most.

Larger ones are cut and not shrunk, since shrinking would hide the noise; without loss, since a compression
artifact would show in the maps as an error of the restoration.
"""

BUDGET = 15_000_000
"""Characters that all images of a page take at most: a page of 15 MB can still be mailed."""

_SMALL_PIXELS = 160 * 160
_MIN_PIXELS = 64 * 48
_MARGIN = 0.97


@dataclass(frozen=True, slots=True)
class Embedded:
    """One image as the page shows it.

    Attributes:
        label: degraded, restored, reference, or the name of a method.
        role: See `Panel.role`.
        uri: A data URI of a lossless WebP.
        size: Width and height of what is shown.
        full: Width and height of the whole image.
        place: Left and top of what is shown within it.
    """

    label: str
    role: str
    uri: str
    size: tuple[int, int]
    full: tuple[int, int]
    place: tuple[int, int]

    @property
    def is_small(self) -> bool:
        """Whether the page enlarges it so much that it should show its pixels."""
        return self.size[0] * self.size[1] <= _SMALL_PIXELS

    @property
    def is_cut(self) -> bool:
        """Whether it is only a part of the image."""
        return self.size != self.full


def embed(
    panels: Sequence[Panel], room: int, center: tuple[float, float] = (0.5, 0.5)
) -> tuple[Embedded, ...]:
    """Make the images of one pair ready for the page.

    Args:
        panels: The images, the reference last; another size than the reference's is enlarged to it first.
        room: Characters that they may take together; 64×48 pixels are shown even if they take more.
        center: Where the middle of the cut is meant to be, from the left and from the top, from 0 to 1.

    Returns:
        One for each panel, all of the same part.
    """
    images = [to_image(panel.pixels) for panel in panels]
    full = images[-1].size
    whole = [
        image if image.size == full else image.resize(full, Image.Resampling.NEAREST) for image in images
    ]
    area = min(full[0] * full[1], MAX_PIXELS)
    while True:
        box = _box(full, area, center)
        uris = [_data_uri(image.crop(box)) for image in whole]
        taken = sum(map(len, uris))
        if taken <= room or area <= _MIN_PIXELS:
            break
        area = max(_MIN_PIXELS, int(area * min(room / taken, 1) * _MARGIN))
    size = (box[2] - box[0], box[3] - box[1])
    place = box[0], box[1]
    return tuple(
        Embedded(panel.label, panel.role, uri, size, full, place)
        for panel, uri in zip(panels, uris, strict=True)
    )


def _box(full: tuple[int, int], area: int, center: tuple[float, float]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a part of some area, in the shape of the image."""
    share = min(1.0, (area / (full[0] * full[1])) ** 0.5)
    sides = [max(1, round(side * share)) for side in full]
    left, top = (
        min(max(round(middle * side - part / 2), 0), side - part)
        for middle, side, part in zip(center, full, sides, strict=True)
    )
    return left, top, left + sides[0], top + sides[1]


def _data_uri(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.save(stream, format="WEBP", lossless=True, method=1, quality=0)  # quality: effort, not loss
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
