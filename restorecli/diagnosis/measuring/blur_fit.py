"""Which blur made an image: the Gaussian, the disc or the straight motion that explains its spectrum best.

A disc and a motion wipe out frequencies (rings, stripes) whose distance tells radius, length and direction:
Cannon, "Blind deconvolution of spatially invariant image blurs with phase", IEEE Trans. ASSP 1976; Gennery,
JOSA 1973. Of a Gaussian, which has no zeros, the fall of the spectrum tells the width; what photographs have
without blur is fitted at the same time, see `spectrum_model`. The values are real numbers, found by
Nelder and Mead's simplex (Computer Journal 1965) from the best of a coarse grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from restorecli.degradation.families.blur import disc_kernel, gaussian_weights, motion_kernel
from restorecli.diagnosis.measuring.spectrum_model import SpectrumModel
from restorecli.diagnosis.measuring.view import View

Doubles = NDArray[np.float64]

_SIGMAS = np.geomspace(0.4, 10, 14)
_OWN = 0.25
"""Deviation in pixels of the Gaussian that photographs are softened by before anything blurs them."""

_RADII = np.geomspace(1, 16, 24)
_EDGE, _MAX_EDGE = 0.4, 2.0
_EXTENTS = np.geomspace(1.5, 14, 7)
_ANGLES = np.arange(0, 180, 12.0)
_FADE, _EVEN, _MAX_FADE = 2.0, 0.3, 8.0
"""Lengths of paths in deviations of the Gaussian along them: of the grid, below which it is even, at most."""

_LENGTHS = np.geomspace(5, 50, 20)
_FADES = (0.0, 2.0, 4.0, 7.0)

_CLOSE = 0.15
"""A motion is looked at more closely where the best of the grid is at most this much worse than the rest."""

_NAMES: Mapping[str, Mapping[str, str]] = {
    "gaussian-blur": {"sigma": "gaussian sigma"},
    "defocus": {"radius": "defocus radius", "edge": "defocus edge"},
    "motion-blur": {"length": "path length", "angle": "path angle", "sigma": "path sigma"},
}

_COMPLICATED = {"gaussian-blur": 0.0, "defocus": 0.02, "motion-blur": 0.04}
"""By how much a family must explain a spectrum better than those before it: it has more to be fitted."""

_WEAK: Mapping[str, tuple[str, float]] = {
    "gaussian-blur": ("sigma", 0.6),
    "defocus": ("radius", 1.2),
    "motion-blur": ("length", 4.0),
}
"""The strength of each family below which it is no damage, in pixels."""


_ENDLESS: Mapping[str, tuple[str, float]] = {
    "gaussian-blur": ("sigma", 9.0),
    "defocus": ("radius", 16.0),
    "motion-blur": ("length", 60.0),
}
"""The strength of each family beyond which nothing is left to bring back, in pixels; degrade makes less."""


@dataclass(frozen=True, slots=True)
class Blur:
    """A blur that explains an image's spectrum.

    Attributes:
        damage: "gaussian-blur", "defocus" or "motion-blur".
        values: Its parameters as `restorecli degrade` takes them: sigma; radius and edge; length, angle and
            sigma.
        misfit: See `Explanation`.
        noise: Deviation of the white noise in each channel, 0-255 scale.
    """

    damage: str
    values: Mapping[str, float]
    misfit: float
    noise: float


def fit_blurs(view: View) -> list[Blur]:
    """Return the best blur of each family, the one that explains the spectrum best first.

    Args:
        view: Of an image whose sides are at least 32 px.
    """
    model = SpectrumModel(view)
    found = [_fit_gaussian(model), _fit_disc(model)]
    motion = _fit_motion(model, min(blur.misfit for blur in found) + _CLOSE)
    return sorted([*found, motion], key=lambda blur: blur.misfit + _COMPLICATED[blur.damage])


def is_weak(blur: Blur) -> bool:
    """Tell whether a blur is no more than lenses, demosaicing and scaling leave in sharp photographs."""
    name, least = _WEAK[blur.damage]
    return blur.values[name] < least


def is_endless(blur: Blur) -> bool:
    """Tell whether a blur would have left nothing: then the image is smooth by nature, as clouds are."""
    name, most = _ENDLESS[blur.damage]
    return blur.values[name] > most


def measured(blur: Blur) -> dict[str, float]:
    """Return a blur as measurements, by the names that `strengths` reads."""
    names = _NAMES[blur.damage]
    return {"blur noise": blur.noise, **{names[key]: value for key, value in blur.values.items()}}


def _blur(model: SpectrumModel, damage: str, kernel: Doubles, values: Mapping[str, float]) -> Blur:
    explained = model.explain(kernel)
    return Blur(damage, values, explained.misfit, explained.noise)


def _gaussian(sigma: float) -> Doubles:
    weights = gaussian_weights(sigma)
    return np.outer(weights, weights)


def _fit_gaussian(model: SpectrumModel) -> Blur:
    def misfit(logs: Doubles) -> float:
        return model.explain(_gaussian(float(np.exp(logs[0])))).misfit

    start = _best([np.log([sigma]) for sigma in _SIGMAS], misfit)
    best = _refined(misfit, start, [[0.1]], evaluations=20)
    sigma = float(np.exp(best[0]))
    added = float(np.sqrt(max(sigma**2 - _OWN**2, 0.25 * sigma**2)))
    return _blur(model, "gaussian-blur", _gaussian(sigma), {"sigma": added})


def _fit_disc(model: SpectrumModel) -> Blur:
    def values(place: Doubles) -> tuple[float, float]:
        return float(np.exp(place[0])), float(np.clip(place[1], 0, _MAX_EDGE))

    def misfit(place: Doubles) -> float:
        return model.explain(disc_kernel(*values(place))).misfit

    start = _best([np.array([np.log(radius), _EDGE]) for radius in _RADII], misfit)
    best = _refined(misfit, start, [[0.05, 0.0], [0.02, 0.3]], evaluations=50)
    radius, edge = values(best)
    return _blur(model, "defocus", disc_kernel(radius, edge), {"radius": radius, "edge": edge})


def _fit_motion(model: SpectrumModel, worth: float) -> Blur:
    """Fit a motion; the best of the grid is enough where its misfit is above `worth`."""

    def misfit(place: Doubles) -> float:
        return model.explain(motion_kernel(*_path(place))).misfit

    grid = [np.array([np.log(extent), angle / 10, _FADE]) for angle in _ANGLES for extent in _EXTENTS]
    best = _best(grid, misfit)
    if misfit(best) < worth:
        turned = _refined(misfit, best, [[0.2, 0.0, 0.0], [0.0, 0.6, 0.0], [0.0, -0.6, 1.0]], evaluations=40)
        paths = [
            np.array([np.log(length * _deviation(fade)), turned[1], fade])
            for fade in _FADES
            for length in _LENGTHS
        ]
        best = _best([turned, *paths], misfit)
        best = _refined(misfit, best, [[0.04, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.7]], evaluations=80)
    length, angle, sigma = _path(best)
    values = {"length": length, "angle": angle, "sigma": sigma}
    return _blur(model, "motion-blur", motion_kernel(length, angle, sigma), values)


def _path(place: Doubles) -> tuple[float, float, float]:
    """Return length, angle and sigma for the logarithm of the path's deviation, tens of degrees and fade."""
    fade = float(np.clip(place[2], 0, _MAX_FADE))
    length = float(np.exp(place[0])) / _deviation(fade)
    return length, float(place[1] * 10 % 180), 0.0 if fade < _EVEN else length / fade


def _deviation(fade: float) -> float:
    """Return the deviation of a path of length 1 with a Gaussian weight of deviation 1 / fade, 0 for even."""
    if fade < _EVEN:
        return float(1 / np.sqrt(12))
    half = fade / 2
    cut = 2 * half * np.exp(-0.5 * half**2) / np.sqrt(2 * np.pi) / special.erf(half / np.sqrt(2))
    return float(np.sqrt(1 - cut) / fade)


def _best(places: Sequence[Doubles], misfit: Callable[[Doubles], float]) -> Doubles:
    return min(places, key=misfit)


def _refined(
    misfit: Callable[[Doubles], float], start: Doubles, steps: Sequence[Sequence[float]], evaluations: int
) -> Doubles:
    from scipy import optimize  # a third of a second, which sharp images and lists of methods have not

    simplex = [start, *(start + np.array(step) for step in steps)]
    options = {"initial_simplex": simplex, "xatol": 3e-3, "fatol": 1e-5, "maxfev": evaluations}
    found: Doubles = optimize.minimize(misfit, start, method="Nelder-Mead", options=options).x
    return found
