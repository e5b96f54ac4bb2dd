"""Deblurring with a known kernel: inverse filter, Wiener, Richardson-Lucy, unsupervised Wiener.

Each works channel by channel. What lies beyond the border is said in `classical.boundaries`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from skimage import restoration

from restorecli.degradation.operators import Convolution, PointSpread
from restorecli.diagnosis.measuring.spectrum_model import REFERENCE_FREQUENCY, SpectrumModel
from restorecli.diagnosis.measuring.view import view_of
from restorecli.errors import ImageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import Method, parameter, unknown
from restorecli.restoration.methods.classical.boundaries import (
    BOUNDARIES,
    SIMPLE_BOUNDARIES,
    Doubles,
    each_plane,
    place_of,
    resolve_boundary,
)

Spectrum = NDArray[np.complex128]

_KERNEL_HINT = "--operator gaussian-blur:sigma=1.6, or --operator KERNEL.png"
_BOUNDARY_HELP = "what lies beyond the border"

LAPLACIAN = PointSpread.centered(np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]))
"""The second difference; its transfer function is 0 for flat images."""

_EPSILON = 1e-6
"""Stands in for 0 where the method divides or multiplies."""

_FIRST_BALANCE = 1.0

_MIN_SIDE = 32
"""Pixels of a side that are needed to measure an image's spectrum."""

ROUNDING = 1 / np.sqrt(12)
"""Noise of rounding to 8 bits on the 0-255 scale: less is never assumed of a file."""


def blur_of(context: Context) -> Convolution:
    """Return the blur that made an image.

    Raises:
        ImageError: It is not known, or is no blur alone.
    """
    operator = context.operator
    if operator is None:
        raise unknown("which kernel blurred the image", _KERNEL_HINT)
    if not isinstance(operator, Convolution) or operator.factor != 1:
        raise ImageError(
            "This method undoes blur only.",
            expected="a blur kernel",
            got=f"an operator that reduces by {operator.factor}",
            hint="--model back-projection or --model pnp undo reductions",
        )
    return operator


def pseudo_inverse(spectrum: Spectrum, least: float) -> Spectrum:
    """Return 1 / K where |K| reaches `least`, else 0."""
    kept = np.abs(spectrum) >= least
    inverse: Spectrum = np.zeros_like(spectrum)
    inverse[kept] = 1 / spectrum[kept]
    return inverse


def wiener_filter(spectrum: Spectrum, noise_to_signal: float | NDArray[np.float64]) -> Spectrum:
    """Return conj(K) / (|K|^2 + noise to signal ratio of the power spectra)."""
    weight = np.abs(spectrum) ** 2 + noise_to_signal
    filtered: Spectrum = (np.conj(spectrum) / np.maximum(weight, np.finfo(float).tiny)).astype(np.complex128)
    return filtered


def _filtered(plane: Doubles, transfer: Spectrum) -> Doubles:
    result: Doubles = fft.irfft2(fft.rfft2(plane) * transfer, s=plane.shape)
    return result


@dataclass(frozen=True)
class Expectation:
    """The ratio of noise to signal at every frequency.

    Attributes:
        balance: Its scale.
        rough: Its shape: from the sides of a plane to (H, W // 2 + 1), in the order of `rfft2`.
    """

    balance: float
    rough: Callable[[tuple[int, int]], Doubles]

    def ratio(self, shape: tuple[int, int]) -> Doubles:
        """Return the ratio for planes of (H, W)."""
        return self.balance * self.rough(shape)


