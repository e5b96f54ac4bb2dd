"""Printed screens: two peaks of the spectrum, as far from the middle as one another and at right angles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from restorecli.diagnosis.measuring.spectrum import SIDE, Doubles, frequencies, power_spectrum
from restorecli.diagnosis.measuring.view import Plane, View

SCREEN = "halftone-screen"
"""The name of the damage: it has a law of its own, and no part in the tables."""

_SLOWEST, _FASTEST = 0.1, 0.5
"""Waves per pixel below which regular texture is the image's own, and above which no dot has two pixels."""

_ON_AXIS = 0.03
"""Waves per pixel from an axis up to which peaks are straight edges, weave or the grid of a file."""

_NEAR = 2
"""Places of the spectrum around a peak that belong to it."""

_SKIRT = 0.6
"""Share of a screen's frequency from which on the spectrum is its own where there is one."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What may be a printed screen.

    Attributes:
        down: Waves per pixel of one of its two waves, from top to bottom.
        across: The same from left to right, at least 0; the other wave is at right angles.
        share: Of the power of all waves that are not much slower, that of these two.
        balance: Power of the weaker wave over that of the stronger.
        level: Root mean square of both, on the scale of the plane.
    """

    down: float
    across: float
    share: float
    balance: float
    level: float

    @property
    def period(self) -> float:
        """Distance of the dots in pixels."""
        return 1 / math.hypot(self.down, self.across)

    @property
    def angle(self) -> float:
        """Direction of the screen in degrees, from the right, counter-clockwise, in [0, 90)."""
        return math.degrees(math.atan2(-self.down, self.across)) % 90


def strongest_screen(plane: Plane) -> Screen | None:
    """Return the strongest pair of waves at right angles in a plane, (H, W); None where it has no such waves.

    Whether that is a screen, `find_screen` tells.
    """
    power = power_spectrum(plane)
    down, across = frequencies(power.shape)
    distance = np.hypot(down, across)
    possible = (
        (distance >= _SLOWEST)
        & (distance <= _FASTEST)
        & (np.minimum(np.abs(down), np.abs(across)) >= _ON_AXIS)
    )
    if not possible.any():
        return None
    near = ndimage.uniform_filter(power, 3, mode="wrap")
    row, column = np.unravel_index(np.argmax(np.where(possible, near, 0.0)), power.shape)
    first = _middle(power, down, across, int(row), int(column))
    if first[1] < 0:
        first = (-first[0], -first[1])
    second = (first[1], -first[0])
    powers = [_around(power, wave) for wave in (first, second)]
    total = float(power[distance >= _SKIRT * math.hypot(*first)].sum())
    if total <= 0 or min(powers) <= 0:
        return None
    both = 2 * sum(powers)
    return Screen(*first, both / total, min(powers) / max(powers), math.sqrt(both / power.size))


def _middle(power: Doubles, down: Doubles, across: Doubles, row: int, column: int) -> tuple[float, float]:
    """Return where the peak at a place of the spectrum has its middle."""
    rows, columns = (np.arange(place - _NEAR, place + _NEAR + 1) for place in (row, column))
    part = power[np.ix_(rows % power.shape[0], columns % power.shape[1])]
    part = np.maximum(part - np.median(part), 0)
    weight = part.sum() or 1.0
    off_down = (part.sum(axis=1) * (rows - row)).sum() / weight / power.shape[0]
    off_across = (part.sum(axis=0) * (columns - column)).sum() / weight / power.shape[1]
    return float(down[row, 0] + off_down), float(across[0, column] + off_across)


def _around(power: Doubles, wave: tuple[float, float]) -> float:
    """Return the power around a wave; beyond half a wave per pixel its mirror image is there."""
    place = (round(wave[0] * power.shape[0]), round(wave[1] * power.shape[1]))
    rows, columns = (np.arange(middle - _NEAR, middle + _NEAR + 1) for middle in place)
    return float(power[np.ix_(rows % power.shape[0], columns % power.shape[1])].sum())


_MIN_SHARE, _MIN_BALANCE, _MIN_LEVEL = 0.35, 0.5, 3.0
"""Share, balance and level (0-255 scale) of a printed screen. Of 400 images of BSDS, gray and in color, one
with a lattice behind a person has more than a share of 0.28; screens of 2.2 to 7.5 px, blurred and saved as
JPEG, have 0.48."""

_MIN_COVERED = 0.95
"""Share of the middle tones that a screen covers: 48 made ones have 0.998 at least, that lattice 0.86."""

_MIDDLE, _FAINT, _USUAL = (0.3, 0.7), 0.3, 75
"""Middle tones between the darkest and the lightest, and the part of the usual amplitude there (a percentile)
that a place of the screen has."""


def find_screen(view: View) -> Screen | None:
    """Return the printed screen of an image, that of the channel in which it is the clearest, or None.

    In images with a side below 128 px, whose spectra have few places, texture looks the same.
    """
    if min(view.window.shape[1:]) < SIDE:
        return None
    found = [(strongest_screen(plane), plane) for plane in view.window]
    waves = [(screen, plane) for screen, plane in found if screen is not None]
    if not waves:
        return None
    screen, plane = max(waves, key=lambda one: one[0].share)
    is_strong = screen.share >= _MIN_SHARE and screen.level >= _MIN_LEVEL
    is_square = screen.balance >= _MIN_BALANCE
    return screen if is_strong and is_square and covered(plane, screen) >= _MIN_COVERED else None


def covered(plane: Plane, screen: Screen) -> float:
    """Return the share of the middle tones in which a screen's waves are, 1 where there are none.

    A print has dots wherever it is neither white nor black; a lattice ends where other things begin.
    """
    rows, columns = (np.arange(side) for side in plane.shape)
    rest = plane - ndimage.gaussian_filter(plane, screen.period / 2)
    power = np.zeros(plane.shape)
    for down, across in ((screen.down, screen.across), (screen.across, -screen.down)):
        carrier = np.exp(-2j * np.pi * (down * rows[:, None] + across * columns))
        for part in ((rest * carrier).real, (rest * carrier).imag):
            power += np.square(ndimage.gaussian_filter(part, screen.period))
    dark, light = np.percentile(plane, [0.5, 99.5])
    tone = (ndimage.gaussian_filter(plane, screen.period) - dark) / max(light - dark, 1.0)
    there = power[(tone > _MIDDLE[0]) & (tone < _MIDDLE[1])]
    return float(np.mean(there >= _FAINT**2 * np.percentile(there, _USUAL))) if there.size else 1.0
