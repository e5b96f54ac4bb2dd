"""Rain: bright streaks over the image, and the haze of the drops behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.families.blur import disc_kernel, motion_kernel
from restorecli.images.image import Pixels

_HAZE_LIGHT = np.float32(0.8)
_MIN_OPACITY = 0.3


def streak_kernel(length: float, angle: float, width: float) -> NDArray[np.float64]:
    """Return the image of one streak: a straight line drawn with a disc, at most 1.

    Args:
        length: Of the line in pixels.
        angle: Degrees from upright, counter-clockwise: the upper end leans to the left.
        width: Diameter of the disc in pixels; 1 is a single pixel.

    Returns:
        (2 a + 1, 2 a + 1) float64 in [0, 1].
    """
    disc = disc_kernel(width / 2)
    line = np.pad(motion_kernel(length, 90 + angle), disc.shape[0] // 2)
    streak = ndimage.convolve(line, disc, mode="constant")
    return np.asarray(streak / streak.max())


@dataclass(frozen=True)
class Rain(Degradation):
    """Rain streaks: thresholded noise, blurred along a line, laid over the image; then a light haze.

    Noise u in [0, 1] becomes drops where it is above a threshold 1 - p, each of a strength from 0.3 to 1 by
    how far it is above. They are drawn as streaks; where these overlap, strengths add up, to 1 at most. With
    the layer r = `gain` times that, y = 1 - (1 - x)(1 - r) (screen), and last y + haze (0.8 - y). All
    channels get the same rain, so gray stays gray.

    p is `amount` divided by the area of a streak, so that `amount` means the same for all of them; thin ones
    of 10 to 20 px have the usual thresholds, 0.96 to 0.99.
    """

    name = "rain"
    reference = (
        "streaks as motion-blurred noise: Garg and Nayar, Photorealistic rendering of rain streaks, SIGGRAPH "
        "2006, give the physics; the synthetic sets Rain100L and Rain100H (Yang et al., CVPR 2017) the look; "
        "ranges and severities are chosen"
    )
    severities = (
        {"amount": 0.08, "length": 13.0, "angle": "-30..30", "gain": 0.4, "haze": 0.02},
        {"amount": 0.14, "length": 17.0, "angle": "-30..30", "gain": 0.5, "haze": 0.04},
        {"amount": 0.22, "length": 21.0, "angle": "-30..30", "width": 1.5, "gain": 0.6, "haze": 0.06},
        {"amount": 0.32, "length": 27.0, "angle": "-30..30", "width": 2.0, "gain": 0.7, "haze": 0.09},
        {"amount": 0.45, "length": 35.0, "angle": "-30..30", "width": 2.5, "gain": 0.8, "haze": 0.12},
    )
    identity: ClassVar = {"amount": 0.0, "haze": 0.0}

    amount: float = parameter(
        0.2,
        unit="share of the image",
        low=0,
        high=1,
        draw="0.05..0.4",
        help="area of all streaks, overlaps counted twice",
    )
    length: float = parameter(20.0, unit="px", low=1, high=201, draw="9..35", help="length of the streaks")
    angle: float = parameter(
        0.0, unit="degrees", low=-90, high=90, draw="-30..30", help="from upright, counter-clockwise"
    )
    width: float = parameter(1.0, unit="px", low=1, high=20, draw="1..3", help="width of the streaks")
    gain: float = parameter(0.6, low=0, high=1, draw="0.3..1", help="opacity of the brightest streaks")
    haze: float = parameter(0.05, unit="share", low=0, high=1, draw="0..0.15", help="share of light haze")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the image in rain; see the base class."""
        rained = image.copy()
        if self.amount > 0:
            # What is brighter than white already stays so.
            rained += self.layer(image.shape[1:], rng) * np.maximum(1 - image, 0)
        rained += np.float32(self.haze) * (_HAZE_LIGHT - rained)
        return rained

    def layer(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the streaks alone, r of the class's description: (H, W) float32 in [0, gain]."""
        from restorecli.degradation.filtering import filter_kernel

        kernel = streak_kernel(self.length, self.angle, self.width)
        border = math.ceil(kernel.shape[0] / 2)  # drops beyond the image reach into it
        noise = rng.random([side + 2 * border for side in shape], dtype=np.float32)
        share = np.float32(self.amount / kernel.sum())
        falls = noise > 1 - share
        drops = np.zeros_like(noise)
        drops[falls] = _MIN_OPACITY + (1 - _MIN_OPACITY) * (noise[falls] - (1 - share)) / share
        streaks = filter_kernel(drops[None], kernel)[0, border:-border, border:-border]
        result: NDArray[np.float32] = np.float32(self.gain) * np.minimum(streaks, 1)
        return result
