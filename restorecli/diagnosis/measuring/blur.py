"""Blur: which kernel explains the spectrum, and how sharp the sharpest edges are."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from restorecli.diagnosis.measuring.spectrum import frequencies, power_spectrum
from restorecli.diagnosis.measuring.view import Plane, View

Doubles = NDArray[np.float64]

_EDGES = np.array([0.02, 0.04, 0.06, 0.09, 0.12, 0.16, 0.2, 0.25, 0.3, 0.36, 0.43, 0.5])
"""Bands of frequency, waves per pixel."""

_SLOPES = (1.8, 2.2, 2.6, 3.0)
"""Exponents with which the power of sharp photographs falls (Field, JOSA A 1987: 2 for most)."""

_SIGMAS = tuple(np.geomspace(0.5, 8, 15))
_RADII = tuple(np.geomspace(1.2, 14, 20))
_LENGTHS = (7.0, 9.0, 12.0, 15.0, 19.0, 24.0, 30.0, 38.0)
_ANGLES = tuple(float(angle) for angle in range(0, 180, 6))
_RINGS = 56
_ABOVE_FLOOR = 2.0
_MIN_GAIN = 1e-7
_TINY = 1e-4
_MIN_PATH_GAIN = 1e-4
_LOWEST, _HIGHEST = 0.02, 0.36
_PLANE_SLOPE = 2.3
_FINE_LENGTHS = tuple(np.geomspace(6, 42, 15))
_FADED = (2.0, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 12.0, 15.0)
_FADED_LENGTH = 5.0
"""Lengths of faded paths in deviations: what is beyond weighs nothing."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A blur that explains a spectrum.

    Attributes:
        family: "gaussian", "defocus", "motion".
        strength: Deviation, radius or length in pixels.
        angle: Of a motion, degrees counter-clockwise from level; 0 for the others.
        misfit: Deviation of the spectrum from the model, in natural logarithms.
    """

    family: str
    strength: float
    angle: float
    misfit: float


def measure_blur(view: View) -> dict[str, float]:
    """Measure blur in the window.

    Returns:
        `band 1` to `band 11`: mean log10 of the power in rings of frequency, 0.02 to 0.5 waves per pixel.
        `edges`: the 99.9th percentile of differences of neighbors over that of pixels four apart: 0.6 and
        more where something is sharp. `sharp misfit`: how badly a sharp image with white noise explains
        the spectrum; `gaussian gain`, `defocus gain`, `motion gain`: by how much each kernel explains it
        better, and `gaussian sigma`, `defocus radius`, `motion length` (px): its strength. `directed`:
        spread of the power between directions. `path length`, `path angle`, `path sigma`: the straight motion
        that explains it best, if it is one; see `Path`.
    """
    power = power_spectrum(view.luma)
    found = {f"band {number + 1}": value for number, value in enumerate(_bands(power))}
    found["edges"] = _edges(view.luma)
    found["directed"] = _directed(power)
    sharp, kernels = explain(power)
    found["sharp misfit"] = sharp
    for kernel, unit in zip(kernels, ("sigma", "radius", "length"), strict=True):
        found[f"{kernel.family} gain"] = sharp - kernel.misfit
        found[f"{kernel.family} {unit}"] = kernel.strength
    path = find_path(power, kernels[2].angle)
    found |= {"path length": path.length, "path angle": path.angle, "path sigma": path.sigma}
    return found


def _bands(power: Doubles) -> list[float]:
    radius = np.hypot(*frequencies(power.shape))
    logs = np.log10(power + _TINY)
    inside = [(radius >= low) & (radius < high) for low, high in itertools.pairwise(_EDGES)]
    return [float(logs[ring].mean()) if ring.any() else 0.0 for ring in inside]


def _edges(luma: Plane) -> float:
    near = _steepest(luma, 1)
    far = _steepest(luma, 4)
    return near / max(far, 1.0)


def _steepest(luma: Plane, step: int) -> float:
    down, across = np.abs(luma[step:] - luma[:-step]), np.abs(luma[:, step:] - luma[:, :-step])
    return float(max(np.percentile(down, 99.9), np.percentile(across, 99.9)))


def _directed(power: Doubles) -> float:
    down, across = frequencies(power.shape)
    radius, angle = np.hypot(down, across), np.arctan2(down, across) % np.pi
    logs = np.log(power + _TINY)
    ring = (radius > 0.04) & (radius < 0.3)
    flat = logs - _ring_means(logs, radius)
    sectors = [flat[ring & (np.abs(angle - middle) < np.pi / 12)] for middle in np.arange(12) * np.pi / 12]
    means = [float(sector.mean()) for sector in sectors if sector.size]
    return float(np.ptp(means)) if means else 0.0


def _ring_means(logs: Doubles, radius: Doubles) -> Doubles:
    ring = np.minimum((radius * 80).astype(int), 60)
    sums = np.bincount(ring.reshape(-1), logs.reshape(-1), 61)
    counts = np.bincount(ring.reshape(-1), minlength=61)
    means = sums / np.maximum(counts, 1)
    return np.asarray(means[ring])


def explain(power: Doubles) -> tuple[float, list[Kernel]]:
    """Fit A f^-s |K(f)|^2 + n to a power spectrum for kernels K of each family.

    n is the floor of the spectrum, s one of four slopes; A is fitted in logarithms where the power is above
    the floor.

    Args:
        power: (H, W), of `power_spectrum`.

    Returns:
        The misfit of K = 1, and the best kernel of each family: Gaussian, disc, straight motion.
    """
    profile, place = _profile(power)
    sharp = float(_misfits(profile, place, np.zeros((1, place.size)))[0])
    kernels = []
    for family, strengths, gains in _radial_families():
        misfits = _misfits(profile, place, gains)
        kernels.append(Kernel(family, _between(strengths, misfits), 0.0, float(misfits.min())))
    return sharp, [*kernels, _motion(power)]


def _rings() -> Doubles:
    return np.asarray((np.arange(_RINGS) + 0.5) * (0.5 / _RINGS))


def _profile(power: Doubles) -> tuple[Doubles, Doubles]:
    """Return the mean log power of rings of frequency, without the lowest, and their frequencies."""
    radius = np.hypot(*frequencies(power.shape))
    ring = (radius * (_RINGS / 0.5)).astype(int).reshape(-1)
    inside = ring < _RINGS
    logs = np.log(power + _TINY).reshape(-1)[inside]
    counts = np.bincount(ring[inside], minlength=_RINGS)
    means = np.bincount(ring[inside], logs, _RINGS) / np.maximum(counts, 1)
    known = (counts > 0) & (_rings() > _LOWEST)
    return means[known], _rings()[known]


@cache
def _radial_families() -> list[tuple[str, tuple[float, ...], Doubles]]:
    place = _rings()
    place = place[place > _LOWEST]
    gaussian = [-2 * (2 * np.pi**2 * sigma**2 * place**2) for sigma in _SIGMAS]
    disc = []
    for radius in _RADII:
        reach = 2 * np.pi * radius * place
        # Rings of a spectrum are wider than zeros of a kernel: these are smoothed.
        wide = [np.square(2 * special.j1(reach * t) / (reach * t)) for t in (0.96, 1.0, 1.04)]
        disc.append(np.log(np.mean(wide, axis=0) + _MIN_GAIN))
    return [("gaussian", _SIGMAS, np.array(gaussian)), ("defocus", _RADII, np.array(disc))]


def _between(strengths: tuple[float, ...], misfits: Doubles) -> float:
    """Return the strength at the top of the parabola through the best misfit and its neighbors, in logs."""
    index = int(np.argmin(misfits))
    if index in (0, len(strengths) - 1):
        return strengths[index]
    before, best, after = misfits[index - 1 : index + 2]
    shift = 0.5 * (before - after) / (before - 2 * best + after + 1e-12)
    step = np.log(strengths[index + 1] / strengths[index])
    return float(strengths[index] * np.exp(np.clip(shift, -0.5, 0.5) * step))


def _misfits(logs: Doubles, place: Doubles, gains: Doubles) -> Doubles:
    """Return for each row of log |K|^2 how far the best spectrum with this kernel is from a profile."""
    if gains.shape[1] != place.size:
        gains = gains[:, -place.size :]
    floor = float(np.percentile(logs, 3))
    weights = 1 / np.sqrt(place)
    weights /= weights.sum()
    best = np.full(len(gains), np.inf)
    for slope in _SLOPES:
        shape = gains - slope * np.log(place)
        for lift in (0.0, _ABOVE_FLOOR):
            level = floor - lift
            above = (logs > level + 1) * weights + 1e-9
            # The mean distance from the model without a floor, then once more with it.
            amplitude = np.average(logs - shape, axis=1, weights=above * (shape > shape.max() - 4) + 1e-12)
            for _ in range(3):
                model = np.logaddexp(shape + amplitude[:, None], level)
                pull = 1 / (1 + np.exp(level - shape - amplitude[:, None]))
                step = np.sum((logs - model) * pull * weights, axis=1) / (
                    np.sum(pull * weights, axis=1) + 1e-9
                )
                amplitude = amplitude + np.clip(step, -3, 3)
            model = np.logaddexp(shape + amplitude[:, None], level)
            misfit = np.sqrt(np.sum(np.square(logs - model) * weights, axis=1))
            best = np.minimum(best, misfit)
    return best


@dataclass(frozen=True)
class _Half:
    """The frequencies of a spectrum at which motions are compared: half of the plane says all."""

    down: Doubles
    across: Doubles
    chosen: NDArray[np.bool_]

    @property
    def radius(self) -> Doubles:
        """Waves per pixel in their own direction."""
        return np.asarray(np.hypot(self.down, self.across))

    def along(self, angle: float) -> Doubles:
        """Return waves per pixel along a direction, degrees counter-clockwise from level."""
        turned: Doubles = self.across * np.cos(np.radians(angle)) - self.down * np.sin(np.radians(angle))
        return turned


@cache
def _half(shape: tuple[int, ...]) -> _Half:
    """Return every second place at low frequencies, every fifth further out."""
    down, across = np.broadcast_arrays(*frequencies(shape))
    radius = np.hypot(down, across)
    chosen = (radius > _LOWEST) & (radius < _HIGHEST) & ((across > 0) | ((across == 0) & (down > 0)))
    rows, columns = np.indices(shape)
    chosen &= ((radius < 0.12) & ((rows + columns) % 2 == 0)) | ((rows + 2 * columns) % 5 == 0)
    return _Half(down[chosen], across[chosen], chosen)


def _path_gain(along: Doubles, length: float) -> Doubles:
    """Return log |K|^2 of an even straight path, smoothed as the spectrum is."""
    wide = [np.square(np.sinc(along * length * t)) for t in (0.9, 1.0, 1.1)]
    gain: Doubles = np.log(np.mean(wide, axis=0) + _MIN_PATH_GAIN)
    return gain


def _faded_gain(along: Doubles, sigma: float) -> Doubles:
    """Return log |K|^2 of a path whose ends fade as a Gaussian."""
    gain: Doubles = np.log(np.exp(-np.square(2 * np.pi * sigma * along)) + _MIN_PATH_GAIN)
    return gain


@cache
def _motion_family(shape: tuple[int, ...]) -> tuple[Doubles, list[tuple[float, float]]]:
    half = _half(shape)
    kinds = [(length, angle) for angle in _ANGLES for length in _LENGTHS]
    return np.array([_path_gain(half.along(angle), length) for length, angle in kinds]), kinds


def _motion(power: Doubles) -> Kernel:
    """Fit a straight even motion to the spectrum itself."""
    half = _half(power.shape)
    gains, kinds = _motion_family(power.shape)
    misfits = _plane_misfits(np.log(power + _TINY)[half.chosen], half.radius, gains)
    index = int(np.argmin(misfits))
    length, angle = kinds[index]
    return Kernel("motion", length, angle, float(misfits[index]))


def _plane_misfits(logs: Doubles, place: Doubles, gains: Doubles) -> Doubles:
    """Return for each row of log |K|^2 how far the best spectrum with this kernel is, over the plane."""
    floor = float(np.percentile(logs, 3))
    weights = 1 / place
    weights /= weights.sum()
    shape = gains - _PLANE_SLOPE * np.log(place)
    amplitude = (logs - shape) @ weights
    for _ in range(2):
        model = np.logaddexp(shape + amplitude[:, None], floor)
        amplitude = amplitude + (logs - model) @ weights
    model = np.logaddexp(shape + amplitude[:, None], floor)
    misfits: Doubles = np.sqrt(np.square(logs - model) @ weights)
    return misfits


@dataclass(frozen=True, slots=True)
class Path:
    """A straight motion, as `motion-blur` of `restorecli degrade` takes it.

    Attributes:
        length: Pixels.
        angle: Degrees, counter-clockwise from level, from 0 to below 180.
        sigma: Deviation in pixels of a Gaussian weight along it; 0 is even.
    """

    length: float
    angle: float
    sigma: float


def find_path(power: Doubles, near: float) -> Path:
    """Return the straight motion that explains a power spectrum best, finer than `explain` does.

    Paths that are even, and paths whose ends fade, are tried in directions 2 degrees apart.

    Args:
        power: (H, W), of `power_spectrum`.
        near: The direction that `explain` found, degrees.
    """
    half = _half(power.shape)
    logs = np.log(power + _TINY)[half.chosen]
    paths, gains = [], []
    for turn in range(-6, 7, 2):
        along = half.along(near + turn)
        angle = (near + turn) % 180
        paths += [Path(length, angle, 0.0) for length in _FINE_LENGTHS]
        gains += [_path_gain(along, length) for length in _FINE_LENGTHS]
        paths += [Path(_FADED_LENGTH * sigma, angle, sigma) for sigma in _FADED]
        gains += [_faded_gain(along, sigma) for sigma in _FADED]
    return paths[int(np.argmin(_plane_misfits(logs, half.radius, np.array(gains))))]
