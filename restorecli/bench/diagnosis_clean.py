"""Images without damage that are not plain photographs, so that these are not taken for damaged ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage, special

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


def starry(rng: np.random.Generator, size: tuple[int, int] = (320, 480)) -> Pixels:
    """Return a night sky: points and small discs of light on black, which is dark and lacks no light."""
    height, width = size
    planes = np.zeros((3, height, width), np.float32)
    for reach, most in ((0.6, 2500), (1.2, 500), (2.5, 80), (6.0, 12)):
        spots = np.zeros_like(planes)
        count = int(rng.integers(most // 20, most))
        rows, columns = rng.integers(0, height, count), rng.integers(0, width, count)
        tint = rng.uniform(0.5, 1, (3, count)) * rng.uniform(0.05, 1, count) ** 2
        spots[:, rows, columns] = tint * 2 * np.pi * reach**2
        planes += ndimage.gaussian_filter(spots, (0, reach, reach))
    sky = rng.uniform(0, 0.06) + rng.normal(0, rng.uniform(0.002, 0.012), planes.shape)
    sky += 0.06 * rng.random() * _clouds(rng, size, 60)
    pixels = planes * rng.uniform(0.4, 1.2) + sky
    return _clipped(pixels.mean(axis=0, keepdims=True) if rng.random() < 0.3 else pixels)


def slide(rng: np.random.Generator, size: tuple[int, int] = (320, 480)) -> Pixels:
    """Return cells under a microscope: smooth discs with halos on an even ground, and grain of the sensor."""
    height, width = size
    down, across = np.mgrid[:height, :width].astype(np.float32)
    ground = rng.uniform(0.15, 0.85)
    plane = np.full(size, ground, np.float32) + 0.05 * rng.random() * _clouds(rng, size, 12)
    for _ in range(int(rng.integers(1, 25))):
        radius, soft = rng.uniform(6, 45), rng.uniform(0.8, 4)
        away = np.hypot(
            down - rng.uniform(0, height), (across - rng.uniform(0, width)) * rng.uniform(0.7, 1.4)
        )
        inside = special.expit((radius - away) / soft)
        halo = np.exp(-np.square((away - radius) / (0.35 * radius)))
        texture = 1 + 0.1 * rng.random() * _clouds(rng, size, 4)
        plane += inside * rng.uniform(-0.5, 0.5) * texture - halo * rng.uniform(-0.1, 0.2)
    grain = ndimage.gaussian_filter(rng.normal(0, 1, size), rng.uniform(0, 1.2))
    plane = plane + grain / grain.std() * rng.uniform(0.002, 0.02)
    tint = rng.uniform(0.6, 1.1, (3, 1, 1)) if rng.random() < 0.3 else np.ones((1, 1, 1))
    return _clipped(plane[None] * tint)


def relief(rng: np.random.Generator, size: tuple[int, int] = (320, 480)) -> Pixels:
    """Return a gray relief in slanting light, such as the moon's: little contrast, few edges, all sharp."""
    height, width = size
    down, across = np.mgrid[:height, :width].astype(np.float32)
    ground = 8 * _clouds(rng, size, 40) + rng.uniform(0, 1.5) * _clouds(rng, size, 2)
    for _ in range(int(rng.integers(5, 120))):
        radius = rng.uniform(2, 6) * (1 + 5 * rng.random() ** 6)
        away = np.hypot(down - rng.uniform(0, height), across - rng.uniform(0, width)) / radius
        ground += radius * rng.uniform(0.2, 0.9) * (np.minimum(away**2, 1.2) - 1) * (away < 1.1)
    slope = np.cos(angle := rng.uniform(0, 2 * np.pi)) * np.gradient(ground, axis=0)
    slope = slope + np.sin(angle) * np.gradient(ground, axis=1)
    plane = rng.uniform(0.3, 0.6) + rng.uniform(0.05, 0.3) * slope
    plane *= 1 + 0.2 * rng.random() * _clouds(rng, size, 80)
    return _clipped(plane[None] + rng.normal(0, rng.uniform(0.001, 0.01), (1, *size)))


def plain(rng: np.random.Generator, size: tuple[int, int] = (256, 320)) -> Pixels:
    """Return a board, a chart or a logo: few colors, sharp borders, and nothing between them."""
    height, width = size
    colors = rng.integers(0, 256, (int(rng.integers(2, 14)), 3))
    if rng.random() < 0.5:
        colors[:] = colors[:, :1]
    image = Image.new("RGB", (width, height), _picked(rng, colors))
    pen = ImageDraw.Draw(image)
    pen.fontmode = "1"
    side = int(rng.integers(6, 60))
    if rng.random() < 0.4:
        for row, column in itertools.product(range(0, height, side), range(0, width, side)):
            pen.rectangle((column, row, column + side, row + side), fill=_picked(rng, colors))
    for _ in range(int(rng.integers(0, 30))):
        left, top = rng.uniform(0, width), rng.uniform(0, height)
        box = (left, top, left + rng.uniform(2, width / 2), top + rng.uniform(2, height / 2))
        draw = (pen.rectangle, pen.ellipse, pen.line)[int(rng.integers(3))]
        draw(box, fill=_picked(rng, colors))
        pen.text((left, top), _WORDS[: int(rng.integers(5, 50))], fill=_picked(rng, colors))
    return _clipped(np.asarray(image, np.float32).transpose(2, 0, 1) / 255)


def _picked(rng: np.random.Generator, colors: NDArray[np.int64]) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in colors[rng.integers(len(colors))])
    return red, green, blue


def _clouds(rng: np.random.Generator, size: tuple[int, int], reach: float) -> NDArray[np.floating]:
    """Return smooth noise of deviation 1."""
    noise = ndimage.gaussian_filter(rng.normal(0, 1, size), reach, mode="wrap")
    return np.asarray(noise / noise.std())


def _clipped(pixels: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(pixels, 0, 1), np.float32)


def _color(rng: np.random.Generator, *, light: bool | None = None) -> tuple[int, int, int]:
    low, high = {None: (0, 256), True: (200, 256), False: (0, 90)}[light]
    red, green, blue = (int(value) for value in rng.integers(low, high, 3))
    return red, green, blue


UNUSUAL = (drawn, plain, relief, slide, starry)
"""What makes images that are no photographs."""

VARIANTS: Sequence[Callable[[Pixels, np.random.Generator], Pixels]] = (
    toned,
    recolored,
    enlarged,
    smaller,
    framed,
    turned,
)
"""What may be done to a photograph without damaging it."""
