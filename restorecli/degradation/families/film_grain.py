"""Noise of scanned film: grains of silver or dye, wider than a pixel and strongest in the midtones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.filtering import filter_kernel
from restorecli.images.image import Pixels

_MIDDLE = 0.5
"""The gray that `amount` holds for."""

_GRAYS = np.linspace(0, 1, 257)
_DISTANCES = 128
"""How many distances, equally likely, stand for all at which discs overlap."""


@dataclass(frozen=True)
class FilmGrain(Degradation):
    """Grain of film after the Boolean model: discs at random places, seen through a Gaussian.

    Film of gray u is covered to the share u by discs of one radius r whose centers are a Poisson process of
    lambda = -ln(1 - u) / (pi r^2) for each square pixel, and the scanner sees it through a Gaussian of
    deviation s. Its covariance at distance h is (1 - u)^2 (exp(lambda gamma(h)) - 1), where gamma is the area
    that two discs at this distance share, smoothed by a Gaussian of deviation sqrt(2) s.

    It is not rendered disc by disc: y = x + deviation(x) g, where g is a Gaussian field of deviation 1 whose
    covariance is exactly that of middle gray, on the pixels. The deviation follows the closed form in x, but
    is scaled to `amount` at middle gray: that of an emulsion of many independent layers, whose mean is
    Gaussian. What differs from discs drawn one by one: neighbors in very bright places are as alike as in
    middle gray (there the discs' are a little less), and single layers are not Gaussian. Channels x of an
    sRGB image are taken for u as they are.
    """

    name = "film-grain"
    reference = (
        "Newson, Delon and Galerne, A Stochastic Film Grain Model for Resolution-Independent Rendering, "
        "Computer Graphics Forum 2017; as a Gaussian field: here; ranges and severities are chosen"
    )
    severities = (
        {"amount": 4.0, "radius": 0.5},
        {"amount": 8.0, "radius": 0.7},
        {"amount": 13.0, "radius": 0.9},
        {"amount": 20.0, "radius": 1.2},
        {"amount": 30.0, "radius": 1.5},
    )
    identity: ClassVar = {"amount": 0.0}

    amount: float = parameter(
        13.0, unit="0-255 scale", low=0, high=255, draw="log 3..35", help="standard deviation at middle gray"
    )
    radius: float = parameter(
        0.9, unit="px", low=0.05, high=10, draw="0.4..1.6", help="radius of the grains, of one size"
    )
    spread: float = parameter(
        0.6, unit="px", low=0.25, high=10, draw="0.4..0.9", help="how far the scanner blurs the grains (std)"
    )
    color: float = parameter(
        0.5,
        unit="share",
        low=0,
        high=1,
        draw="0..1",
        help="0 gray grain, as of black-and-white film, 1 independent channels; they correlate by 1 - color",
    )

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the grainy image; see the base class."""
        shared, own = 1 - self.color, self.color
        if len(image) == 1:
            shared, own = 1.0, 0.0
        grain = np.zeros(image.shape, np.float32)
        for share, fields in ((shared, 1), (own, len(image))):
            if share > 0:
                grain += np.float32(math.sqrt(share)) * self._fields((fields, *image.shape[1:]), rng)
        deviations = np.sqrt(grain_variance(_GRAYS, self.radius, self.spread))
        scale = self.amount / 255 / np.interp(_MIDDLE, _GRAYS, deviations)
        grain *= np.interp(image, _GRAYS, scale * deviations).astype(np.float32)
        grain += image
        return grain

    def _fields(self, shape: tuple[int, int, int], rng: np.random.Generator) -> Pixels:
        """Return independent stationary Gaussian fields of deviation 1, (C, H, W)."""
        kernel = _kernel(self.radius, self.spread)
        reach = len(kernel) // 2
        count, height, width = shape
        white = rng.standard_normal((count, height + 2 * reach, width + 2 * reach), dtype=np.float32)
        return filter_kernel(white, kernel)[:, reach : reach + height, reach : reach + width]


def grain_variance(gray: NDArray[np.float64], radius: float, spread: float) -> NDArray[np.float64]:
    """Return the variance of one layer of the Boolean model seen through a Gaussian; of white and black, 0.

    Args:
        gray: (N,) share of the film that grains cover, in [0, 1].
        radius: Of the grains.
        spread: Standard deviation of the Gaussian, of the unit of the radius.

    Returns:
        (N,), for values in [0, 1].
    """
    # What is seen in one place lies apart by a Gaussian of deviation sqrt(2) spread: Rayleigh's law.
    within = -math.expm1(-((radius / spread) ** 2))
    chances = (np.arange(_DISTANCES) + 0.5) * (within / _DISTANCES)
    distances = 2 * spread * np.sqrt(-np.log1p(-chances))
    covered = _covariance(gray[:, None], _overlap(distances / radius))
    return np.asarray(within * covered.mean(axis=1))


def _overlap(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of a disc of radius 1 that another at this distance covers."""
    half = np.minimum(distance / 2, 1)
    return np.asarray(2 / np.pi * (np.arccos(half) - half * np.sqrt(1 - half**2)))


def _covariance(gray: NDArray[np.float64] | float, overlap: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (1 - u)^2 (exp(lambda gamma) - 1), written so that it holds for u = 1, too."""
    bare = 1 - np.asarray(gray)
    return np.asarray(bare ** (2 - overlap) - bare**2)


@cache
def _kernel(radius: float, spread: float) -> NDArray[np.float64]:
    """Return what turns white noise into grain of middle gray of deviation 1: (2 a + 1, 2 a + 1).

    It is the inverse transform of the root of the spectrum that the covariance has on the pixels.
    """
    reach = math.ceil(radius + 3 * spread)
    lags = np.arange(-2 * reach, 2 * reach + 1)
    count = 2 * math.ceil(max(8 * radius / spread, 32)) + 1
    places = np.linspace(-2 * radius, 2 * radius, count)
    under = _covariance(_MIDDLE, _overlap(np.hypot(places[:, None], places) / radius))
    seen = np.exp(-(((lags[:, None] - places) / (2 * spread)) ** 2))
    spectrum = np.fft.fft2(np.fft.ifftshift(seen @ under @ seen.T)).real
    whole = np.fft.fftshift(np.fft.ifft2(np.sqrt(np.maximum(spectrum, 0))).real)
    kernel = whole[reach:-reach, reach:-reach]
    return np.asarray(kernel / np.sqrt(np.square(kernel).sum()))
