"""Noise of photons over the noise of a sensor: its law, found in one image.

A sensor gives y = g p + o + n, with p electrons drawn from a Poisson law, the gain g, the offset o and read
noise n of deviation s. The variance is then a straight line in the mean: g (mean - o) + s^2. The line alone
is needed, not o and s by themselves: the generalized Anscombe transform and its inverse take y + c with
c = (s^2 - g o) / g, the variance at 0 over the gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.measuring.cells import cell_means

Doubles = NDArray[np.float64]

_HIGH_PASS = np.array([1 - 3**0.5, 3**0.5 - 3, 3 + 3**0.5, -1 - 3**0.5]) / 32**0.5
"""Daubechies' high-pass filter with two vanishing moments, of energy 1."""

_AROUND = 2.0
"""Deviation, in pixels, of the Gaussian over which squares and levels are averaged."""

_EDGE = 4
"""Pixels at the border, where the filters would mirror the image, that are not looked at."""

_STEEP, _STEEP_COARSE = 30.0, 3.0
"""Squared slope of the average level, over what noise makes of it, up to which a place is flat: generous for
the fit, for optics leave no structure in the finest details, and strict at half the resolution."""

_TURNS = 12
_MIN_SIDE = 32
_MIN_SPREAD = 0.05
"""Share of the spread of levels that must be more than noise, so that a line can be fitted."""

_MIN_DARK = 1e-4
"""Variance of the darkest place, over the mean variance, at least."""


_FEW, _SOME = 60.0, 250.0
"""Electrons at the brightest place up to which there are few, and more of which leave noise too faint to be
told from texture."""

_RATIO_OF_FEW, _RATIO_OF_SOME = (0.5, 2.0), (0.85, 1.2)
"""Ratios of coarse details to noise between which noise is white, where there are few electrons and some.
Thin structures on black, which have no noise around them, reach 1.8 with few. Of 623 clean photographs and
tiles of the training folders none lies between; with few the least is 3.1."""


@dataclass(frozen=True, slots=True)
class PhotonNoise:
    """Noise whose variance is `gain * level + at_zero`.

    Attributes:
        gain: Variance for each unit of the level, above 0: what one electron adds to it.
        at_zero: Variance at level 0, s^2 - g o: below 0 where the offset is large.
        dark: Variance at the darkest place.
        brightest: Electrons at the brightest place over the darkest, at the 99.9th percentile.
    """

    gain: float
    at_zero: float
    dark: float
    brightest: float


@dataclass(frozen=True, slots=True)
class _Places:
    """Squares of the finest details, levels and squared slopes of levels, around every second pixel."""

    squares: Doubles
    levels: Doubles
    slopes: Doubles

    def flat(self, variance: Doubles, steep: float) -> NDArray[np.bool_]:
        return self.slopes <= steep * _SLOPE_NOISE * variance


_SLOPE_NOISE = 1 / (4 * np.pi * _AROUND**4)
"""Mean squared gradient that white noise of variance 1 has after the Gaussian: closed form."""


def fit_photon_noise(plane: NDArray[np.floating]) -> PhotonNoise | None:
    """Fit the line of variance over level to an image; None where no photon noise shows.

    The square of a detail (finest, diagonal, Daubechies) is on average the gain times the level under the
    squares of the filter's weights, plus the variance at 0: exactly, whatever is in the image, as long as
    that has no details so fine. Both are averaged over a Gaussian of 2 px, and the line is fitted with
    weights of 1 / (variance + gain^2)^2, by turns. That levels are noisy themselves, and by chance go with
    the squares as the law of Poisson is skewed, is taken off the sums (Fuller, "Measurement Error Models",
    1987). Medians, which are not misled by edges, are wrong where there are but a few photons.

    The model is that of Foi, Trimeche, Katkovnik and Egiazarian, "Practical Poissonian-Gaussian noise
    modeling and fitting for single-image raw-data", IEEE TIP 2008, as is the idea of flat places; the fit is
    not theirs.

    Args:
        plane: (H, W).

    Returns:
        The noise in the units of the plane; None where the plane is smaller than 32 px, of one value, or its
        variance does not grow with the level.
    """
    if min(plane.shape) < _MIN_SIDE or plane.max() == plane.min():
        return None
    y = np.asarray(plane, np.float64)
    places = _places(y)
    if not places.squares.any():
        return None
    base = float(places.levels.min())
    gain, dark = 0.0, float(places.squares.mean())
    for _ in range(_TURNS):
        gain, dark = _line(places, base, gain, dark)
    if gain <= 0:
        return None
    brightest = (float(np.percentile(places.levels, 99.9)) - base) / gain
    return PhotonNoise(gain, dark - gain * base, dark, brightest)