@dataclass(frozen=True)
class Inverse(Method):
    """Pseudo-inverse filter: frequencies that the blur left are divided by what was left of them.

    Frequencies of which less than `least` is left become 0. Where `least` is 0 it follows the noise: `gain`
    times its level to the power of 0.75. On images of BSDS400, with Gaussian blur of 1 and 1.6 px, motion
    of 9 px and noise from 0.3 (rounding) to 10, the best gain is between 0.055 (Gaussian) and 0.1 (motion).
    The boundary "auto" is "mirror" where the kernel is its own mirror image, else "taper", which was 1 dB
    better for motion.
    """

    name = "inverse"
    summary = "deblurring by dividing spectra; for images with hardly any noise"
    reference = "textbook; gain chosen on training photographs"
    needs: ClassVar = frozenset({"operator", "sigma?"})

    least: float = parameter(
        0.0, unit="share", low=0, high=1, help="least |K| that is inverted; 0 follows the noise"
    )
    gain: float = parameter(
        0.07, low=0, high=10, draw="log 0.01..0.5", help="least for noise of sigma 1, where it is 0"
    )
    rim: str = parameter("auto", choices=("auto", *SIMPLE_BOUNDARIES), help=_BOUNDARY_HELP)

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the deblurred image; see the base class."""
        spread = blur_of(context).spread
        boundary = resolve_boundary(self.rim, spread, otherwise="taper")
        least = self.least or min(self.gain * max(sigma_of(pixels, context), ROUNDING) ** 0.75, 1.0)

        def change(plane: Doubles) -> Doubles:
            return _filtered(plane, pseudo_inverse(spread.transfer(_shape(plane), half=True), least))

        return each_plane(pixels, spread, boundary, change)


@dataclass(frozen=True)
class WienerDeconvolution(Method):
    """Wiener filter: X = conj(K) Y / (|K|^2 + balance R).

    R is the squared transfer function of the Laplacian (the image's spectrum falls as that of a natural
    image: scikit-image's `wiener`) or 1 (the textbook's constant ratio of noise to signal). Where `balance`
    is 0 it follows from the noise: `gain` times its variance on the [0, 1] scale; 60 is the best of 5, 20, 60
    and 200 on 8 images of BSDS400, for three kernels and three levels of noise.

    With the prior "measured" R is (f / 0.1)^b, f in waves per pixel, and the balance the ratio of noise to
    signal at f = 0.1: the power law and the noise that explain this image's own spectrum best
    (`diagnosis.measuring.spectrum_model`). On 5 images of BSDS400 it was 0.4 to 0.8 dB better than the
    Laplacian. Images under 32 px get the Laplacian.

    Where nothing is known of what lies beyond the border the surroundings are estimated by turns with the
    image, `turns` times: accelerated after Nesterov, with a balance that falls to its own from
    `_FIRST_BALANCE`. With a first balance of 0.01 motion of 41 px ended below the blurred image, 11 dB lower
    than with 1. A boundary "auto" is "mirror" where the kernel is its own mirror image, else "unknown".
    """

    name = "wiener-deconv"
    summary = "deblurring by the Wiener filter"
    reference = (
        "Hunt, Deconvolution of linear systems by constrained regression, 1972; as scikit-image's wiener"
    )
    needs: ClassVar = frozenset({"operator", "sigma?"})

    balance: float = parameter(0.0, low=0, high=1e6, help="weight of smoothness; 0 follows the noise")
    prior: str = parameter(
        "laplacian", choices=("laplacian", "flat", "measured"), draw="any", help="expected spectrum"
    )
    gain: float = parameter(
        60.0, low=1e-6, high=1e6, draw="log 2..1000", help="balance for noise of variance 1, where it is 0"
    )
    rim: str = parameter("auto", choices=BOUNDARIES, help=_BOUNDARY_HELP)
    turns: int = parameter(16, low=1, high=1000, help="estimates of what lies beyond an unknown border")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the deblurred image; see the base class."""
        spread = blur_of(context).spread
        expected = self._expected(pixels, context, spread)
        boundary = resolve_boundary(self.rim, spread)
        place = place_of(pixels)

        def change(plane: Doubles) -> Doubles:
            if boundary == "unknown":
                return self.by_turns(plane, place, spread, expected)[0]
            spectrum = spread.transfer(_shape(plane), half=True)
            return _filtered(plane, wiener_filter(spectrum, expected.ratio(_shape(plane))))

        return each_plane(pixels, spread, boundary, change)

    def expectation(self, pixels: Pixels, context: Context) -> Expectation:
        """Return the ratio of noise to signal of the priors that are not measured."""
        balance = self.balance or self.gain * (max(sigma_of(pixels, context), ROUNDING) / 255) ** 2
        return Expectation(balance, _ones if self.prior == "flat" else _steepness)

    def _expected(self, pixels: Pixels, context: Context, spread: PointSpread) -> Expectation:
        if self.prior != "measured" or min(pixels.shape[1:]) < _MIN_SIDE:
            return self.expectation(pixels, context)
        view = view_of(pixels)
        found = SpectrumModel(view).explain(spread.odd)
        noise = found.noise if context.sigma is None else context.sigma
        balance = self.balance or max(noise, ROUNDING) ** 2 / found.level
        # Of a tiny image the spectrum may seem to rise; that of what is there to see does not.
        return Expectation(balance, partial(_power_law, max(found.slope, 0.0)))

    def by_turns(
        self, extended: Doubles, place: tuple[slice, slice], spread: PointSpread, expected: Expectation
    ) -> tuple[Doubles, Doubles]:
        """Deblur a plane whose surroundings are not known, and estimate these from the result, by turns.

        A turn is a step of expectation-maximization: what lies outside `place` is what the last result,
        blurred again, has there. From turn to turn it goes on in the direction of its last change.

        Args:
            extended: (H', W'), the plane with a first guess around it.
            place: Where it is known.
            spread: What blurred it.
            expected: Ratio of noise to signal; its balance is that of the last turn.

        Returns:
            The deblurred plane, and the blurred one with its estimated surroundings; both (H', W').
        """
        spectrum = spread.transfer(_shape(extended), half=True)
        rough = expected.rough(_shape(extended))
        plane = before = restored = extended
        known, time = extended[place].copy(), 1.0
        for weight in np.geomspace(max(expected.balance, _FIRST_BALANCE), expected.balance, self.turns):
            restored = _filtered(plane, wiener_filter(spectrum, weight * rough))
            again = _filtered(restored, spectrum)
            again[place] = known
            following = (1 + np.sqrt(1 + 4 * time * time)) / 2
            plane = again + (time - 1) / following * (again - before)
            before, time = again, following
        return restored, before


