"""Printed screens, as of newspapers and books: means over whole dots, which keep edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from restorecli.diagnosis.measuring.screens import Screen, find_screen
from restorecli.diagnosis.measuring.view import view_of
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter

Plane = NDArray[np.float32]
Kernel = NDArray[np.float64]

_PARTS = 8
"""Places of each pixel, along each side, that a kernel is measured in."""

_FIRST_ZERO = 0.6098
"""Radius of a disc over the period of the slowest wave that its mean takes out: 3.8317 / (2 pi)."""

_SOFT = 0.15
"""Blur (std) of the disc's edge over that period: what two inks make together has twice the period."""

_LEVELS = 0.7
"""Distance of the levels for which a mean is computed, over the spread of what counts as like."""


@dataclass(frozen=True)
class Descreen(Method):
    """The mean over one dot of a screen, found by two peaks of the spectrum; then one that keeps edges.

    The mean over a cell of the screen has no wave of the screen left, whatever the shape of its dots. Screens
    of an image in color have one period and angles of their own: the mean over a disc takes the first wave
    of each.
    The second mean is of the pixels whose first mean is like that of the middle. Images without a screen
    come back as they are. Costs about 12 planes of memory.
    """

    name = "descreen"
    summary = "printed screens of newspapers and books: means over dots"
    reference = (
        "mean over cells: Kang, Digital Color Halftoning, 1999; filter that follows a first result: Siddiqui "
        "and Bouman, Training-Based Descreening, TIP 2007, untrained; chosen on training photographs"
    )

    alike: float = parameter(
        0.15,
        unit="0-1 scale",
        low=0,
        high=10,
        draw="log 0.05..0.5",
        help="difference (std) up to which neighbors count as like; 0 takes the first mean",
    )
    reach: float = parameter(
        1.0, unit="dots", low=0.5, high=5, draw="0.8..1.5", help="side of what a mean is taken over"
    )

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image without its screen; see the base class."""
        view = view_of(pixels.clip(0, 1))
        screen = find_screen(view)
        if screen is None:
            context.note({"screen": "none"})
            return pixels.copy()
        context.note({"period": round(screen.period, 2), "angle": round(screen.angle, 1)})
        kernel = cell(screen, self.reach) if view.is_gray else disc(screen.period * self.reach)
        return np.stack([self._mean(plane, kernel) for plane in pixels])

    def _mean(self, plane: Plane, kernel: Kernel) -> Plane:
        first = convolve(plane, kernel)
        return like_mean(plane, first, kernel, self.alike) if self.alike > 0 else first


def cell(screen: Screen, size: float = 1.0) -> Kernel:
    """Return the mean over a square of `size` periods along the screen: (2 a + 1, 2 a + 1), of sum 1."""
    half = 0.5 * size * screen.period
    down, across = screen.down * screen.period, screen.across * screen.period

    def is_inside(y: Kernel, x: Kernel) -> NDArray[np.bool_]:
        aside = np.abs(y * across - x * down) <= half
        return np.asarray((np.abs(y * down + x * across) <= half) & aside)

    return _kernel(half * math.sqrt(2), is_inside)


def disc(period: float) -> Kernel:
    """Return the mean over a disc with a soft edge that has no wave of that period left.

    Args:
        period: In pixels.

    Returns:
        (2 a + 1, 2 a + 1), of sum 1.
    """
    radius = _FIRST_ZERO * period
    sharp = _kernel(radius, lambda y, x: np.hypot(y, x) <= radius)
    soft = _SOFT * period
    return np.asarray(ndimage.gaussian_filter(np.pad(sharp, math.ceil(3 * soft)), soft, mode="constant"))


def _kernel(radius: float, is_inside: Callable[[Kernel, Kernel], NDArray[np.bool_]]) -> Kernel:
    reach = math.ceil(radius)
    side = 2 * reach + 1
    places = (np.arange(side * _PARTS) + 0.5) / _PARTS - side / 2
    covered = is_inside(places[:, None], places[None]).reshape(side, _PARTS, side, _PARTS).mean(axis=(1, 3))
    return np.asarray(covered / covered.sum())


def convolve(plane: Plane, kernel: Kernel) -> Plane:
    """Return the weighted mean around each pixel of a plane, (H, W), of what lies in the plane.

    A mirrored screen is none: beyond the border nothing is known, which leaves less of its dots there.
    """
    total, weight = (signal.oaconvolve(part, kernel, mode="same") for part in (plane, np.ones_like(plane)))
    return np.asarray(total / weight, np.float32)


def like_mean(plane: Plane, guide: Plane, kernel: Kernel, spread: float) -> Plane:
    """Return the weighted mean around each pixel of those that are like it in a guide.

    It is the bilateral filter of a plane by a guide, interpolated between levels of the guide (Durand and
    Dorsey, SIGGRAPH 2002).

    Args:
        plane: (H, W).
        guide: (H, W).
        kernel: Weights by place, at least 0.
        spread: Standard deviation of the guide's differences in the Gaussian weights.
    """
    low, high = float(guide.min()), float(guide.max())
    count = max(math.ceil((high - low) / (_LEVELS * spread)), 1) + 1
    step = max(high - low, 1e-6) / (count - 1)
    total = np.zeros_like(plane)
    for level in low + step * np.arange(count):
        weight = np.exp(-0.5 * np.square((guide - level) / spread)).astype(np.float32)
        mean = convolve(weight * plane, kernel) / np.maximum(convolve(weight, kernel), np.float32(1e-6))
        total += np.clip(1 - np.abs(guide - level) / step, 0, 1).astype(np.float32) * mean
    return total
