"""Linear operators of degradations, each with its adjoint: what methods that invert a model need to know.

An image y = A x + n was made from x by a linear operator A and noise n. Blur and reduction are one kind of
operator here: a convolution with a point spread, of whose result every `factor`-th pixel is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.catalog import from_record
from restorecli.degradation.families.blur import (
    Defocus,
    GaussianBlur,
    MotionBlur,
    disc_kernel,
    gaussian_weights,
    motion_kernel,
)
from restorecli.degradation.families.holes import Holes
from restorecli.degradation.families.noise import Gaussian
from restorecli.degradation.families.resize import Downscale, Planes, cubic, cut_to_multiples
from restorecli.degradation.families.scratches import Scratches
from restorecli.errors import UsageError

Doubles = NDArray[np.float64]

_WITHOUT_NOISE = (GaussianBlur, MotionBlur, Defocus, Downscale, Holes, Scratches)
"""What adds no noise to the pixels that it leaves."""

_PAD_MODES: Mapping[str, Literal["symmetric", "wrap"]] = {"mirror": "symmetric", "circular": "wrap"}


class Operator(Protocol):
    """A linear map of images (C, H, W), float32 or float64, and its adjoint.

    The law that every operator obeys: <forward(x), y> = <x, adjoint(y)> for all x and y.
    """

    @property
    def factor(self) -> int:
        """By how much the sides shrink; 1 unless the image gets smaller."""

    def forward(self, x: Planes) -> Planes:
        """Return A x in the type of `x`; sides are cut to multiples of the factor first."""

    def adjoint(self, y: Planes) -> Planes:
        """Return A^T y in the type of `y`, its sides times the factor."""


@dataclass(frozen=True, eq=False)
class PointSpread:
    """The image of a point of light: what a convolution puts in place of every pixel.

    Attributes:
        kernel: (a, b) float64, of any size.
        center: Row and column of `kernel` that fall on the point itself.
    """

    kernel: Doubles
    center: tuple[int, int]

    @classmethod
    def centered(cls, kernel: NDArray[np.floating]) -> PointSpread:
        """Return the spread whose point is the middle of `kernel` (before it where a side is even)."""
        rows, columns = kernel.shape
        return cls(np.asarray(kernel, np.float64), ((rows - 1) // 2, (columns - 1) // 2))

    @property
    def mirrors(self) -> bool:
        """Whether it is its own mirror image about its center, along both axes.

        An image that is mirrored at its border then stays mirrored when it is convolved.
        """
        odd = all(side == 2 * middle + 1 for side, middle in zip(self.kernel.shape, self.center, strict=True))
        if not odd:
            return False
        flips = (self.kernel[::-1], self.kernel[:, ::-1])
        return all(np.allclose(self.kernel, flip, atol=1e-9) for flip in flips)

    @property
    def odd(self) -> Doubles:
        """The kernel with zeros around it, so that its sides are odd and the point lies in the middle."""
        reach = [max(at, side - 1 - at) for side, at in zip(self.kernel.shape, self.center, strict=True)]
        margins = [
            (far - at, far - (side - 1 - at))
            for far, side, at in zip(reach, self.kernel.shape, self.center, strict=True)
        ]
        return np.pad(self.kernel, margins)

    def transfer(self, shape: tuple[int, int], *, half: bool = False) -> NDArray[np.complex128]:
        """Return the factors by which a circular convolution on `shape` multiplies the Fourier coefficients.

        (H, W) as `scipy.fft.fft2` orders them, or `rfft2` for `half`. A kernel larger than `shape` is wrapped
        round.
        """
        from scipy import fft

        wrapped = np.zeros(shape)
        rows = (np.arange(self.kernel.shape[0]) - self.center[0]) % shape[0]
        columns = (np.arange(self.kernel.shape[1]) - self.center[1]) % shape[1]
        np.add.at(wrapped, (rows[:, None], columns[None, :]), self.kernel)
        spectrum: NDArray[np.complex128] = fft.rfft2(wrapped) if half else fft.fft2(wrapped)
        return spectrum

    def then(self, second: PointSpread, step: int) -> PointSpread:
        """Return the spread of this one, followed by `second` on every `step`-th pixel."""
        rows, columns = second.kernel.shape
        stretched = np.zeros(((rows - 1) * step + 1, (columns - 1) * step + 1))
        stretched[::step, ::step] = second.kernel
        center = tuple(a + step * b for a, b in zip(self.center, second.center, strict=True))
        from scipy import signal  # half a second, which shell completion has not

        return PointSpread(signal.convolve2d(self.kernel, stretched), (center[0], center[1]))


@dataclass(frozen=True, eq=False)
class Convolution:
    """Convolution with a point spread, of which every `factor`-th pixel of both axes is kept.

    Attributes:
        spread: The point spread.
        factor: 1 for blur.
        boundary: "mirror" repeats the image mirrored beyond its border, edge pixel included, as the
            degradations do; "circular" repeats it as it is.
    """

    spread: PointSpread
    factor: int = 1
    boundary: Literal["mirror", "circular"] = "mirror"

    def forward(self, x: Planes) -> Planes:
        """Return the blurred, reduced image; see `Operator`."""
        cut = cut_to_multiples(x, self.factor)
        padded = np.pad(cut, ((0, 0), *self._margins()), mode=_PAD_MODES[self.boundary])
        full = _convolved(padded.astype(np.float64), self.spread.kernel, "valid")
        kept: Planes = full[:, :: self.factor, :: self.factor].astype(x.dtype)
        return kept

    def adjoint(self, y: Planes) -> Planes:
        """Return the image spread back: zeros in between, correlation, what lies beyond folded in."""
        rows, columns = (side * self.factor for side in y.shape[1:])
        spaced = np.zeros((y.shape[0], rows, columns))
        spaced[:, :: self.factor, :: self.factor] = y
        flipped = self.spread.kernel[::-1, ::-1]
        full = _convolved(spaced, flipped, "full")
        for axis, margin in zip((1, 2), self._margins(), strict=True):
            full = _fold(full, margin, axis, _PAD_MODES[self.boundary])
        result: Planes = full.astype(y.dtype)
        return result

    def then(self, second: Convolution) -> Convolution:
        """Return this operator followed by `second`, as one.

        It is exact away from the border, and at a mirrored border too where both spreads mirror.
        """
        spread = self.spread.then(second.spread, self.factor)
        return Convolution(spread, self.factor * second.factor, self.boundary)

    def _margins(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return for rows and columns how many pixels before and behind the image decide about it."""
        (rows, columns), (row, column) = self.spread.kernel.shape, self.spread.center
        return (rows - 1 - row, row), (columns - 1 - column, column)


