"""Waves over an image: where they stand in its spectrum, and taking them out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Plane = NDArray[np.float32]
Doubles = NDArray[np.float64]

WINDOW = 128
"""Side of the windows whose spectra are averaged: in larger ones bent waves blur, in smaller ones all do."""

_WINDOW = 13
_MIN_DISTANCE = 5
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave.

    Attributes:
        down: Waves per pixel from top to bottom, in [-0.5, 0.5].
        across: The same from left to right.
        excess: How far it stands above the spectrum around it, in dB.
    """

    down: float
    across: float
    excess: float

    @property
    def frequency(self) -> float:
        """Waves per pixel along its own direction."""
        return float(np.hypot(self.down, self.across))


def _starts(length: int, side: int) -> list[int]:
    count = max(-(-2 * (length - side) // side), 0) + 1
    return [round(place) for place in np.linspace(0, length - side, count)]


def log_spectrum(plane: Plane) -> Doubles:
    """Return the power spectrum in dB, the mean over half overlapping Hann windows of at most 128 px.

    Args:
        plane: (H, W).

    Returns:
        (min(H, 128), min(W, 128)), the frequencies of `fft2`.
    """
    height, width = (min(side, WINDOW) for side in plane.shape)
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in (height, width)))
    total = np.zeros((height, width))
    for top in _starts(plane.shape[0], height):
        for left in _starts(plane.shape[1], width):
            part = plane[top : top + height, left : left + width].astype(np.float64)
            total += np.abs(fft.fft2((part - np.average(part, weights=window)) * window)) ** 2
    result: Doubles = 10 * np.log10(total + _TINY)
    return result


def _vertex(before: float, middle: float, after: float) -> float:
    """Return where the parabola through three values one apart has its top, from -0.5 to 0.5."""
    bend = before - 2 * middle + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def find_waves(plane: Plane, least: float, excess: float, most: int) -> list[Wave]:
    """Return the waves that stand out of the spectrum's median around them, the strongest first.

    Args:
        plane: (H, W).
        least: Lowest frequency of a wave, in waves per pixel: what is slower is the image.
        excess: How far a wave stands out, in dB.
        most: How many at most.
    """
    power = log_spectrum(plane)
    rows, columns = power.shape
    above = power - ndimage.median_filter(power, (min(_WINDOW, rows), min(_WINDOW, columns)), mode="wrap")
    down, across = fft.fftfreq(rows)[:, None], fft.fftfreq(columns)[None, :]
    top = (above > excess) & (above == ndimage.maximum_filter(above, _MIN_DISTANCE, mode="wrap"))
    # Every wave stands twice, as itself and as its mirror image: half of the plane says all.
    top &= (across > 0) | (across == 0) & (down > 0) | (down == -0.5) | (across == -0.5)
    places = np.argwhere(top & (np.hypot(down, across) >= least))
    strongest = sorted(places.tolist(), key=lambda place: -above[place[0], place[1]])[:most]
    waves = []
    for row, column in strongest:
        up = _vertex(power[row - 1, column], power[row, column], power[(row + 1) % rows, column])
        right = _vertex(power[row, column - 1], power[row, column], power[row, (column + 1) % columns])
        wave = Wave(
            float(down[row, 0]) + up / rows,
            float(across[0, column]) + right / columns,
            float(above[row, column]),
        )
        waves.append(wave)
    return waves


def _smoothed(plane: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    """Return three box means in a row, near to a Gaussian of std size / 2; outside the plane is nothing."""
    for _ in range(3):
        plane = ndimage.uniform_filter(plane, size, mode="constant")
    return plane


def remove_wave(plane: Plane, wave: Wave, reach: float) -> Plane:
    """Return the plane less the wave, whose strength and phase are measured around every pixel.

    It is the notch filter 1 - G(f - f0) - G(f + f0) with a Gaussian G of std 1 / (2 pi reach), done in space,
    where the border can be treated as the end of what is known rather than as the other side.

    Args:
        plane: (H, W).
        wave: The wave.
        reach: Std of the surroundings, in pixels.
    """
    rest = plane - ndimage.gaussian_filter(plane, 0.75 / wave.frequency, mode="reflect")
    phase = [
        np.exp(-2j * np.pi * f * np.arange(side)).astype(np.complex64)
        for f, side in zip((wave.down, wave.across), plane.shape, strict=True)
    ]
    carrier = phase[0][:, None] * phase[1]
    size = max(2 * round(reach) + 1, 3)
    mass = [_smoothed(np.ones(side), size) for side in plane.shape]
    strength = _smoothed(rest * carrier, size) / (mass[0][:, None] * mass[1])
    twice = 1.0 if abs(wave.down) % 0.5 == 0 and wave.across % 0.5 == 0 else 2.0
    return np.asarray(plane - twice * (strength * carrier.conj()).real, np.float32)
