"""Smaller images: bicubic reduction as MATLAB's imresize does it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.errors import ImageError
from restorecli.images.image import Pixels

Planes = TypeVar("Planes", NDArray[np.float32], NDArray[np.float64])
"""An image, (C, H, W), in single or double precision."""


def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Keys' cubic convolution kernel with a = -0.5 at the given distances."""
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def cut_to_multiples(image: Planes, factor: int) -> Planes:
    """Return (C, H, W) cut at the right and bottom to sides that are multiples of a factor ("modcrop")."""
    height, width = (side - side % factor for side in image.shape[1:])
    return image[:, :height, :width]


def _reduce_axis(image: NDArray[np.float64], factor: int, axis: int) -> NDArray[np.float64]:
    """Make one axis smaller by `factor` with the kernel stretched by it, which removes what would alias."""
    length = image.shape[axis]
    centers = (np.arange(length // factor) + 0.5) * factor - 0.5
    first = np.floor(centers - 2 * factor).astype(int)
    taps = first[:, None] + np.arange(4 * factor + 2)
    weights = cubic((centers[:, None] - taps) / factor)
    weights /= weights.sum(axis=1, keepdims=True)
    mirror = np.mod(taps, 2 * length)
    mirror = np.where(mirror < length, mirror, 2 * length - 1 - mirror)
    shape = [1] * image.ndim
    shape[axis] = -1
    # Tap by tap and not as a matrix product, whose sums depend on the number of threads.
    pairs = zip(mirror.T, weights.T, strict=True)
    parts = (np.take(image, index, axis) * weight.reshape(shape) for index, weight in pairs)
    return sum(parts, start=np.zeros(1))


@dataclass(frozen=True)
class Downscale(Degradation):
    """Bicubic reduction with anti-aliasing, a = -0.5, as tables of super-resolution use.

    The sides are first cut at the right and bottom to multiples of the factor ("modcrop"); beyond the border
    the image is mirrored. PyTorch's bicubic differs: a = -0.75 and, by default, no anti-aliasing.
    """

    name = "downscale"
    by_rows = True
    reference = "Keys 1981; imresize of MATLAB; factors 2, 3, 4, 8 are usual; severities are chosen"
    severities = ({"factor": 2}, {"factor": 3}, {"factor": 4}, {"factor": 6}, {"factor": 8})
    identity: ClassVar = {"factor": 1}

    factor: int = parameter(2, unit="times", low=1, high=8, draw="2,3,4", help="reduction of each side")

    @property
    def margin(self) -> int:
        """Half the stretched kernel."""
        return 0 if self.factor == 1 else math.ceil(2 * self.factor)

    @property
    def scale(self) -> int:
        """The factor."""
        return self.factor

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the smaller image; see the base class.

        Raises:
            ImageError: The image is smaller than the factor.
        """
        del rng
        if self.factor == 1:
            return image.copy()
        cut = cut_to_multiples(image, self.factor)
        if cut.size == 0:
            raise ImageError(
                f"The image is too small to be reduced by {self.factor}.",
                expected=f"sides of at least {self.factor} px",
                got=f"{image.shape[2]} x {image.shape[1]} px",
            )
        wide = cut.astype(np.float64)
        return _reduce_axis(_reduce_axis(wide, self.factor, 1), self.factor, 2).astype(np.float32)
