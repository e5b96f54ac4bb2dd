"""Hopfield network (Zhou et al., 1988).

An image of whole gray levels settles where no neuron wants to change any more.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.degradation.operators import Convolution
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.deconvolution import ROUNDING, blur_of

Doubles = NDArray[np.float64]

SMOOTHNESS = np.array([[1, 4, 1], [4, -20, 4], [1, 4, 1]]) / 6
"""D: the Laplacian that the network's energy charges for."""

_LEVELS = 255
_MIN_GAIN = 1e-6  # of energy in squared gray levels: what is less may be rounding


class Energy:
    """E(x) = |y - H x|^2 / 2 + weight |D x|^2 / 2 of an image x, and its neurons' drives.

    Args:
        observed: y, (C, H, W) on the 0-255 scale.
        blur: H, mirrored at its border, or None for no blur.
        weight: Of smoothness, at least 0.
    """

    def __init__(self, observed: Doubles, blur: Convolution | None, weight: float) -> None:
        self.observed = observed
        self.blur = blur
        self.weight = weight

    def __call__(self, x: Doubles) -> float:
        """Return the energy, summed over channels."""
        misfit = np.square(self.observed - self._blurred(x)).sum()
        return float(0.5 * misfit + 0.5 * self.weight * np.square(self._bent(x)).sum())

    def drive(self, x: Doubles) -> Doubles:
        """Return u = H^T (y - H x) - weight D^T D x, the negative gradient: (C, H, W)."""
        return self._spread(self.observed - self._blurred(x)) - self.weight * self._bent(self._bent(x))

    def coupling(self, x: Doubles) -> Doubles:
        """Return (H^T H + weight D^T D) x, the network's weights with their sign turned, times x."""
        return self._spread(self._blurred(x)) + self.weight * self._bent(self._bent(x))

    def lattices(self) -> Iterator[tuple[slice, slice]]:
        """Yield sub-lattices that cover the image; within one, no pixel drives another."""
        sides = SMOOTHNESS.shape
        if self.blur is not None:
            sides = tuple(max(pair) for pair in zip(sides, self.blur.spread.odd.shape, strict=True))
        for row, column in itertools.product(*(range(side) for side in sides)):
            yield slice(row, None, sides[0]), slice(column, None, sides[1])

    def self_coupling(self) -> Doubles:
        """Return -T_ii, how much each neuron works against itself: (H, W)."""
        own = np.zeros(self.observed.shape[1:])
        for rows, columns in self.lattices():
            marked = np.zeros_like(own)
            marked[rows, columns] = 1
            own[rows, columns] = self.coupling(marked[None])[0, rows, columns]
        return own

    def _blurred(self, x: Doubles) -> Doubles:
        return x if self.blur is None else self.blur.forward(x)

    def _spread(self, x: Doubles) -> Doubles:
        return x if self.blur is None else self.blur.adjoint(x)

    def _bent(self, x: Doubles) -> Doubles:
        # Mirrored at the border, edge pixel included, D is its own adjoint.
        bent: Doubles = ndimage.convolve(x, SMOOTHNESS[None], mode="reflect")
        return bent


def settle(
    energy: Energy,
    start: Doubles,
    *,
    step: str,
    sweeps: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Doubles, list[float]]:
    """Change gray levels, one sub-lattice after another, as long as every change lowers the energy.

    A neuron driven by u changes by dx: by the sign of u, or by the best whole number round(u / -T_ii). The
    energy check accepts it only where u dx + T_ii dx^2 / 2 > 0, since T_ii < 0 could undo what u promises.

    Args:
        energy: What to lower.
        start: (C, H, W) whole numbers in 0..255.
        step: "unit" or "best".
        sweeps: Sweeps over the image at most.
        on_progress: Called with sweeps done and the most there can be.

    Returns:
        The settled image, and the energy at the start and after every sweep.
    """
    state = start.copy()
    own = energy.self_coupling()
    energies = [energy(state)]
    for sweep in range(sweeps):
        if on_progress is not None:
            on_progress(sweep, sweeps)
        changed = False
        for rows, columns in energy.lattices():
            drive, against = energy.drive(state)[:, rows, columns], own[rows, columns]
            wanted = np.sign(drive) if step == "unit" else np.rint(drive / np.maximum(against, 1e-12))
            before = state[:, rows, columns]
            change = np.clip(before + wanted, 0, _LEVELS) - before
            gain = drive * change - 0.5 * against * np.square(change)
            accepted = np.where(gain > _MIN_GAIN, change, 0)
            state[:, rows, columns] += accepted
            changed = changed or bool(accepted.any())
        energies.append(energy(state))
        if not changed:
            break
    return state, energies


@dataclass(frozen=True)
class Hopfield(Method):
    """A network of binary neurons whose sum at each pixel is its gray level, 0..255, at rest.

    Its energy is |y - H x|^2 / 2 + smoothness |D x|^2 / 2 with the Laplacian D. Pixels change in turn, by
    whole gray levels, only where that lowers the energy, until none does: a change of any pixel by one level
    would then raise it. Pixels that do not influence each other change at once, which is the same as one
    after another. Without a known blur, H is the identity and the method removes noise. Every channel is a
    network of its own.

    Where `smoothness` is 0 it follows the noise: `gain` times its variance on the [0, 1] scale. Its cost
    grows with the area of the kernel.
    """

    name = "hopfield"
    summary = "Hopfield network: deblurring or denoising in whole gray levels"
    reference = (
        "Zhou, Chellappa, Vaid and Jenkins, Image restoration using a neural network, IEEE TASSP 1988; best "
        "steps and sub-lattices are ours, as is `gain`"
    )
    needs: ClassVar = frozenset({"operator?", "sigma?"})

    smoothness: float = parameter(0.0, low=0, high=1e4, help="weight of |D x|^2; 0 follows the noise")
    gain: float = parameter(
        60.0, low=0, high=1e6, draw="log 5..500", help="smoothness for noise of variance 1, where it is 0"
    )
    step: str = parameter("best", choices=("best", "unit"), help="whole levels at once, or one (as in 1988)")
    sweeps: int = parameter(200, low=1, high=100000, help="sweeps over the image at most")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the settled image; see the base class."""
        blur = None if context.operator is None else blur_of(context)
        weight = self.smoothness or self.gain * (max(sigma_of(pixels, context), ROUNDING) / 255) ** 2
        observed = pixels.astype(np.float64) * _LEVELS
        start = np.clip(np.rint(observed), 0, _LEVELS)
        energy = Energy(observed, blur, weight)
        state, energies = settle(
            energy, start, step=self.step, sweeps=self.sweeps, on_progress=context.on_progress
        )
        context.note({"sweeps": len(energies) - 1, "energy": round(energies[-1], 1)})
        return (state / _LEVELS).astype(np.float32)
