"""Whether an image is blurred at all, and whether its kernel can be told from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

MIN_SMOOTHNESS = 3.15
"""Below it an image is sharp: photographs of BSDS400 have 1.7 to 3.0, with 8-bit noise of 2.55 too; blurred
by a Gaussian of 1 px 3.3 to 3.7, of 3 px 3.8 to 5, by motion of 9 or 15 px 3.3 to 5.7."""

_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))


def smoothness(luma: Doubles) -> float:
    """Return how smooth an image is in the direction in which it is smoothest.

    With S(d) the mean squared difference of pixels d apart less that of the noise, it is S(2) / S(1): 1 where
    neighbors have nothing to do with each other, 2 for steps and other random walks, 4 for slopes, which is
    what blur makes of both.

    Args:
        luma: (H, W) in [0, 1].
    """
    import torch  # a second, which lists of methods have not

    from restorecli.core.ops.noise_level import estimate_noise

    noise = 2 * (float(estimate_noise(torch.from_numpy(luma)[None, None])[0]) / 255) ** 2
    return max(
        max(_difference(luma, 2 * down, 2 * right) - noise, 0.0)
        / max(_difference(luma, down, right) - noise, 1e-9)
        for down, right in _DIRECTIONS
    )


def likeness(one: Doubles, other: Doubles) -> float:
    """Return the largest correlation of two kernels over all shifts, divided by their norms; 1 for equal."""
    from scipy import signal  # half a second, which lists of methods have not

    largest = signal.fftconvolve(one, other[::-1, ::-1]).max()
    return float(largest / np.sqrt((one**2).sum() * (other**2).sum()))


def halves(luma: Doubles, overlap: int) -> tuple[Doubles, Doubles]:
    """Return both halves along the longer side, which share `overlap` pixels."""
    across = luma if luma.shape[1] >= luma.shape[0] else luma.T
    middle, shared = across.shape[1] // 2, overlap // 2
    first, second = across[:, : middle + shared], across[:, middle - shared :]
    return (first, second) if across is luma else (first.T, second.T)


def _difference(luma: Doubles, down: int, right: int) -> float:
    """Return the mean squared difference of pixels (down, right) apart; down is 0 or more."""
    if right < 0:
        luma, right = luma[:, ::-1], -right
    height, width = luma.shape
    return float(np.square(luma[down:, right:] - luma[: height - down, : width - right]).mean())
