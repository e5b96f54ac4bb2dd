"""Noise as cameras leave it: of photons and electronics, spread by the color mosaic and by smoothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.filtering import filter_kernel, filter_separable, in_linear_light
from restorecli.images.image import Pixels

_TO_SRGB = np.array([[1.55, -0.45, -0.10], [-0.20, 1.45, -0.25], [0.0, -0.45, 1.45]])
"""From the colors of a typical sensor to linear sRGB; white stays white."""

_LUMA = np.array([0.2126, 0.7152, 0.0722])

_REACH = 2
_GREEN = (
    np.array([[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]) / 8
)
_ALONG = (
    np.array([[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]])
    / 8
)
_ACROSS = (
    np.array(
        [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]]
    )
    / 8
)


@dataclass(frozen=True)
class CameraNoise(Degradation):
    """Noise of a camera's sensor as its finished images have it: brighter where it is bright, and in blots.

    The image is taken back to what a sensor with a Bayer mosaic would have counted (sRGB decoded, color
    matrix and white balance undone); each pixel gets photon and read noise, Gaussian of variance
    x / electrons + (read / electrons)^2; that noise alone goes the way of an image: demosaicing (Malvar, He
    and Cutler, linear), white balance, color matrix, smoothing, sRGB. So neighbors and channels depend on
    each other, where `gaussian` and `poisson` hit each by itself, and nothing else of the image changes. A
    gray image gets the noise of the luma.
    """

    name = "camera-noise"
    reference = (
        "Brooks et al., Unprocessing Images for Learned Raw Denoising, CVPR 2019; noise: Foi et al., TIP "
        "2008; demosaicing: Malvar, He and Cutler, ICASSP 2004; color matrix, ranges, severities are chosen"
    )
    severities = (
        {"electrons": 4000.0},
        {"electrons": 1500.0},
        {"electrons": 500.0},
        {"electrons": 200.0},
        {"electrons": 80.0},
    )

    electrons: float = parameter(
        500.0,
        unit="electrons",
        low=1,
        high=1e7,
        draw="log 50..5000",
        help="counted in a green pixel at white",
    )
    read: float = parameter(
        3.0, unit="electrons", low=0, high=1000, draw="1..5", help="standard deviation of the read noise"
    )
    red: float = parameter(2.0, low=0.1, high=10, draw="1.5..2.5", help="white balance of red beside green")
    blue: float = parameter(1.6, low=0.1, high=10, draw="1.4..2.2", help="white balance of blue beside green")
    smoothing: float = parameter(
        0.0,
        unit="px",
        low=0,
        high=20,
        draw="0..1",
        help="what the camera smooths the noise by (std), and twice that in the colors",
    )

    @property
    def margin(self) -> int:
        """Pixels around a place that decide its noise."""
        return _REACH + _radius(2 * self.smoothing)

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the noisy image; see the base class."""
        top, left = (int(start) for start in rng.integers(2, size=2))
        shocks = rng.standard_normal(image.shape[1:])

        def expose(light: Pixels) -> Pixels:
            colors = np.broadcast_to(light, (3, *light.shape[1:]))
            noise = self._noise(colors, shocks, top, left)
            return light + (noise if len(light) == 3 else _mixed(_LUMA[None], noise)).astype(np.float32)

        return in_linear_light(image, expose)

    def _noise(self, light: Pixels, shocks: NDArray[np.float64], top: int, left: int) -> NDArray[np.float64]:
        """Return the noise of (3, H, W) linear light, from one standard normal number for each pixel."""
        gains = np.array([self.red, 1.0, self.blue])
        counted = np.maximum(_mixed(np.linalg.inv(_TO_SRGB), light) / gains[:, None, None], 0)
        seen = np.choose(mosaic(light.shape[1:], top, left), counted)
        raw = shocks * np.sqrt(seen / self.electrons + (self.read / self.electrons) ** 2)
        noise = demosaic(raw.astype(np.float32), top, left) * gains[:, None, None]
        return self._smoothed(_mixed(_TO_SRGB, noise))

    def _smoothed(self, noise: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.smoothing == 0:
            return noise
        luma = _mixed(_LUMA[None], noise)
        gray, colors = (
            filter_separable(part.astype(np.float32), _taps(spread))
            for part, spread in ((luma, self.smoothing), (noise - luma, 2 * self.smoothing))
        )
        return np.asarray(gray + colors, np.float64)


def mosaic(shape: tuple[int, int], top: int = 0, left: int = 0) -> NDArray[np.intp]:
    """Return which color each pixel of a Bayer mosaic sees, 0 red, 1 green or 2 blue: (H, W).

    Red lies at even rows and columns, once `top` and `left` are added to them.
    """
    rows, columns = ((np.arange(size) + start) % 2 for size, start in zip(shape, (top, left), strict=True))
    return rows[:, None] + columns


def demosaic(raw: NDArray[np.float32], top: int = 0, left: int = 0) -> Pixels:
    """Return the colors of a Bayer mosaic by the linear filters of Malvar, He and Cutler (ICASSP 2004).

    Args:
        raw: (H, W), mirrored at its border so that the mosaic goes on.
        top: See `mosaic`.
        left: See `mosaic`.

    Returns:
        (3, H, W) float32.
    """
    padded = np.pad(raw, _REACH, mode="reflect")[None]
    inside = (0, slice(_REACH, -_REACH), slice(_REACH, -_REACH))
    green, row, column, diagonal = (
        filter_kernel(padded, kernel)[inside] for kernel in (_GREEN, _ALONG, _ALONG.T, _ACROSS)
    )
    color = mosaic(raw.shape, top, left)
    red_row = ((np.arange(raw.shape[0]) + top) % 2 == 0)[:, None]
    beside_red, beside_blue = (np.where(is_row, row, column) for is_row in (red_row, ~red_row))
    planes = (
        np.choose(color, (raw, beside_red, diagonal)),
        np.where(color == 1, raw, green),
        np.choose(color, (diagonal, beside_blue, raw)),
    )
    return np.stack(planes).astype(np.float32)


def _mixed(matrix: NDArray[np.float64], planes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the product of a matrix with the channels of (C, H, W)."""
    return np.tensordot(matrix, planes, axes=1)


def _radius(spread: float) -> int:
    return math.ceil(3 * spread)


def _taps(spread: float) -> NDArray[np.float64]:
    steps = np.arange(-_radius(spread), _radius(spread) + 1)
    weights = np.exp(-0.5 * (steps / spread) ** 2)
    return np.asarray(weights / weights.sum())
