"""An image with an enlarged part of it in a box, as figures of papers show it."""

from __future__ import annotations

import math
from typing import Final

from PIL import Image, ImageDraw

Region = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

_SHARE: Final = 0.45  # of the image's sides that the box takes at most
_FRAME: Final = (255, 210, 63)
_CASING: Final = (20, 20, 20)


def fitted(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Return an image as large as it goes into a box: shrunk smoothly, or enlarged by a whole factor."""
    scale = min(box[0] / image.width, box[1] / image.height)
    if scale < 1:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
    factor = math.floor(scale)
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def draw_inset(image: Image.Image, region: Region, box: tuple[int, int]) -> Image.Image:
    """Return an image in a box, the part marked by a frame and enlarged in the corner farthest from it.

    Args:
        image: The whole image.
        region: The part, inside the image.
        box: Width and height that the image is fitted into.
    """
    shown = fitted(image, box).convert("RGB")
    scale = shown.width / image.width, shown.height / image.height
    left, top, right, bottom = (round(place * scale[index % 2]) for index, place in enumerate(region))
    draw = ImageDraw.Draw(shown)
    _frame(draw, (left, top, max(right, left + 1), max(bottom, top + 1)))
    room = max(1, round(_SHARE * shown.width)), max(1, round(_SHARE * shown.height))
    part = _filling(image.crop(region).convert("RGB"), room)
    x = 0 if left + right > shown.width else shown.width - part.width
    y = 0 if top + bottom > shown.height else shown.height - part.height
    shown.paste(part, (x, y))
    _frame(draw, (x, y, x + part.width, y + part.height))
    return shown


def _filling(part: Image.Image, room: tuple[int, int]) -> Image.Image:
    """Return a part as large as the room allows, its pixels seen as squares."""
    scale = min(room[0] / part.width, room[1] / part.height)
    size = max(1, round(part.width * scale)), max(1, round(part.height * scale))
    return part.resize(size, Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS)


def _frame(draw: ImageDraw.ImageDraw, region: Region) -> None:
    left, top, right, bottom = region
    draw.rectangle((left, top, right - 1, bottom - 1), outline=_CASING, width=3)
    draw.rectangle((left + 1, top + 1, max(right - 2, left + 1), max(bottom - 2, top + 1)), outline=_FRAME)
