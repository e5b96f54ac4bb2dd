"""Haze: scattering in moist air, which takes all colors alike and adds gray light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.families.atmosphere import fractal_noise, pseudo_depth
from restorecli.degradation.families.sand_dust import scatter
from restorecli.images.image import Pixels


@dataclass(frozen=True)
class Haze(Degradation):
    """Haze: y = x t + A (1 - t) with t = exp(-beta d), the same for all channels.

    The depth d is a guess (`pseudo_depth`) between `near` and `far`, times a drifting density between
    1 - `drift` and 1 + `drift`. Gray images stay gray.
    """

    name = "haze"
    reference = (
        "model: Narasimhan and Nayar, Vision and the atmosphere, IJCV 2002; A 0.7..1 and beta 0.6..1.8: Li "
        "et al., Benchmarking Single-Image Dehazing and Beyond (RESIDE), TIP 2019; pseudo-depth and "
        "severities are chosen"
    )
    also_depends_on = "the depth, which is guessed from the whole image"
    severities = ({"beta": 0.4}, {"beta": 0.7}, {"beta": 1.0}, {"beta": 1.4}, {"beta": 2.0})
    identity: ClassVar = {"beta": 0.0}

    beta: float = parameter(
        1.0, unit="per unit of depth", low=0, high=10, draw="0.6..1.8", help="attenuation of light"
    )
    light: float = parameter(0.85, low=0, high=1, draw="0.7..1", help="airlight A: white is 1")
    near: float = parameter(0.2, unit="depth", low=0, high=10, help="least depth")
    far: float = parameter(1.0, unit="depth", low=0, high=10, draw="1..1.5", help="greatest depth")
    falloff: float = parameter(1.0, low=0.1, high=5, draw="0.7..1.5", help="how depth grows to the top")
    octaves: int = parameter(4, low=1, high=8, draw="2..5", help="octaves of noise in depth")
    drift: float = parameter(0.1, unit="share", low=0, high=1, draw="0..0.3", help="unevenness of the haze")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the image in haze; see the base class."""
        beta = np.full(len(image), self.beta, np.float32)
        return scatter(image, self.depth(image, rng), beta, np.full(len(image), self.light, np.float32))

    def depth(self, image: Pixels, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return d of the class's description: (H, W) float32, at least 0."""
        color = np.repeat(image, 3, axis=0) if len(image) == 1 else image
        guess = pseudo_depth(np.clip(color, 0, 1), self.falloff, self.octaves, rng)
        density = 1 + np.float32(self.drift) * (2 * fractal_noise(guess.shape, 2, rng) - 1)
        depth: NDArray[np.float32] = (
            np.float32(self.near) + np.float32(self.far - self.near) * guess
        ) * density
        return depth
