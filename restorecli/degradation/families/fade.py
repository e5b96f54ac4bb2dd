"""Fading: what light and air do to a print in a hundred years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.families.atmosphere import fractal_noise, luma
from restorecli.images.image import Pixels

SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)
"""Rows give R, G and B of the brown print of an image in R, G, B; the usual matrix of photo programs."""

UNFADED: Mapping[str, float] = {
    "red": 1.0,
    "green": 1.0,
    "blue": 1.0,
    "black": 0.0,
    "contrast": 1.0,
    "sepia": 0.0,
    "vignette": 0.0,
    "paper": 0.0,
    "grain": 0.0,
}
"""The values of a print that has not faded."""


@dataclass(frozen=True)
class Fade(Degradation):
    """A faded print: brown, yellow where blue is lost, flat, darker to the corners, grainy, on rough paper.

    In this order: x becomes (1 - sepia) x + sepia S x with S = `SEPIA`, each channel is multiplied by its
    gain, then black + contrast x, times 1 - vignette (r / r_corner)^2, times 1 + paper n with smooth noise n
    in [-1, 1], plus grain. Gray images are treated as color and turned back by luma (BT.601).
    """

    name = "fade"
    reference = "sepia matrix as in photo programs; all other ranges and the severities are chosen"
    severities = (
        {"red": 0.99, "green": 0.95, "blue": 0.88, "black": 12.0, "contrast": 0.92, "sepia": 0.1},
        {"red": 0.98, "green": 0.92, "blue": 0.8, "black": 20.0, "contrast": 0.84, "sepia": 0.25},
        {"red": 0.97, "green": 0.88, "blue": 0.72, "black": 30.0, "contrast": 0.74, "sepia": 0.45},
        {"red": 0.95, "green": 0.82, "blue": 0.64, "black": 40.0, "contrast": 0.64, "sepia": 0.7},
        {"red": 0.92, "green": 0.76, "blue": 0.55, "black": 50.0, "contrast": 0.52, "sepia": 1.0},
    )
    identity: ClassVar = UNFADED

    red: float = parameter(0.95, unit="gain", low=0, high=2, draw="0.9..1", help="gain of red")
    green: float = parameter(0.85, unit="gain", low=0, high=2, draw="0.75..0.95", help="gain of green")
    blue: float = parameter(0.7, unit="gain", low=0, high=2, draw="0.55..0.85", help="gain of blue")
    black: float = parameter(
        35.0, unit="0-255 scale", low=0, high=255, draw="20..60", help="value that black is lifted to"
    )
    contrast: float = parameter(0.7, low=0, high=1, draw="0.5..0.9", help="factor of the contrast")
    sepia: float = parameter(0.5, unit="share", low=0, high=1, draw="0..1", help="how brown it is")
    vignette: float = parameter(
        0.15, unit="share", low=0, high=1, draw="0..0.4", help="light lost in the corners"
    )
    paper: float = parameter(
        0.05, unit="share", low=0, high=1, draw="0.03..0.08", help="texture of the paper"
    )
    grain: float = parameter(8.0, unit="0-255 scale", low=0, high=255, draw="5..20", help="grain (std)")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the faded image; see the base class."""
        color = np.repeat(image, 3, axis=0) if len(image) == 1 else image
        faded = self._tone(color)
        faded *= self._shade(image.shape[1:], rng)
        if len(image) == 1:
            faded = luma(faded)[None]
        if self.grain > 0:
            # Silver grains are there or not: the same in all channels.
            grain = rng.standard_normal((1, *image.shape[1:]), dtype=np.float32)
            faded += grain * np.float32(self.grain / 255)
        return faded

    def _tone(self, color: Pixels) -> Pixels:
        red, green, blue = color
        # Not a matrix product, whose last bits depend on the number of threads.
        brown = np.stack([row[0] * red + row[1] * green + row[2] * blue for row in SEPIA])
        mixed = color + np.float32(self.sepia) * (brown - color)
        gains = (self.contrast * np.array([self.red, self.green, self.blue])).astype(np.float32)
        toned: Pixels = gains[:, None, None] * mixed + np.float32(self.black / 255)
        return toned

    def _shade(self, shape: tuple[int, int], rng: np.random.Generator) -> Pixels:
        rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) if side > 1 else 0 for side in shape)
        distance = 0.5 * (np.square(rows)[..., None] + np.square(columns))
        texture = 2 * fractal_noise(shape, 6, rng) - 1
        shade: Pixels = (1 - np.float32(self.vignette) * distance) * (1 + np.float32(self.paper) * texture)
        return shade[None]
