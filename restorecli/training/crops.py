"""Images kept in memory, and what is cut out of them: crops, mirrored and turned, gray or in color."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from restorecli.images.budget import available_memory
from restorecli.images.image import FileTraits, Pixels, to_levels
from restorecli.images.mask_images import read_marked
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601, as gray conversion is usually meant


class ImageCache:
    """Decoded images kept in memory in the file's own depth, up to a limit; beyond it they are read again.

    Args:
        limit: Bytes to keep; by default 4 GiB, or half of the memory that is free where that is less.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._whole = min(4 * 2**30, available_memory() // 2) if limit is None else limit
        self._limit = self._whole
        self._kept: dict[tuple[Path, str], NDArray[np.generic]] = {}
        self._bytes = 0
        self._values: dict[tuple[Path, str], FileTraits] = {}

    def share(self, caches: int) -> None:
        """Keep no more from now on than the limit divided by a number of caches that share it."""
        self._limit = self._whole // caches

    def get(self, path: Path, clean: Path | None = None, values: str = "auto") -> NDArray[np.generic]:
        """Return an image as (C, H, W) in uint8, uint16 or float32.

        Args:
            path: The file.
            clean: The clean image that it is the degraded one of, whose black and white count for both.
            values: Which values of the clean image are black and white; see `ReadOptions.range`.
        """
        return self._read(path, f"samples {values}", lambda: self._samples(path, clean, values))

    def marks(self, path: Path) -> NDArray[np.generic]:
        """Return a mask, or the masks of a folder, as (1, H, W): 255 where something is marked, else 0."""
        return self._read(path, "marks", lambda: _marks_of(path))

    def _read(self, path: Path, what: str, read: Callable[[], NDArray[np.generic]]) -> NDArray[np.generic]:
        known = self._kept.get((path, what))
        if known is not None:
            return known
        pixels = read()
        if self._bytes + pixels.nbytes <= self._limit:
            self._kept[path, what] = pixels
            self._bytes += pixels.nbytes
        return pixels

    def _samples(self, path: Path, clean: Path | None, values: str) -> NDArray[np.generic]:
        if clean is not None and (clean, values) not in self._values:
            self.get(clean, values=values)
        like = None if clean is None else self._values[clean, values]
        image = read_image(path, ReadOptions(range=values), like=like)
        traits = image.traits
        self._values[path, values] = traits.values
        if not traits.plain:
            return image.pixels
        samples: NDArray[np.generic] = np.rint(image.pixels * (2**traits.depth - 1)).astype(traits.dtype)
        return samples


def _marks_of(path: Path) -> NDArray[np.generic]:
    return np.where(read_marked(path)[None], 255, 0).astype(np.uint8)


def to_unit(pixels: NDArray[np.generic]) -> Pixels:
    """Return integer pixels divided by their type's largest value, as float32; floats pass."""
    largest = {"uint8": 255, "uint16": 65535}.get(pixels.dtype.name, 1)
    unit: Pixels = np.ascontiguousarray(pixels, dtype=np.float32) / np.float32(largest)
    return unit


def scaled_size(pixels: NDArray[np.generic], scale: int) -> tuple[int, int]:
    """Return height and width of (C, H, W) times a scale."""
    return pixels.shape[1] * scale, pixels.shape[2] * scale


def random_corner(size: tuple[int, ...], side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Draw the upper left corner of a square in an image of (H, W); 0 along a side that is too short."""
    height, width = size
    return int(rng.integers(max(height - side, 0) + 1)), int(rng.integers(max(width - side, 0) + 1))


def cut(pixels: NDArray[np.generic], top: int, left: int, side: int) -> NDArray[np.generic]:
    """Cut a square out; an image that is too small is mirrored at its lower and right border."""
    piece = pixels[:, top : top + side, left : left + side]
    down, right = side - piece.shape[1], side - piece.shape[2]
    return np.pad(piece, ((0, 0), (0, down), (0, right)), mode="symmetric") if down or right else piece


MIRRORED = (0, 2, 4, 6)  # of the eight symmetries those that keep rows rows


Numbers = TypeVar("Numbers", bound=np.generic)


def turned(pixels: NDArray[Numbers], turn: int) -> NDArray[Numbers]:
    """Apply one of the eight symmetries of the square to (C, H, W)."""
    if turn >= 4:
        pixels = pixels[:, :, ::-1]
    return np.ascontiguousarray(np.rot90(pixels, turn % 4, axes=(1, 2)))


def crop_border(pixels: Pixels, border: int) -> Pixels:
    """Take a border of some pixels off all four sides."""
    return pixels[:, border:-border, border:-border] if border else pixels


def rounded_to_8_bits(pixels: Pixels) -> Pixels:
    """Return what an 8-bit file gives back of pixels: clipped to [0, 1], in steps of 1/255."""
    return to_levels(pixels, 8).astype(np.float32) / np.float32(255)


def to_gray(pixels: Pixels) -> Pixels:
    """Return the BT.601 luma of (3, H, W) as (1, H, W); both float32 in [0, 1]."""
    return np.tensordot(LUMA, pixels, axes=1)[None].astype(np.float32)


def to_channels(pixels: Pixels, channels: int) -> Pixels:
    """Make colors luma for 1 channel, and repeat gray for 3."""
    if pixels.shape[0] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=0)
    return to_gray(pixels)