def _line(places: _Places, base: float, gain: float, dark: float) -> tuple[float, float]:
    """Return the gain and the variance at the darkest level, from those of the turn before."""
    variance = gain * (places.levels - base) + dark
    flat = places.flat(variance, _STEEP)
    x, square, variance = places.levels[flat] - base, places.squares[flat], variance[flat]
    if not x.size:
        return 0.0, dark
    weight = 1 / (variance + gain**2) ** 2
    middle, height = np.average(x, weights=weight), np.average(square, weights=weight)
    spread = float(weight @ (x - middle) ** 2)
    sound = spread - _shared() * float(weight @ variance)
    skew = _shared() * gain * float(weight @ (variance - dark))
    slope = max(float(weight @ ((x - middle) * (square - height))) - skew, 0.0)
    gain = slope / sound if sound > _MIN_SPREAD * spread else 0.0
    return gain, max(float(height - gain * middle), _MIN_DARK * float(places.squares.mean()))


def darkest_level(plane: NDArray[np.floating]) -> float:
    """Return the lowest level of a plane, (H, W), averaged over a Gaussian of 2 px."""
    return float(ndimage.gaussian_filter(np.asarray(plane, np.float64), _AROUND).min())


def coarse_ratio(plane: NDArray[np.floating], noise: PhotonNoise) -> float:
    """Return how much stronger details at half the resolution are than the noise alone would make them.

    Args:
        plane: (H, W), sides of 32 px at least.
        noise: What `fit_photon_noise` found in it.

    Returns:
        A ratio of variances: 1 for white noise, more for texture, edges and noise that neighbors share.
    """
    places = _places(np.asarray(cell_means(np.asarray(plane, np.float32)[None], 2)[0], np.float64))
    variance = np.maximum(noise.gain * places.levels + noise.at_zero, noise.dark) / 4
    flat = places.flat(variance, _STEEP_COARSE)
    if not flat.any():
        return float("inf")
    weight = 1 / (4 * variance[flat] + noise.gain**2) ** 2
    return float((weight @ places.squares[flat]) / (weight @ variance[flat]))


def _places(y: Doubles) -> _Places:
    squares = ndimage.gaussian_filter(_filtered(y, _HIGH_PASS) ** 2, _AROUND)
    levels = ndimage.gaussian_filter(_filtered(y, _HIGH_PASS**2), _AROUND)
    slopes = ndimage.gaussian_gradient_magnitude(y, _AROUND) ** 2
    inside = (slice(_EDGE, -_EDGE, 2),) * 2
    return _Places(*(plane[inside].ravel() for plane in (squares, levels, slopes)))


def _filtered(y: Doubles, taps: Doubles) -> Doubles:
    rows: Doubles = ndimage.convolve1d(ndimage.convolve1d(y, taps, 0, mode="mirror"), taps, 1, mode="mirror")
    return rows


@cache
def _shared() -> float:
    """Return the variance that white noise of variance 1 leaves in an average level."""
    impulse = np.zeros((65, 65))
    impulse[32, 32] = 1
    weights = ndimage.gaussian_filter(_filtered(impulse, _HIGH_PASS**2), _AROUND)
    return float(np.sum(weights**2))


def find_photon_noise(plane: NDArray[np.floating]) -> PhotonNoise | None:
    """Return the noise of an image in which that of photons shows, and is white; else None.

    Args:
        plane: (H, W).
    """
    noise = fit_photon_noise(plane)
    if noise is None or noise.brightest > _SOME:
        return None
    least, most = _RATIO_OF_FEW if noise.brightest <= _FEW else _RATIO_OF_SOME
    return noise if least <= coarse_ratio(plane, noise) <= most else None
