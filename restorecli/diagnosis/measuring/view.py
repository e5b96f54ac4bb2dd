"""What of an image is looked at: a window of full resolution for texture, a small copy for tones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Pixels = NDArray[np.float32]

MAX_WINDOW = 512 * 512
"""Pixels of the window; an image of no more is looked at as a whole."""

_SMALL_SIDE = 256
_BLOCK = 8
_GRAY_TOLERANCE = 0.5
"""Levels by which the channels of a gray image that is kept as RGB may differ."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""BT.601 weights of R, G and B."""


@dataclass(frozen=True)
class View:
    """An image as the estimators see it, on the 0-255 scale.

    Attributes:
        window: (C, H, W) float32, C = 1 or 3: the middle of the image at full resolution, whole where it
            has at most `MAX_WINDOW` pixels. It starts at multiples of 8 px, so that JPEG's blocks stay in
            phase. An image whose channels are equal has one.
        small: (C, h, w) float32: the whole image, reduced by means to sides of at most 256 px.
    """

    window: Pixels
    small: Pixels

    @property
    def is_gray(self) -> bool:
        """True where there is one channel."""
        return len(self.window) == 1

    @cached_property
    def luma(self) -> Plane:
        """BT.601 luma of the window, (H, W)."""
        return to_luma(self.window)

    @cached_property
    def small_luma(self) -> Plane:
        """BT.601 luma of the small copy, (h, w)."""
        return to_luma(self.small)

    @cached_property
    def levels(self) -> NDArray[np.uint8]:
        """The window rounded to 8 bits, (C, H, W)."""
        return np.clip(np.rint(self.window), 0, 255).astype(np.uint8)


def view_of(image: Pixels) -> View:
    """Return what the estimators look at.

    Args:
        image: (C, H, W) float32, C = 1 or 3, nominally in [0, 1].
    """
    pixels = np.asarray(image, np.float32) * np.float32(255)
    if is_gray(pixels):
        pixels = pixels[:1]
    return View(window_of(pixels), _reduced(pixels))


def to_luma(pixels: Pixels) -> Plane:
    """Return the BT.601 luma, (H, W), of (1 or 3, H, W)."""
    if len(pixels) == 1:
        return np.asarray(pixels[0])
    result: Plane = np.tensordot(LUMA, pixels, axes=1).astype(np.float32)
    return result


def is_gray(pixels: Pixels) -> bool:
    """Tell whether (1 or 3, H, W) on the 0-255 scale has no colors, be it kept as RGB."""
    return bool(np.abs(pixels[1:] - pixels[0]).max(initial=0) <= _GRAY_TOLERANCE)


def window_of(pixels: Pixels) -> Pixels:
    """Return the middle of an image, (C, H, W), of at most `MAX_WINDOW` pixels; see `View`."""
    height, width = pixels.shape[1:]
    shrink = (MAX_WINDOW / (height * width)) ** 0.5
    if shrink >= 1:
        return pixels
    tall, wide = (max(int(side * shrink) // _BLOCK * _BLOCK, min(side, 64)) for side in (height, width))
    top, left = ((side - part) // 2 // _BLOCK * _BLOCK for side, part in ((height, tall), (width, wide)))
    return np.ascontiguousarray(pixels[:, top : top + tall, left : left + wide])


def _reduced(pixels: Pixels) -> Pixels:
    factor = -(-max(pixels.shape[1:]) // _SMALL_SIDE)
    tall, wide = (max(side // factor, 1) for side in pixels.shape[1:])
    down, across = (min(factor, side) for side in pixels.shape[1:])
    cut = pixels[:, : tall * down, : wide * across]
    blocks = cut.reshape(len(pixels), tall, down, wide, across)
    return np.asarray(blocks.mean(axis=(2, 4), dtype=np.float32))
