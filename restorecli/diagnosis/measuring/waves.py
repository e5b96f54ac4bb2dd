"""Moire: peaks of the spectrum."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from restorecli.diagnosis.measuring.spectrum import SIDE, Doubles, frequencies, power_spectrum
from restorecli.diagnosis.measuring.view import Plane, View

_AROUND, _CORE = 17, 7
_MIN_FREQUENCY = 0.06
"""Waves per pixel below which peaks are the image's own."""


def measure_waves(view: View) -> dict[str, float]:
    """Measure regular waves in the window.

    Returns:
        `wave luma`, `wave color`: how far the highest peak of the spectrum stands above what is around
        it, in dB, in luma and in the differences of the channels (absent for gray).
    """
    found = {"wave luma": peak(view.luma)}
    if not view.is_gray:
        red, green, blue = view.window
        found["wave color"] = max(peak(red - green), peak(0.5 * (red + green) - blue))
    return found


def peak(plane: Plane) -> float:
    """Return the height in dB of the highest peak above 0.06 waves per pixel.

    A peak must lie as far from the mean, in places of the spectrum, as 0.06 does in parts of full size:
    nearer to it a photograph falls so steeply that every place stands above its surroundings.
    """
    logs = 10 * np.log10(ndimage.uniform_filter(power_spectrum(plane), 3, mode="wrap") + 1e-3)
    above = logs - _surroundings(logs)
    down, across = frequencies(logs.shape)
    height, width = logs.shape
    fast = np.hypot(down, across) > _MIN_FREQUENCY
    fast &= np.hypot(down * height, across * width) > _MIN_FREQUENCY * SIDE
    # The axes hold the image's frame and its straight edges.
    fast &= (np.abs(down) > 0.02) & (np.abs(across) > 0.02)
    return float(above[fast].max()) if fast.any() else 0.0


def _surroundings(logs: Doubles) -> Doubles:
    """Return the mean of a square ring around each frequency, from 4 to 8 places away."""
    wide, narrow = (ndimage.uniform_filter(logs, side, mode="wrap") for side in (_AROUND, _CORE))
    ring: Doubles = (wide * _AROUND**2 - narrow * _CORE**2) / (_AROUND**2 - _CORE**2)
    return ring