def _convolved(planes: Doubles, kernel: Doubles, mode: Literal["valid", "full"]) -> Doubles:
    """Convolve every plane of (C, H, W) with a kernel, by FFT."""
    from scipy import signal  # half a second, which shell completion has not

    full: Doubles = signal.fftconvolve(planes, kernel[None], mode, axes=(1, 2))
    return full


def _fold(padded: Doubles, margin: tuple[int, int], axis: int, mode: Literal["symmetric", "wrap"]) -> Doubles:
    """Add what lies beyond the border to the pixels that padding would have put there."""
    moved = np.moveaxis(padded, axis, 0)
    length = moved.shape[0] - sum(margin)
    index = np.pad(np.arange(length), margin, mode=mode)
    folded = np.zeros((length, *moved.shape[1:]))
    np.add.at(folded, index, moved)
    return np.moveaxis(folded, 0, axis)


def reduction_spread(factor: int) -> PointSpread:
    """Return the point spread of the antialiased bicubic reduction (`Downscale`) by a whole factor.

    Output pixel j lies at (j + 1/2) factor - 1/2, so the spread of an even factor has its middle between two
    pixels.
    """
    middle = (factor - 1) / 2
    first, last = math.ceil(middle - 2 * factor), math.floor(middle + 2 * factor)
    weights = cubic((np.arange(first, last + 1) - middle) / factor)
    weights /= weights.sum()
    # A convolution meets its weights in reverse; they are symmetric, so that only the center moves.
    return PointSpread(np.outer(weights, weights), (last, last))


def spread_of(step: object) -> PointSpread | None:
    """Return the point spread of a degradation (blur or reduction), or None for any other.

    Raises:
        UsageError: It blurs light instead of sRGB values, which is not linear here.
    """
    if isinstance(step, GaussianBlur):
        weights = gaussian_weights(step.sigma)
        return PointSpread.centered(np.outer(weights, weights))
    if isinstance(step, MotionBlur):
        return PointSpread.centered(motion_kernel(step.length, step.angle, step.sigma))
    if isinstance(step, Defocus):
        if step.linear:
            raise UsageError(
                "A blur of light is not linear in sRGB values.", expected="defocus.linear=false", got="true"
            )
        return PointSpread.centered(disc_kernel(step.radius, step.edge))
    return reduction_spread(step.factor) if isinstance(step, Downscale) else None


def operator_of(steps: Sequence[Mapping[str, Any]]) -> Convolution | None:
    """Return the linear operator of the degradations that a manifest's line records.

    Blur and reduction make the operator, in their order; every other step (noise, JPEG ...) is skipped.

    Args:
        steps: Mappings with `name` and parameters, as `Record.degradations` holds them.

    Returns:
        One convolution, or None where no step is linear.

    Raises:
        UsageError: A step that this version does not know, or a blur of light.

    Example:
        >>> steps = [{"name": "gaussian-blur", "sigma": 1.0}, {"name": "gaussian", "sigma": 25.0}]
        >>> operator = operator_of(steps)
        >>> operator.factor, operator.spread.odd.shape
        (1, (9, 9))
    """
    operator: Convolution | None = None
    for record in steps:
        step = from_record(record)
        spread = spread_of(step)
        if spread is not None:
            following = Convolution(spread, step.scale)
            operator = following if operator is None else operator.then(following)
    return operator


def noise_of(steps: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the level of the Gaussian noise that a manifest's line records, on the 0-255 scale.

    Several steps of Gaussian noise add up by their squares; 0 where there is none. Where pixels are lost it
    is that of the others.

    Returns:
        sigma, or None where a step is neither Gaussian noise nor linear nor a loss of pixels, so that nothing
        says how strong the noise is.

    Raises:
        UsageError: A step that this version does not know.

    Example:
        >>> noise_of([{"name": "gaussian", "sigma": 3.0}, {"name": "gaussian", "sigma": 4.0}])
        5.0
    """
    variance = 0.0
    for record in steps:
        step = from_record(record)
        if isinstance(step, Gaussian):
            variance += step.sigma**2
        elif not isinstance(step, _WITHOUT_NOISE):
            return None
    return math.sqrt(variance)
