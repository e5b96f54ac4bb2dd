"""Low light: an image taken with too little of it, and the noise that comes with few photons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from restorecli.degradation.base import Degradation, parameter
from restorecli.images.image import Pixels

_MAX_PHOTONS = 1e18
"""NumPy draws no Poisson numbers of a larger mean; no image in [0, 1] comes near it."""


@dataclass(frozen=True)
class LowLight(Degradation):
    """Too little light: dark = brightness (gain x)^gamma, and then the noise of photons and of reading.

    With l the light of `dark` (linear, from sRGB), a sensor sees Poisson(peak l) / peak plus Gaussian noise,
    which becomes sRGB again; with `linear` off both are added to the sRGB values, as MBLLEN's set has it
    (there with peak 200). Values below 0 count as 0.
    """

    name = "low-light"
    by_rows = True
    reference = (
        "Lv et al., MBLLEN, BMVC 2018: gain 0.9..1, brightness 0.5..1, gamma 1.5..5; noise in linear light, "
        "its ranges and severities are chosen"
    )
    also_depends_on = "how many random numbers the pixels before it took"
    severities = (
        {"gamma": 1.5, "brightness": 0.95, "peak": 4000.0, "read": 0.1},
        {"gamma": 2.0, "brightness": 0.85, "peak": 2000.0, "read": 0.2},
        {"gamma": 2.6, "brightness": 0.75, "peak": 1000.0, "read": 0.3},
        {"gamma": 3.4, "brightness": 0.65, "peak": 500.0, "read": 0.4},
        {"gamma": 4.5, "brightness": 0.55, "peak": 250.0, "read": 0.5},
    )
    identity: ClassVar = {"gamma": 1.0, "gain": 1.0, "brightness": 1.0, "peak": 0.0, "read": 0.0}

    gamma: float = parameter(2.5, unit="exponent", low=1, high=10, draw="1.5..5", help="how dark it gets")
    gain: float = parameter(0.95, low=0, high=1, draw="0.9..1", help="factor before the exponent")
    brightness: float = parameter(0.75, low=0, high=1, draw="0.5..1", help="factor after it")
    peak: float = parameter(
        1000.0,
        unit="photons at white",
        low=0,
        high=1e6,
        draw="log 200..5000",
        help="photons at white; 0: no photon noise",
    )
    read: float = parameter(
        0.3, unit="0-255 scale", low=0, high=100, draw="0..1", help="noise of reading (std)"
    )
    linear: bool = parameter(True, help="noise in linear light, as in a sensor, instead of sRGB values")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the dark image; see the base class."""
        from restorecli.degradation.filtering import in_linear_light

        dark = self.darken(image)
        if self.peak == 0 and self.read == 0:
            return dark
        if self.linear:
            return in_linear_light(dark, lambda light: self._expose(light, rng))
        return self._expose(dark, rng)

    def darken(self, image: Pixels) -> Pixels:
        """Return brightness (gain x)^gamma, without noise."""
        base = np.maximum(image, 0) * np.float32(self.gain)
        dark: Pixels = np.float32(self.brightness) * base ** np.float32(self.gamma)
        return dark

    def _expose(self, light: Pixels, rng: np.random.Generator) -> Pixels:
        seen = light
        if self.peak > 0:
            mean = np.minimum(light * np.float64(self.peak), _MAX_PHOTONS)
            seen = (rng.poisson(mean) / self.peak).astype(np.float32)
        if self.read > 0:
            seen = seen + rng.standard_normal(light.shape, dtype=np.float32) * np.float32(self.read / 255)
        return seen
