"""How well a blur explains an image's power spectrum: a fit of everything else that shapes it.

The model of the spectrum is exp(a - b log f + c log^2 f + turns) |K(f)|^2 + n: the power of sharp photographs
falls as f^-b with b near 2 (Field, JOSA A 1987; van der Schaaf, van Hateren, Vision Research 1996), more in
some directions than in others, a blur K takes its share, and n is white noise, of which rounding to 8 bits
leaves a little in every file. All but K are fitted here, in closed form turn by turn; K is the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from restorecli.diagnosis.measuring.spectrum import frequencies, power_spectrum
from restorecli.diagnosis.measuring.view import LUMA, View

Doubles = NDArray[np.float64]

_LOWEST, _HIGHEST = 0.015, 0.5
"""Waves per pixel between which spectra are compared."""

REFERENCE_FREQUENCY = 0.1
"""Waves per pixel at which levels are given."""

_FINE = 0.1
"""Waves per pixel beyond which every third place stands for all three."""

_FALL = 1.5
"""Exponent with which the weight of a place falls: what photographs differ in is the same in every octave."""

_EXPECTED = np.array([0.0, 2.3, 0.0, 0.0, 0.0, 0.0, 0.0])
_SPREAD = np.array([1e3, 0.35, 0.1, 0.5, 0.5, 0.5, 0.5])
_PRIOR_WEIGHT = 1e-3
"""What photographs have for a, b, c and the turns, how far they are from it, and what that weighs."""

_FLOOR_PERCENTILE = 4
_MAX_TURNS = 8
_SETTLED = 0.01
_TINY = 1e-5
_MIN_GAIN = 1e-12
_FADED = 6.0
"""Natural logarithms below the largest gain at which nothing of an image can be expected to be seen."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How well a blur explains a spectrum.

    Attributes:
        misfit: Mean robust square of the distance from the model, in natural logarithms, with a penalty for a
            sharp image's spectrum unlike that of photographs.
        noise: Deviation of the white noise in each channel, 0-255 scale.
        level: Power of the sharp image at the frequency `REFERENCE_FREQUENCY`, 0-255 scale squared.
        slope: b.
    """

    misfit: float
    noise: float
    level: float
    slope: float


class SpectrumModel:
    """The spectrum of one image, and what it may be without a blur.

    Args:
        view: Of an image whose sides are at least 32 px.
    """

    def __init__(self, view: View) -> None:
        # White noise of each channel, mixed to luma, is less.
        self._share = 1.0 if view.is_gray else float(np.linalg.norm(LUMA))
        power = power_spectrum(view.luma)
        self._shape = power.shape
        down, across = np.broadcast_arrays(*frequencies(power.shape))
        radius = np.hypot(down, across)
        self._chosen = _half_plane(down, across, radius)
        self._logs = np.log(power[self._chosen] + _TINY)
        place = radius[self._chosen]
        weights = np.where(place < _FINE, 1.0, 3.0) * place**-_FALL
        self._weights = weights / weights.sum()
        self._basis = _basis(place, np.arctan2(down, across)[self._chosen])
        self._precision = _PRIOR_WEIGHT / np.square(_SPREAD)
        self._first_floor = float(np.percentile(self._logs, _FLOOR_PERCENTILE))

    def explain(self, kernel: Doubles) -> Explanation:
        """Fit the model for one kernel: iterated least squares with weights for a robust loss.

        The loss is 2 (sqrt(1 + r^2) - 1) of residuals r (Charbonnier et al., IEEE TIP 1997).

        Args:
            kernel: (2 a + 1, 2 b + 1) that sums to 1.
        """
        gain = np.log(self._gain(kernel) + _MIN_GAIN)
        seen = self._weights * (gain > gain.max() - _FADED)
        shape = _EXPECTED.copy()
        shape[0] = np.average(self._logs - gain - self._basis @ shape, weights=seen)
        floor = self._first_floor
        for _ in range(_MAX_TURNS):
            step = self._step(gain, shape, floor)
            shape = shape + np.clip(step[:-1], -3, 3)
            floor += float(np.clip(step[-1], -1, 1))
            if np.abs(step).max() < _SETTLED:
                break
        residual = self._logs - np.logaddexp(self._basis @ shape + gain, floor)
        loss = self._weights @ (2 * (np.sqrt(1 + np.square(residual)) - 1))
        penalty = self._precision @ np.square(shape - _EXPECTED)
        noise = float(np.exp(floor / 2)) / self._share
        return Explanation(float(loss + penalty), noise, float(np.exp(shape[0])), float(shape[1]))

    def _step(self, gain: Doubles, shape: Doubles, floor: float) -> Doubles:
        """Return by how much the sharp image's coefficients and the logarithm of n should change."""
        signal = self._basis @ shape + gain
        model = np.logaddexp(signal, floor)
        share = np.exp(signal - model)
        residual = self._logs - model
        weights = self._weights / np.sqrt(1 + np.square(residual))
        slopes = np.concatenate([self._basis * share[:, None], (1 - share)[:, None]], axis=1)
        normal = (slopes * weights[:, None]).T @ slopes
        normal[np.diag_indices(len(normal))] += [*self._precision, 1e-6]
        wanted = slopes.T @ (weights * residual)
        wanted[:-1] += self._precision * (_EXPECTED - shape)
        return np.asarray(np.linalg.solve(normal, wanted))

    def _gain(self, kernel: Doubles) -> Doubles:
        """Return |K|^2 at the chosen places, smoothed as the spectrum is.

        The expectation of a Welch spectrum with Hann windows is the true one, convolved with (1, 4, 1) / 6
        along both axes (Harris, Proc. IEEE 1978).
        """
        wrapped = np.zeros(self._shape)
        rows, columns = (
            (np.arange(side) - side // 2) % whole
            for side, whole in zip(kernel.shape, self._shape, strict=True)
        )
        np.add.at(wrapped, (rows[:, None], columns[None, :]), kernel)
        gain = np.square(np.abs(fft.fft2(wrapped)))
        for axis in (0, 1):
            gain = (np.roll(gain, 1, axis) + 4 * gain + np.roll(gain, -1, axis)) / 6
        return np.asarray(gain[self._chosen])


def _half_plane(down: Doubles, across: Doubles, radius: Doubles) -> NDArray[np.bool_]:
    """Choose every place at low frequencies and every third further out, in half of the plane."""
    rows, columns = np.indices(radius.shape)
    half = (across > 0) | ((across == 0) & (down > 0))
    inside = (radius > _LOWEST) & (radius < _HIGHEST)
    return np.asarray(half & inside & ((radius < _FINE) | ((rows + 2 * columns) % 3 == 0)))


def _basis(radius: Doubles, angle: Doubles) -> Doubles:
    """Return (n, 7): 1, -log f, log^2 f, and waves once and twice round the half circle."""
    logs = np.log(radius / REFERENCE_FREQUENCY)
    waves = [wave(turns * angle) for turns in (2, 4) for wave in (np.cos, np.sin)]
    return np.stack([np.ones_like(logs), -logs, np.square(logs), *waves], axis=1)
