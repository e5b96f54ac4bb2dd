"""Plug-and-play restoration: any denoiser as the prior for deblurring, super-resolution and inpainting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.operators import Convolution, PointSpread
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import Method, Value, parameter, unknown
from restorecli.restoration.methods.catalog import METHODS
from restorecli.restoration.methods.classical.boundaries import extend
from restorecli.restoration.methods.classical.deconvolution import ROUNDING
from restorecli.restoration.methods.classical.harmonic import harmonic
from restorecli.restoration.methods.classical.resampling import enlarge
from restorecli.restoration.methods.data_steps import (
    fourier_step,
    mask_step,
    noise_schedule,
    observe,
    step_weights,
)

if TYPE_CHECKING:
    from restorecli.restoration.methods.priors import Prior

Doubles = NDArray[np.float64]
DataStep = Callable[[Doubles, float], Doubles]
"""From what the prior wants, (C, H, W), and its weight to the solution of the data step."""


@dataclass(frozen=True)
class PlugAndPlay(Method):
    """Half-quadratic splitting: a data step in closed form and a denoiser by turns (DPIR).

    The levels that the denoiser removes fall geometrically from `first` to the image's noise; the weight
    of its result in the data step rises as a_k = strength noise^2 / level_k^2. Before the denoiser the
    image is turned and mirrored, another way in every turn, and back after it (periodic self-ensemble), so
    that no direction is preferred.

    DPIR's strength is 0.23, which is the best with `tv`; with the shipped blind networks 0.5 is (tried on
    images of BSDS400 with camera shake and noise of 2.55), so that the default lies between.

    What lies beyond the border is not known: it is estimated by turns with the image. Holes begin with
    Laplace's solution, which ended 0.2 dB higher than the nearest known pixels.
    """

    name = "pnp"
    summary = "deblurring, enlarging or inpainting with any denoiser as prior"
    reference = "Zhang et al., DPIR, TPAMI 2021; Venkatakrishnan, Bouman, Wohlberg, GlobalSIP 2013"
    needs: ClassVar = frozenset({"operator?", "mask?", "sigma?"})

    denoiser: str = parameter("sca-unet.gaussian", help="name or file of a network, or name of a method")
    iterations: int = parameter(0, low=0, high=1000, help="turns; 0 takes 8, for enlarging and inpainting 24")
    first: float = parameter(
        49.0, unit="0-255 scale", low=1, high=255, draw="log 10..100", help="first level that is removed"
    )
    strength: float = parameter(0.35, low=1e-4, high=100, draw="log 0.05..2", help="weight of the prior")
    ensemble: bool = parameter(True, help="turn and mirror the image before the denoiser")
    seed: int = parameter(0, low=0, high=2**31, help="of the noise that a blind network needs")

    def scale_for(self, context: Context) -> int:
        """Return by how much the operator reduced the image."""
        return 1 if context.operator is None else context.operator.factor

    def fingerprint(self) -> Mapping[str, Value]:
        """Return the digest of the denoiser's weights."""
        if self.denoiser in METHODS:
            return {}
        from restorecli.restoration.methods.priors import digest_of

        return {"denoiser_weights": digest_of(self.denoiser)}

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the restored image; see the base class."""
        noise = max(_noise(pixels, context), ROUNDING)
        start, step, place = _problem(pixels, context)
        turns = self.iterations or (8 if context.mask is None and self.scale_for(context) == 1 else 24)
        levels = noise_schedule(noise, turns, first=self.first)
        prior = self._prior(context)
        z = start
        for turn, (level, weight) in enumerate(
            zip(levels, step_weights(noise, levels, self.strength), strict=True)
        ):
            if context.on_progress is not None:
                context.on_progress(turn, turns)
            x = step(z, float(weight))
            way = turn % 8 if self.ensemble else 0
            turned = np.ascontiguousarray(_turn(x, way), np.float32)
            z = _turn_back(prior(turned, float(level)), way).astype(np.float64)
        restored: Pixels = z[:, place[0], place[1]].astype(np.float32)
        return restored

    def _prior(self, context: Context) -> Prior:
        from restorecli.restoration.methods.priors import method_prior, network_prior

        if self.denoiser in METHODS:
            return method_prior(self.denoiser)
        return network_prior(self.denoiser, seed=self.seed, device=context.device)


def _noise(pixels: Pixels, context: Context) -> float:
    """Return the level of the noise; where pixels are lost none is assumed, since holes look like noise."""
    if context.mask is not None and context.sigma is None:
        return 0.0
    return sigma_of(pixels, context)


def _problem(pixels: Pixels, context: Context) -> tuple[Doubles, DataStep, tuple[slice, slice]]:
    """Return the first estimate, the data step, and where in both the image lies.

    Raises:
        ImageError: Neither an operator nor a mask is known.
    """
    y = pixels.astype(np.float64)
    if context.mask is not None:
        known = ~context.mask
        start = _first_guess(y, context.mask)
        return start, lambda z, a: mask_step(y, z, known, a), (slice(None), slice(None))
    if not isinstance(context.operator, Convolution):
        raise unknown("what to undo", "--operator motion-blur:length=15 or --mask FILE")
    spread, factor = context.operator.spread, context.operator.factor
    reduced = PointSpread(spread.kernel[::factor, ::factor], (0, 0))  # only its size counts, for the margin
    planes = [extend(plane, reduced, "unknown") for plane in y]
    extended, place = np.stack([plane for plane, _ in planes]), planes[0][1]
    spectrum = spread.transfer((extended.shape[1] * factor, extended.shape[2] * factor))

    def step(z: Doubles, a: float) -> Doubles:
        observed = observe(z, spectrum, factor)
        observed[:, place[0], place[1]] = y
        return fourier_step(observed, z, spectrum, a, factor)

    start = extended if factor == 1 else enlarge(extended, factor)
    return start, step, (_scaled(place[0], factor), _scaled(place[1], factor))


def _first_guess(planes: Doubles, lost: NDArray[np.bool_]) -> Doubles:
    """Return (C, H, W) with Laplace's solution in the holes."""
    if lost.all() or not lost.any():
        return planes
    return harmonic(planes, lost)


def _scaled(place: slice, factor: int) -> slice:
    return slice(place.start * factor, place.stop * factor)


def _turn(x: NDArray[np.floating], way: int) -> NDArray[np.floating]:
    """Return one of the eight ways to turn and mirror (C, H, W); way 0 is the image as it is."""
    turned = np.rot90(x, way % 4, axes=(1, 2))
    return turned if way < 4 else turned[:, :, ::-1]


def _turn_back(x: NDArray[np.floating], way: int) -> NDArray[np.floating]:
    """Undo `_turn`."""
    return np.rot90(x if way < 4 else x[:, :, ::-1], -(way % 4), axes=(1, 2))
