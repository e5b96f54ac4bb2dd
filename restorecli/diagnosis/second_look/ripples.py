"""Waves that a network against moire took away: the same everywhere, or the image's own texture?

Moire of one screen has about one frequency and direction all over the image. What such a network takes from
an undamaged image has as many as the image has textures.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, special
from scipy.signal import windows

from restorecli.diagnosis.measuring.view import Pixels

SIDE = 64
"""Pixels of a side of the parts whose spectra are compared; their halves overlap."""

_SLOW = 4
"""Places of a spectrum from the mean that do not count: light and shadow are no waves."""

_AROUND = 3
"""Places of a side, over which a wave is spread by the window and by what bends it."""

_COLOR, _GRAY, _NOTHING = (6.40, 13.40), (4.88, 12.66), 1e-3
"""Slope and level of the log odds over the logarithm of the sameness: the logistic models of 200 photographs
each of BSDS, as they are and with moire of severity 1, in color (192 px of them) and in gray."""


def sameness(before: Pixels, after: Pixels) -> float:
    """Return how much of what was taken away has one frequency everywhere, from 0 to 1.

    That is the share of power around the strongest frequency, in the mean of the power spectra of all parts,
    each divided by its sum: of the differences of the channels, in which moire shows most, or of gray.

    Args:
        before: (C, H, W) float32, C = 1 or 3, on the 0-255 scale.
        after: The same as restored.

    Returns:
        0 where a side is below 64 px.
    """
    taken = before - after
    if len(taken) > 1:
        red, green, blue = taken
        taken = np.stack([red - green, 0.5 * (red + green) - blue])
    spectra = [_spectrum(part) for part in _parts(taken)]
    if not spectra:
        return 0.0
    around = ndimage.uniform_filter(np.mean(spectra, axis=0), _AROUND, mode="constant")
    return float(around.max() * _AROUND**2)


def _parts(planes: Pixels) -> list[Pixels]:
    height, width = planes.shape[1:]
    tops, lefts = (range(0, length - SIDE + 1, SIDE // 2) for length in (height, width))
    return [planes[:, top : top + SIDE, left : left + SIDE] for top in tops for left in lefts]


def _spectrum(part: Pixels) -> Pixels:
    """Return the power of each frequency but the slow ones, over that of all; half of the plane."""
    window = np.outer(windows.hann(SIDE), windows.hann(SIDE)).astype(np.float32)
    waves = np.fft.rfft2((part - part.mean(axis=(1, 2), keepdims=True)) * window)
    power = np.square(np.abs(waves)).sum(axis=0)
    shares = power / (power.sum() + 1)  # 1: of parts from which nothing was taken there is nothing to tell
    shares[:_SLOW, :_SLOW] = 0
    shares[1 - _SLOW :, :_SLOW] = 0
    return np.asarray(shares, np.float32)


def moire_chance(before: Pixels, after: Pixels) -> float:
    """Return the chance that a network took moire away.

    Args:
        before: (C, H, W) float32, C = 1 or 3, on the 0-255 scale.
        after: The same as restored.
    """
    slope, level = _GRAY if len(before) == 1 else _COLOR
    return float(special.expit(slope * np.log(sameness(before, after) + _NOTHING) + level))
