"""Blur: Gaussian, motion, defocus; every kernel sums to 1 and the image is mirrored at its border.

The kernels and the classes are here; the compiled loops are imported at the first use because loading the
compiler takes longer than `--help` may.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.images.image import Pixels

_TRUNCATE = 4.0


def gaussian_weights(sigma: float) -> NDArray[np.float64]:
    """Return the weights of a Gaussian that is cut at 4 sigma (SciPy's default) and scaled to sum 1."""
    radius = int(_TRUNCATE * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def motion_kernel(length: float, angle: float, sigma: float = 0.0) -> NDArray[np.float64]:
    """Return the point spread of a straight movement, anti-aliased across its direction.

    Each pixel along the direction's main axis gets the share of the path that lies in it, split between
    the two pixels that are nearest across it; so a horizontal path of odd length is exactly a box.

    Args:
        length: Of the path in pixels; up to 1 px it changes nothing.
        angle: Degrees, counter-clockwise from the horizontal.
        sigma: Standard deviation in pixels of a Gaussian weight along the path; 0 weighs evenly.

    Returns:
        (2 a + 1, 2 a + 1) float64 that sums to 1.
    """
    if length <= 1:
        return np.ones((1, 1))
    across, down = math.cos(math.radians(angle)), -math.sin(math.radians(angle))
    main, slope = (across, down / across) if abs(across) >= abs(down) else (down, across / down)
    reach = 0.5 * length * abs(main)
    radius = math.ceil(reach - 0.5)
    steps = np.arange(-radius, radius + 1)
    weights = np.minimum(steps + 0.5, reach) - np.maximum(steps - 0.5, -reach)
    if sigma > 0:
        weights = weights * np.exp(-0.5 * (steps / (main * max(sigma, 1e-3))) ** 2)
    # Rounded, so that 45 degrees lies on the diagonal although its tangent is not exactly 1.
    side = np.round(steps * slope, 9)
    near = np.floor(side).astype(int)
    kernel = np.zeros((2 * radius + 3, 2 * radius + 3))
    kernel[near + radius + 1, steps + radius + 1] += weights * (1 - (side - near))
    kernel[near + radius + 2, steps + radius + 1] += weights * (side - near)
    trimmed = kernel[1:-1, 1:-1]
    trimmed /= trimmed.sum()
    return trimmed if abs(across) >= abs(down) else trimmed.T


def disc_kernel(radius: float, edge: float = 0.0) -> NDArray[np.float64]:
    """Return the point spread of a lens out of focus: an anti-aliased disc whose edge is blurred.

    Args:
        radius: Of the disc in pixels; 0 changes nothing.
        edge: Standard deviation in pixels of a Gaussian over the disc.

    Returns:
        (2 a + 1, 2 a + 1) float64 that sums to 1.
    """
    weights = gaussian_weights(edge)
    half = math.ceil(radius) + weights.size // 2
    offsets = np.arange(-half, half + 1)
    disc = np.clip(radius + 0.5 - np.hypot(offsets[:, None], offsets[None, :]), 0, 1)
    for _ in range(2):
        disc = np.stack([np.convolve(row, weights, mode="same") for row in disc]).T
    return np.asarray(disc / disc.sum())


@dataclass(frozen=True)
class GaussianBlur(Degradation):
    """Convolution with a Gaussian that is cut at 4 sigma and scaled to sum 1."""

    name = "gaussian-blur"
    by_rows = True
    reference = "severities: Hendrycks, Dietterich, ICLR 2019; range 0.2..3: Wang et al., Real-ESRGAN, 2021"
    severities = ({"sigma": 1.0}, {"sigma": 2.0}, {"sigma": 3.0}, {"sigma": 4.0}, {"sigma": 6.0})
    identity: ClassVar = {"sigma": 0.0}

    sigma: float = parameter(
        1.5, unit="px", low=0, high=100, draw="0.2..3", help="standard deviation of the kernel"
    )

    @property
    def margin(self) -> int:
        """The kernel's radius."""
        return int(_TRUNCATE * self.sigma + 0.5)

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the blurred image; see the base class."""
        del rng
        if self.margin == 0:
            return image.copy()
        from restorecli.degradation.filtering import filter_separable

        return filter_separable(image, gaussian_weights(self.sigma))


@dataclass(frozen=True)
class MotionBlur(Degradation):
    """Mean over a straight movement of the camera during the exposure."""

    name = "motion-blur"
    by_rows = True
    reference = (
        "length 5..31 px: usual in studies of deblurring; severities: Hendrycks and Dietterich, ICLR 2019, "
        "whose (radius, sigma) are a one-sided path; here the path is centered, 2 radius + 1 long"
    )
    severities = (
        {"length": 21.0, "sigma": 3.0, "angle": "-45..45"},
        {"length": 31.0, "sigma": 5.0, "angle": "-45..45"},
        {"length": 31.0, "sigma": 8.0, "angle": "-45..45"},
        {"length": 31.0, "sigma": 12.0, "angle": "-45..45"},
        {"length": 41.0, "sigma": 15.0, "angle": "-45..45"},
    )
    identity: ClassVar = {"length": 1.0}

    length: float = parameter(15.0, unit="px", low=1, high=201, draw="5..31", help="length of the path")
    angle: float = parameter(
        0.0, unit="degrees", low=-180, high=180, draw="0..180", help="direction, counter-clockwise from level"
    )
    sigma: float = parameter(
        0.0, unit="px", low=0, high=100, help="standard deviation of a Gaussian weight on the path; 0 is even"
    )

    @property
    def margin(self) -> int:
        """Half the path."""
        return math.ceil((self.length - 1) / 2)

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the blurred image; see the base class."""
        del rng
        from restorecli.degradation.filtering import filter_kernel

        return filter_kernel(image, motion_kernel(self.length, self.angle, self.sigma))


@dataclass(frozen=True)
class Defocus(Degradation):
    """Convolution with a disc, as a lens out of focus does it."""

    name = "defocus"
    by_rows = True
    reference = "severities (radius, edge): Hendrycks and Dietterich, ICLR 2019; the random range is chosen"
    severities = (
        {"radius": 3.0, "edge": 0.1},
        {"radius": 4.0, "edge": 0.5},
        {"radius": 6.0, "edge": 0.5},
        {"radius": 8.0, "edge": 0.5},
        {"radius": 10.0, "edge": 0.5},
    )
    identity: ClassVar = {"radius": 0.0, "edge": 0.0}

    radius: float = parameter(3.0, unit="px", low=0, high=100, draw="1..8", help="radius of the disc")
    edge: float = parameter(
        0.5, unit="px", low=0, high=10, draw="0.1..0.5", help="standard deviation of the blur of the edge"
    )
    linear: bool = parameter(False, help="blur light instead of sRGB values: lamps become bright discs")

    @property
    def margin(self) -> int:
        """The kernel's radius."""
        return math.ceil(self.radius) + int(_TRUNCATE * self.edge + 0.5)

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the blurred image; see the base class."""
        del rng
        if self.margin == 0:
            return image.copy()
        from restorecli.degradation.filtering import filter_kernel, in_linear_light

        kernel = disc_kernel(self.radius, self.edge)
        if self.linear:
            return in_linear_light(image, lambda light: filter_kernel(light, kernel))
        return filter_kernel(image, kernel)
