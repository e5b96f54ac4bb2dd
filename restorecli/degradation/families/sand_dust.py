"""Sand-dust: scattering in air full of dust that takes blue light most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.families.atmosphere import fractal_noise, luma, pseudo_depth
from restorecli.degradation.families.blur import gaussian_weights
from restorecli.images.image import Pixels

Color = NDArray[np.float32]

AIRLIGHTS: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "yellow": ((0.70, 0.52, 0.22), (0.92, 0.76, 0.55)),
    "red-storm": ((0.70, 0.37, 0.17), (0.80, 0.47, 0.27)),
    "brown": ((0.50, 0.40, 0.28), (0.60, 0.50, 0.38)),
    "light": ((0.87, 0.715, 0.507), (0.97, 0.815, 0.607)),
}
"""The darkest and the brightest light of each kind of dust, R, G, B in [0, 1]."""


def scatter(scene: Pixels, depth: NDArray[np.float32], beta: Color, airlight: Color) -> Pixels:
    """Return I_c = J_c t_c + A_c (1 - t_c) with t_c = exp(-beta_c d) for every channel c.

    Args:
        scene: J, (3, H, W) float32.
        depth: d, (H, W) float32, at least 0.
        beta: (3,) attenuation of R, G, B per unit of depth.
        airlight: A, (3,) in [0, 1].

    Returns:
        I, (3, H, W) float32.
    """
    transmission = np.exp(-beta[:, None, None] * depth)
    light = airlight[:, None, None]
    result: Pixels = light + (scene - light) * transmission
    return result


@dataclass(frozen=True)
class SandDust(Degradation):
    """A dust storm: light is attenuated with distance, blue most, and dust-colored light is added.

    In this order: the scene is softened where little of its light arrives (`veil`), scattered by the model in
    `scatter` at a guessed depth times a drifting density, particles near the lens are blended over it, grain
    is added. Gray images are treated as color and turned back by luma (BT.601).
    """

    name = "sand-dust"
    reference = (
        "model: Narasimhan and Nayar, Vision and the atmosphere, IJCV 2002; beta ratios 1 : 1.03 : 1.4 and "
        "yellow light measured on dusty photographs; other ranges, pseudo-depth and severities are chosen"
    )
    also_depends_on = "the depth, which is guessed from the whole image"
    severities = (
        {"beta": 0.4, "veil": 1.0, "particles": 0.0005, "grain": 2.0},
        {"beta": 0.7, "veil": 1.5, "particles": 0.001, "grain": 4.0},
        {"beta": 1.0, "veil": 2.0, "particles": 0.002, "grain": 6.0},
        {"beta": 1.5, "veil": 2.5, "particles": 0.0035, "grain": 9.0},
        {"beta": 2.0, "veil": 3.0, "particles": 0.005, "grain": 12.0},
    )
    identity: ClassVar = {"beta": 0.0, "particles": 0.0, "grain": 0.0}

    preset: str = parameter("yellow", choices=AIRLIGHTS, draw="any", help="kind of dust")
    tone: float = parameter(
        0.5, low=0, high=1, draw="0..1", help="from the kind's darkest to brightest light"
    )
    beta: float = parameter(
        1.0, unit="per unit of depth", low=0, high=10, draw="0.4..2", help="attenuation of red light"
    )
    green: float = parameter(
        1.03, unit="times beta", low=0, high=5, draw="1..1.25", help="the same for green"
    )
    blue: float = parameter(1.4, unit="times beta", low=0, high=5, draw="1.3..2.2", help="the same for blue")
    near: float = parameter(0.2, unit="depth", low=0, high=10, help="least depth")
    far: float = parameter(1.0, unit="depth", low=0, high=10, draw="1..1.5", help="greatest depth")
    falloff: float = parameter(1.0, low=0.1, high=5, draw="0.7..1.5", help="how depth grows to the top")
    octaves: int = parameter(4, low=1, high=8, draw="2..5", help="octaves of noise in depth")
    drift: float = parameter(0.3, unit="share", low=0, high=1, draw="0..0.3", help="unevenness of the dust")
    particles: float = parameter(
        0.002,
        unit="share of pixels",
        low=0,
        high=0.1,
        draw="0.0005..0.005",
        help="area of particles near the lens",
    )
    veil: float = parameter(1.5, unit="px", low=0, high=20, draw="1..3", help="soft focus (std)")
    grain: float = parameter(
        4.0, unit="0-255 scale", low=0, high=100, draw="2..12", help="noise on top (std)"
    )

    def airlight(self) -> Color:
        """Return the light of the dust, (3,) in [0, 1]."""
        dark, bright = (np.array(end) for end in AIRLIGHTS[self.preset])
        return np.asarray(dark + (bright - dark) * self.tone, dtype=np.float32)

    def betas(self) -> Color:
        """Return the attenuation of R, G, B per unit of depth, (3,)."""
        return (self.beta * np.array([1, self.green, self.blue])).astype(np.float32)

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the image in dust; see the base class."""
        scene = np.repeat(image, 3, axis=0) if len(image) == 1 else image
        depth = self._depth(scene, rng)
        dusty = scatter(self._soften(scene, depth), depth, self.betas(), self.airlight())
        if self.particles > 0:
            from restorecli.degradation.families.particles import blend_particles, draw_particles

            blend_particles(dusty, draw_particles(dusty.shape[1:], self.particles, self.airlight(), rng))
        if len(image) == 1:
            dusty = luma(dusty)[None]
        if self.grain > 0:
            dusty += rng.standard_normal(dusty.shape, dtype=np.float32) * np.float32(self.grain / 255)
        return dusty

    def _depth(self, scene: Pixels, rng: np.random.Generator) -> NDArray[np.float32]:
        guess = pseudo_depth(np.clip(scene, 0, 1), self.falloff, self.octaves, rng)
        depth = np.float32(self.near) + np.float32(self.far - self.near) * guess
        density = 1 + np.float32(self.drift) * (2 * fractal_noise(depth.shape, 2, rng) - 1)
        result: NDArray[np.float32] = depth * density
        return result

    def _soften(self, scene: Pixels, depth: NDArray[np.float32]) -> Pixels:
        """Mix in the blurred scene by the share of light that dust has scattered on its way."""
        if self.veil == 0 or self.beta == 0:
            return scene
        from restorecli.degradation.filtering import filter_separable

        lost = 1 - np.exp(-np.float32(self.beta) * depth)
        blurred = filter_separable(scene, gaussian_weights(self.veil))
        result: Pixels = scene + lost * (blurred - scene)
        return result