def _steepness(shape: tuple[int, int]) -> Doubles:
    return np.asarray(np.abs(LAPLACIAN.transfer(shape, half=True)) ** 2)


def _ones(shape: tuple[int, int]) -> Doubles:
    return np.ones((shape[0], shape[1] // 2 + 1))


def _power_law(slope: float, shape: tuple[int, int]) -> Doubles:
    from scipy import fft

    radius = np.hypot(fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :])
    # The mean is kept as it is.
    ratio = np.zeros(radius.shape)
    np.power(radius / REFERENCE_FREQUENCY, slope, out=ratio, where=radius > 0)
    return ratio


def _shape(plane: Doubles) -> tuple[int, int]:
    return plane.shape[0], plane.shape[1]


@dataclass(frozen=True)
class RichardsonLucy(Method):
    """Richardson-Lucy: x <- x . A^T(y / A x) / A^T 1, which keeps x positive and climbs Poisson's likelihood.

    A mirrors the image at its border and A^T is its exact adjoint, so that nothing dark leaks in from
    outside. More iterations are sharper and noisier. Where their number is 0 they go on until what is left, y
    - A x, is as small as the noise (the discrepancy principle), at most `most` times.
    """

    name = "richardson-lucy"
    summary = "deblurring by Richardson-Lucy iterations"
    reference = "Richardson, JOSA 1972; Lucy, Astronomical Journal 1974"
    needs: ClassVar = frozenset({"operator", "sigma?"})

    iterations: int = parameter(
        0, low=0, high=10_000, draw="log 3..100", help="iterations; 0 stops at the noise level"
    )
    most: int = parameter(50, low=1, high=10_000, help="most iterations, where their number is 0")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the deblurred image; see the base class."""
        blur = blur_of(context)
        level = max(sigma_of(pixels, context), ROUNDING) / 255
        y = np.maximum(pixels.astype(np.float64), 0)
        share = blur.adjoint(np.ones_like(y[:1]))
        x = np.maximum(y, _EPSILON)
        done = 0
        while done < (self.iterations or self.most):
            blurred = np.maximum(blur.forward(x), _EPSILON)
            if self.iterations == 0 and np.mean((y - blurred) ** 2) <= level**2:
                break
            x = x * blur.adjoint(y / blurred) / share
            done += 1
        context.note({"iterations": done})
        return x.astype(np.float32)


def _check_larger_than(pixels: Pixels, spread: PointSpread) -> None:
    """Check that a kernel, and the Laplacian that balances it, fit into an image."""
    height, width = (max(3, side) for side in spread.odd.shape)
    if pixels.shape[1] < height or pixels.shape[2] < width:
        raise ImageError(
            "The image is smaller than the kernel that blurred it.",
            expected=f"at least {width}x{height}",
            got=f"{pixels.shape[2]}x{pixels.shape[1]}",
            hint="--model wiener-deconv takes any size",
        )


@dataclass(frozen=True)
class UnsupervisedWiener(Method):
    """Wiener filter whose balance is estimated from the image by Gibbs sampling: scikit-image's.

    Slow: up to `samples` samples, each a Fourier transform. Their seed is fixed, so that runs agree. At an
    unknown border the surroundings are those that `wiener-deconv` estimates.
    """

    name = "unsupervised-wiener"
    summary = "deblurring by a Wiener filter that finds its own balance"
    reference = "Orieux, Giovannelli, Rodet, JOSA A 2010; scikit-image's unsupervised_wiener"
    needs: ClassVar = frozenset({"operator", "sigma?"})

    samples: int = parameter(60, low=4, high=10_000, help="most samples")
    burn_in: int = parameter(15, low=0, high=1000, help="samples before the mean is taken")
    seed: int = parameter(0, low=0, high=2**31, help="of the samples")
    rim: str = parameter("auto", choices=BOUNDARIES, help=_BOUNDARY_HELP)

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the deblurred image; see the base class.

        Raises:
            ImageError: The blur is not known, or the image is smaller than the kernel.
        """
        spread = blur_of(context).spread
        _check_larger_than(pixels, spread)
        steps = {"max_num_iter": self.samples, "burnin": self.burn_in, "min_num_iter": min(30, self.samples)}
        boundary, wiener = resolve_boundary(self.rim, spread), WienerDeconvolution()
        expected = wiener.expectation(pixels, context)

        def change(plane: Doubles) -> Doubles:
            if boundary == "unknown":
                plane = wiener.by_turns(plane, place_of(pixels), spread, expected)[1]
            restored, _ = restoration.unsupervised_wiener(  # type: ignore[no-untyped-call]
                plane, spread.odd, user_params=steps, clip=False, rng=np.random.default_rng(self.seed)
            )
            return np.asarray(restored)

        return each_plane(pixels, spread, boundary, change)
