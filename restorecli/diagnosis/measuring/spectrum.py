"""The power spectrum of a window, the mean of those of half overlapping parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from restorecli.diagnosis.measuring.view import Plane

Doubles = NDArray[np.float64]

SIDE = 128
"""Side of the parts; smaller ones blur what is narrow, in larger ones bent waves do."""


def power_spectrum(plane: Plane) -> Doubles:
    """Return Welch's estimate (IEEE Trans. Audio Electroacoustics, 1967) of the power of each frequency.

    White noise of variance v has power v everywhere.

    Args:
        plane: (H, W), any range.

    Returns:
        (min(H, SIDE), min(W, SIDE)), in the order of `fft2`.
    """
    height, width = (min(length, SIDE) for length in plane.shape)
    window = np.outer(*(np.hanning(length + 2)[1:-1] for length in (height, width))).astype(np.float32)
    window /= np.sqrt(np.square(window).sum())
    weights = window / window.sum()
    total = np.zeros((height, width // 2 + 1))
    tops, lefts = _starts(plane.shape[0], height), _starts(plane.shape[1], width)
    for top in tops:
        for left in lefts:
            part = plane[top : top + height, left : left + width]
            total += np.square(np.abs(fft.rfft2((part - (part * weights).sum()) * window)))
    half = total / (len(tops) * len(lefts))
    return _whole(half, width)


def _starts(length: int, side: int) -> list[int]:
    count = max(-(-2 * (length - side) // side), 0) + 1
    return [round(place) for place in np.linspace(0, length - side, count)]


def _whole(half: Doubles, width: int) -> Doubles:
    mirrored = np.roll(half[::-1], 1, axis=0)[:, 1 : (width + 1) // 2][:, ::-1]
    return np.concatenate([half, mirrored], axis=1)


def frequencies(shape: tuple[int, ...]) -> tuple[Doubles, Doubles]:
    """Return down (H, 1) and across (1, W) in waves per pixel, in the order of `fft2`."""
    return fft.fftfreq(shape[0])[:, None], fft.fftfreq(shape[1])[None, :]
