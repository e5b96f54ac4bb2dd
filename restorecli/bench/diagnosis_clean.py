"""Images without damage that are not plain photographs, so that these are not taken for damaged ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from restorecli.images.image import Pixels

_WORDS = "The quick brown fox jumps over the lazy dog 0123456789 "


def toned(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a darker or lighter image: an exponent between 0.6 and 1.7, a gain between 0.75 and 1.1."""
    lifted = np.float32(rng.uniform(0.75, 1.1)) * np.clip(pixels, 0, 1) ** np.float32(rng.uniform(0.6, 1.7))
    return _clipped(lifted)


def recolored(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an image of other hues: channels in another order, each of another strength."""
    gains = rng.uniform(0.75, 1.1, (len(pixels), 1, 1)).astype(np.float32)
    return _clipped(pixels[rng.permutation(len(pixels))] * gains)


def enlarged(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a part of an image, enlarged up to 1.5 times: soft, as many photographs of phones are."""
    factor = rng.uniform(1.1, 1.5)
    size = tuple(round(side * factor) for side in pixels.shape[:0:-1])
    planes = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC)) for plane in pixels]
    return _clipped(np.stack(planes)[:, : pixels.shape[1], : pixels.shape[2]])


def smaller(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an image of fewer pixels, and sharper for it."""
    factor = rng.uniform(0.4, 0.8)
    size = tuple(max(round(side * factor), 64) for side in pixels.shape[:0:-1])
    planes = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.LANCZOS)) for plane in pixels]
    return _clipped(np.stack(planes))


def framed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an image whose surroundings are black or white: an object before a backdrop, a scan."""
    height, width = pixels.shape[1:]
    mask = Image.new("L", (width, height))
    left, top = rng.uniform(0, 0.25, 2)
    right, bottom = rng.uniform(0.75, 1, 2)
    box = (left * width, top * height, right * width, bottom * height)
    pen = ImageDraw.Draw(mask)
    (pen.ellipse if rng.random() < 0.5 else pen.rectangle)(box, fill=255)
    inside = np.asarray(mask) > 0
    return _clipped(np.where(inside, pixels, np.float32(rng.integers(0, 2))))


def turned(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an image turned by a quarter and mirrored, perhaps."""
    mirrored = pixels[:, :, ::-1] if rng.random() < 0.5 else pixels
    return np.ascontiguousarray(np.rot90(mirrored, 1, (1, 2)))


def drawn(rng: np.random.Generator, size: tuple[int, int] = (320, 480)) -> Pixels:
    """Return a screen or a page: areas of one color, slopes, boxes and lines of text."""
    height, width = size
    image = Image.new("RGB", (width, height), _color(rng, light=rng.random() < 0.7))
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(0, 8))):
        left, top = rng.uniform(0, width), rng.uniform(0, height)
        box = (left, top, left + rng.uniform(10, width / 2), top + rng.uniform(10, height / 2))
        pen.rectangle(box, fill=_color(rng), outline=_color(rng))
    for _ in range(int(rng.integers(2, 25))):
        start = int(rng.integers(len(_WORDS)))
        place = (rng.uniform(0, width / 2), rng.uniform(0, height))
        text = (_WORDS[start:] + _WORDS)[: int(rng.integers(5, 60))]
        pen.text(place, text, fill=_color(rng, light=False), font_size=float(rng.uniform(9, 40)))
    pixels = np.asarray(image, np.float32).transpose(2, 0, 1) / 255
    return _clipped(pixels.mean(axis=0, keepdims=True) if rng.random() < 0.3 else pixels)


def _clipped(pixels: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(pixels, 0, 1), np.float32)


def _color(rng: np.random.Generator, *, light: bool | None = None) -> tuple[int, int, int]:
    low, high = {None: (0, 256), True: (200, 256), False: (0, 90)}[light]
    red, green, blue = (int(value) for value in rng.integers(low, high, 3))
    return red, green, blue


VARIANTS: Sequence[Callable[[Pixels, np.random.Generator], Pixels]] = (
    toned,
    recolored,
    enlarged,
    smaller,
    framed,
    turned,
)
"""What may be done to a photograph without damaging it."""
