"""Old photographs: everything that time, a cheap lens and a bad scan do to a print, in one draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.families.atmosphere import luma
from restorecli.degradation.families.compression import Jpeg
from restorecli.degradation.families.fade import UNFADED, Fade
from restorecli.degradation.families.noise import Gaussian, SaltPepper, Speckle
from restorecli.degradation.families.scratches import Scratches, split
from restorecli.images.image import Pixels

_BLUR_RADIUS = 3
"""Of the kernel with the most taps."""


@dataclass(frozen=True)
class OldPhoto(Degradation):
    """An old photograph, drawn at random within the bounds that the parameters set.

    In a random order, each with the chance `share`: a Gaussian blur of 3, 5 or 7 taps; one of Gaussian noise,
    speckle, or impulses; fewer pixels by a factor of its own for each side, and back by nearest or bilinear
    steps; JPEG. Then colors become gray with the chance `gray`, and the print fades, then it is scratched
    (see `fade` and `scratches`, of whose ranges `fade` takes a part). Gray images stay gray.
    """

    name = "old-photo"
    reference = (
        "the four steps, their chance and ranges: code of Wan et al., Bringing Old Photos Back to Life, CVPR "
        "2020; fading, scratches and severities are chosen"
    )
    also_depends_on = "the blocks of JPEG"
    severities = (
        {"blur": 1.2, "noise": 8.0, "shrink": 0.9, "quality": 85, "fade": 0.2, "count": 2, "dust": 4},
        {"blur": 1.8, "noise": 15.0, "shrink": 0.8, "quality": 75, "fade": 0.4, "count": 4, "dust": 8},
        {"blur": 2.5, "noise": 22.0, "shrink": 0.7, "quality": 65, "fade": 0.6, "count": 6, "dust": 15},
        {"blur": 3.5, "noise": 35.0, "shrink": 0.6, "quality": 50, "fade": 0.8, "count": 9, "dust": 22},
        {"blur": 5.0, "noise": 50.0, "shrink": 0.5, "quality": 40, "fade": 1.0, "count": 12, "dust": 30},
    )
    identity: ClassVar = {"share": 0.0, "gray": 0.0, "fade": 0.0, "count": 0, "dust": 0, "tears": 0}
    masked = True

    share: float = parameter(0.7, low=0, high=1, help="chance of each of the four steps before fading")
    blur: float = parameter(5.0, unit="px", low=1, high=20, draw="1..5", help="greatest blur (std)")
    noise: float = parameter(
        30.0, unit="0-255 scale", low=5, high=255, draw="10..50", help="strongest noise (std)"
    )
    shrink: float = parameter(0.5, unit="times", low=0.1, high=1, draw="0.5..0.9", help="coarsest scan")
    quality: int = parameter(40, unit="libjpeg scale", low=1, high=100, draw="40..80", help="worst JPEG")
    gray: float = parameter(0.1, low=0, high=1, help="chance that colors are lost")
    fade: float = parameter(0.7, low=0, high=1, draw="0..1", help="how faded it is")
    count: int = parameter(5, unit="scratches", low=0, high=200, draw="1..10", help="number of scratches")
    dust: int = parameter(8, unit="specks", low=0, high=2000, draw="0..20", help="number of specks")
    tears: int = parameter(0, unit="bands", low=0, high=20, draw="0..1", help="number of torn bands")

    @property
    def margin(self) -> int:
        """The greatest radius of the blur, and how far the coarsest scan and its enlargement reach."""
        if self.share == 0:
            return 0
        return _BLUR_RADIUS + (math.ceil(3 / self.shrink) + 1 if self.shrink < 1 else 0)

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the old photograph; see the base class."""
        scratching, order, tone, grain, *steps = split(rng, 8)
        changes = (self._blurred, self._noisy, self._coarse, self._compressed)
        chances = order.random(4) < self.share
        worn = image.copy()
        for index in order.permutation(4):
            if chances[index]:
                worn = changes[index](worn, steps[index])
        if len(worn) == 3 and tone.random() < self.gray:
            worn = np.repeat(luma(worn)[None], 3, axis=0)
        return self._scratches().apply(self._faded(tone).apply(worn, grain), scratching)

    def mask(self, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Return where the image is scratched; see the base class."""
        return self._scratches().mask(shape, split(rng, 8)[0])

    def _scratches(self) -> Scratches:
        return Scratches(count=self.count, dust=self.dust, tears=self.tears)

    def _faded(self, rng: np.random.Generator) -> Fade:
        """Draw a fading whose distance from none is `fade` times that of one from the usual ranges."""
        usual = {
            "red": rng.uniform(0.9, 1),
            "green": rng.uniform(0.75, 0.95),
            "blue": rng.uniform(0.55, 0.85),
            "black": rng.uniform(20, 60),
            "contrast": rng.uniform(0.5, 0.9),
            "sepia": rng.uniform(0, 1),
            "vignette": rng.uniform(0, 0.4),
            "paper": rng.uniform(0.03, 0.08),
            "grain": rng.uniform(5, 20),
        }
        drawn = {name: none + self.fade * (usual[name] - none) for name, none in UNFADED.items()}
        return Fade(**drawn)

    def _blurred(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        from restorecli.degradation.filtering import filter_separable

        radius, sigma = int(rng.integers(1, _BLUR_RADIUS + 1)), rng.uniform(1, self.blur)
        weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        return filter_separable(image, weights / weights.sum())

    def _noisy(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        kind, sigma = rng.integers(3), rng.uniform(5, self.noise)
        amount, salt = rng.uniform(0, 0.01), rng.uniform(0.3, 0.8)
        choice = (Gaussian(sigma=sigma), Speckle(std=sigma / 255), SaltPepper(amount=amount, salt=salt))
        return choice[kind].apply(image, rng)

    def _coarse(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        size = image.shape[2], image.shape[1]
        low = [max(round(side * rng.uniform(self.shrink, 1)), 1) for side in size]
        back = Image.Resampling.NEAREST if rng.random() < 0.5 else Image.Resampling.BILINEAR
        planes = [Image.fromarray(plane).resize(tuple(low), Image.Resampling.BICUBIC) for plane in image]
        return np.stack([np.asarray(plane.resize(size, back), dtype=np.float32) for plane in planes])

    def _compressed(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        return Jpeg(quality=round(rng.uniform(self.quality, 100))).apply(image, rng)
