"""Noise: its level, how it depends on brightness, and whether neighbors and channels share it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from restorecli.diagnosis.measuring.cells import cell_means
from restorecli.diagnosis.measuring.view import Pixels, Plane, View

_ROOT = 3**0.5
_HIGH_PASS = np.array([1 - _ROOT, _ROOT - 3, 3 + _ROOT, -1 - _ROOT], np.float32) / np.float32(32**0.5)
"""Daubechies' high-pass filter with two vanishing moments, of energy 1: blind to flat and linear parts."""

_NORMAL_MEDIAN = 0.6744897501960817
_NORMAL_95 = 1.959963984540054
_BINS = 12
_MIN_BIN_COUNT = 60
_MIN_SIGMA = 0.05
_DARK, _BRIGHT = 12.0, 235.0
"""Levels between which noise is compared with brightness: beyond them it is clipped."""


def details(planes: Pixels) -> Pixels:
    """Return the finest diagonal wavelet details (Daubechies, two vanishing moments), every second of them.

    White noise of deviation s has details of deviation s.

    Args:
        planes: (C, H, W), both sides at least 4.
    """
    return _filter(_filter(planes, 1), 2)


def _filter(planes: Pixels, axis: int) -> Pixels:
    length = planes.shape[axis] - _HIGH_PASS.size + 1
    cut = [slice(None)] * 3
    total = np.zeros(1, np.float32)
    for tap, weight in enumerate(_HIGH_PASS):
        cut[axis] = slice(tap, tap + length, 2)
        total = total + weight * planes[tuple(cut)]
    return total


def robust_sigma(values: NDArray[np.float32]) -> float:
    """Return median |v| / 0.6745 over the values that are not 0; 0 where there is none.

    Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994. Exact zeros come
    from flat parts, such as margins of a scan, and say nothing about noise.
    """
    size = np.abs(values)
    alive = size[size > 1e-4]
    return float(np.median(alive)) / _NORMAL_MEDIAN if alive.size else 0.0


_BLOT = 4
"""Pixels of a side of the cells whose means JPEG leaves colors of their own, be they kept at half the
resolution and their finest details rounded away."""

_MIN_LEVELS = 33.0
"""Levels of a channel: an image of fewer was quantized."""

_MIN_WHITE = 5.0
"""Deviation (0-255) from which white noise is worth removing."""

_MAX_SHARED = 0.5
"""Structure and film grain share 0.74 and more between channels (95 % of 52 clean images), sensors none."""


def measure_noise(view: View) -> dict[str, float]:
    """Measure noise in the window.

    Returns:
        `noise sigma`: deviation of white noise that gives the finest details, 0-255 scale, mean over the
        channels. `noise coarse`: the same at half the resolution over that at full, twice; 1 for white
        noise, more for noise that neighbors share and for structure. `noise tails`: the 95th percentile of
        |details| over what it is for Gaussian noise of the same median; 1 for noise, 2 and more for edges.
        `noise slope`: exponent of brightness in the noise's deviation: 0 Gaussian, 0.5 photons, 1 speckle.
        `noise shared`: correlation of the channels' details: 0 for a sensor's noise, 1 for film grain and
        for structure (absent for gray). `blots shared`: the same at a quarter of the resolution, which JPEG
        leaves colors of their own (absent for gray).
    """
    fine = details(view.window)
    sigma = max(float(np.mean([robust_sigma(plane) for plane in fine])), _MIN_SIGMA)
    coarse = max(float(np.mean([robust_sigma(plane) for plane in details(cell_means(view.window, 2))])), 0.01)
    found = {
        "noise sigma": sigma,
        "noise coarse": 2 * coarse / sigma,
        "noise tails": _tails(fine),
        "noise slope": _slope(view.luma),
    }
    if not view.is_gray:
        found["noise shared"] = _shared(fine)
        found["blots shared"] = _shared(details(cell_means(view.window, _BLOT)))
    return found


def _tails(fine: Pixels) -> float:
    ratios = []
    for plane in fine:
        size = np.abs(plane[np.abs(plane) > 1e-4])
        if size.size:
            middle, far = np.percentile(size, [50, 95])
            ratios.append(float(far / middle) * _NORMAL_MEDIAN / _NORMAL_95)
    return float(np.mean(ratios)) if ratios else 1.0


def _shared(fine: Pixels) -> float:
    """Correlation of the channels, from signs, which edges cannot rule: sin(pi / 2 E[sign sign])."""
    red, green, blue = np.sign(fine)
    alike = [float(np.mean(one * other)) for one, other in ((red, green), (green, blue), (red, blue))]
    return float(np.sin(np.pi / 2 * np.mean(alike)))


def _slope(luma: Plane) -> float:
    """Fit log deviation = a + slope log brightness, where brightness is the mean around a detail."""
    fine = details(luma[None])[0]
    around = cell_means(luma[None, 1:, 1:], 2)[0]
    tall, wide = (min(one, other) for one, other in zip(fine.shape, around.shape, strict=True))
    size, bright = np.abs(fine[:tall, :wide]), around[:tall, :wide]
    points = []
    for low, high in itertools.pairwise(np.geomspace(_DARK, _BRIGHT, _BINS + 1)):
        inside = size[(bright >= low) & (bright < high)]
        if inside.size >= _MIN_BIN_COUNT:
            # The lower quartile: edges and texture fill the upper ones.
            level = float(np.percentile(inside, 25)) / 0.31863936396437514
            points.append((np.log(0.5 * (low + high)), np.log(max(level, 0.1)), float(inside.size) ** 0.5))
    if len(points) < 3:
        return 0.0
    place, level, weight = np.array(points).T
    return float(np.polyfit(place, level, 1, w=weight)[0])


def shows_white_noise(found: Mapping[str, float]) -> bool:
    """Tell whether the finest details can only be noise that no pixel shares with its neighbors.

    They are then as Gaussian as noise (`noise tails`), as strong at half the resolution as white noise is
    (`noise coarse`) and, in color, of their own in every channel (`noise shared`); texture fails at one of
    these. Dithering and few levels are ruled out, for they are white, too.

    Args:
        found: Measurements by name.
    """
    if found["noise sigma"] < _MIN_WHITE or found["levels used"] < _MIN_LEVELS:
        return False
    coarse, tails = found["noise coarse"], found["noise tails"]
    if "noise shared" in found:
        return found["noise shared"] < _MAX_SHARED and tails < 2.0 and 0.85 < coarse < 1.9
    return tails < 1.3 and 0.85 < coarse < 1.6
