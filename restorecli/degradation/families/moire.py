"""Moire: the colored waves of a photographed screen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.families.atmosphere import fractal_noise
from restorecli.images.image import Pixels


@dataclass(frozen=True)
class Moire(Degradation):
    """Moire: y = x + a sum of `count` gratings amplitude cos(2 pi (f . p + bend n(p)) + phase) at a place p.

    The first has exactly the asked frequency and angle. The others differ by up to `spread` in frequency and
    by up to `tilt` in angle. n is smooth noise in [-1, 1], another for each grating: waves of a screen held
    at an angle bend. Each channel shifts the phase by up to `colour` times half a wave either way. Gray
    images get the waves of one channel.
    """

    name = "moire"
    reference = (
        "gratings as a short cut of the moire of screens (the physical way: Yuan et al., AIM 2019 Challenge "
        "on Image Demoireing, ICCVW 2019); ranges and severities are chosen"
    )
    severities = (
        {"amplitude": 6.0, "count": 1, "frequency": "0.083..0.333", "angle": "-90..90"},
        {"amplitude": 10.0, "count": 1, "frequency": "0.083..0.333", "angle": "-90..90"},
        {"amplitude": 14.0, "count": 2, "frequency": "0.083..0.333", "angle": "-90..90"},
        {"amplitude": 20.0, "count": 2, "frequency": "0.083..0.333", "angle": "-90..90"},
        {"amplitude": 27.0, "count": 3, "frequency": "0.083..0.333", "angle": "-90..90"},
    )
    identity: ClassVar = {"amplitude": 0.0}

    amplitude: float = parameter(
        14.0, unit="0-255 scale", low=0, high=128, draw="8..30", help="amplitude of each grating"
    )
    frequency: float = parameter(
        0.2, unit="waves per px", low=0, high=0.5, draw="0.083..0.333", help="frequency of the first"
    )
    angle: float = parameter(
        20.0,
        unit="degrees",
        low=-180,
        high=180,
        draw="-90..90",
        help="direction in which the first runs, from the right, counter-clockwise",
    )
    count: int = parameter(2, unit="gratings", low=1, high=10, draw="1..3", help="number of gratings")
    spread: float = parameter(0.2, unit="share", low=0, high=1, help="difference of the others' frequency")
    tilt: float = parameter(30.0, unit="degrees", low=0, high=180, help="difference of the others' angle")
    bend: float = parameter(1.0, unit="waves", low=0, high=50, draw="0..4", help="how far waves bend")
    colour: float = parameter(1.0, unit="share", low=0, high=1, draw="0.3..1", help="how colored they are")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the image with waves; see the base class."""
        waves = self.waves(image.shape[1:], rng)
        result: Pixels = image + np.float32(self.amplitude / 255) * waves[: len(image)]
        return result

    def waves(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the sum of the gratings of amplitude 1 for three channels: (3, H, W) float32."""
        total = np.zeros((3, *shape), np.float32)
        rows, columns = (np.arange(side, dtype=np.float64) for side in shape)
        for number in range(self.count):
            frequency, angle = self._grating(number, rng)
            across, up = frequency * math.cos(angle), frequency * math.sin(angle)
            place = columns * across - rows[:, None] * up + rng.random()
            if self.bend > 0:
                place += self.bend * (2.0 * fractal_noise((shape[0], shape[1]), 2, rng) - 1)
            shifts = self.colour * rng.uniform(-0.5, 0.5, 3)
            for channel, shift in enumerate(shifts):
                total[channel] += np.cos(2 * np.pi * (place + shift)).astype(np.float32)
        return total

    def _grating(self, number: int, rng: np.random.Generator) -> tuple[float, float]:
        """Return a grating's frequency (waves per px) and angle (radians)."""
        wider, turned = rng.uniform(-1, 1, 2) if number else (0.0, 0.0)
        frequency = min(self.frequency * (1 + self.spread * wider), 0.5)
        return frequency, math.radians(self.angle + self.tilt * turned)
