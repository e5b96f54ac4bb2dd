"""Noise of photons: made white and even by the generalized Anscombe transform, removed, and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import UsageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, Value, parameter
from restorecli.restoration.methods.catalog import METHODS, create_method

if TYPE_CHECKING:
    from restorecli.core.torch_restorer import TorchRestorer
    from restorecli.diagnosis.measuring.photons import PhotonNoise
    from restorecli.restoration.image import ImageRestorer

Doubles = NDArray[np.float64]

_LOWEST = 2 * (3 / 8) ** 0.5
"""Stabilized value of no photon."""

_MIN_READ = 0.5
"""Variance in electrons^2 that the darkest place must have: where it has less, single photons on black look
like structure to a blind network, and noise is added up to it. On three scenes without read noise 0.5 is
better than 1 and 2 with 2 and 5 electrons, than 1 by 0.5 to 1.8 dB, and within 0.3 dB of the best of them
with 50."""

_STRONGEST = 25.0
"""Noise on the 0-255 scale that the denoiser is given at most, however few levels the image has."""

_BRIGHT = 99.9
"""Percentile of stabilized values that becomes 1, where that makes the noise no stronger."""


def stabilized(counts: Doubles) -> Doubles:
    """Return the generalized Anscombe transform, 2 sqrt(max(t + 3/8, 0)), whose noise has variance 1.

    Starck, Murtagh and Bijaoui, "Image Processing and Data Analysis", 1998, with t = z + s^2 for z electrons
    with read noise of deviation s.

    Args:
        counts: t, in electrons.
    """
    return np.asarray(2 * np.sqrt(np.maximum(counts + 3 / 8, 0)), np.float64)


def unstabilized(values: Doubles) -> Doubles:
    """Return the exact unbiased inverse of `stabilized`, in its closed-form approximation, in t.

    It maps the mean of stabilized values to the mean of the counts, which the algebraic inverse does not.
    Makitalo and Foi, "A closed-form approximation of the exact unbiased inverse of the Anscombe variance-
    stabilizing transformation", IEEE TIP 2011, and "Optimal inversion of the generalized Anscombe
    transformation for Poisson-Gaussian noise", IEEE TIP 2013: the s^2 that this takes off is part of t.

    Args:
        values: Stabilized; below what no photon has, 2 sqrt(3/8), they count as that.
    """
    d = np.maximum(values, _LOWEST)
    root = (3 / 2) ** 0.5
    return np.asarray(d**2 / 4 + root / 4 / d - 11 / 8 / d**2 + 5 / 8 * root / d**3 - 1 / 8, np.float64)


@dataclass(frozen=True)
class Anscombe(Method):
    """Noise of photons and of a sensor, removed by any denoiser of white noise, channel by channel.

    Gain and variance at 0 are found in the image (see `diagnosis.measuring.photons`), or given. The
    stabilized image has noise of deviation 1 everywhere; it is scaled to at most [0, 1], denoised, and
    inverted without bias. A channel without noise of photons comes back as it is.
    """

    name = "anscombe"
    summary = "noise of photons: stabilizes its variance, denoises, inverts without bias"
    reference = (
        "Makitalo and Foi, TIP 2011 and 2013 (inverse); Foi et al., TIP 2008 (noise model); "
        "Starck, Murtagh and Bijaoui, 1998 (transform)"
    )
    needs: ClassVar = frozenset()

    denoiser: str = parameter(
        "dncnn.gray-blind", help="name or file of a network for gray images, or name of a method"
    )
    gain: float = parameter(
        0.0, low=0, high=1e6, help="variance for each unit of the level, black 0 and white 1; 0 finds it"
    )
    at_zero: float = parameter(0.0, low=-1e6, high=1e6, help="variance at level 0, where the gain is given")
    seed: int = parameter(0, low=0, high=2**31, help="of noise added where a sensor has none")

    def __post_init__(self) -> None:
        """Check the values; see the base class."""
        super().__post_init__()
        if self.denoiser not in METHODS:
            from restorecli.restoration.purposes import check_name

            try:
                check_name(self.denoiser)
            except UsageError as error:
                raise UsageError(f"anscombe.denoiser: {error.problem}", got=self.denoiser) from error

    def fingerprint(self) -> Mapping[str, Value]:
        """Return the digest of the denoiser's weights."""
        if self.denoiser in METHODS:
            return {}
        from restorecli.restoration.methods.priors import digest_of

        return {"denoiser_weights": digest_of(self.denoiser)}

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image without noise of photons; see the base class."""
        return np.stack([self._restored(plane, context) for plane in pixels])

    def _restored(self, plane: NDArray[np.float32], context: Context) -> NDArray[np.float32]:
        noise = self._noise(plane)
        if noise is None:
            return plane.copy()
        counts = (plane.astype(np.float64) + noise.at_zero / noise.gain) / noise.gain
        added = max(_MIN_READ - noise.dark / noise.gain**2, 0.0)
        drawn = np.random.default_rng(self.seed).standard_normal(plane.shape) if added else 0.0
        values = stabilized(counts + added + added**0.5 * drawn)
        low, high = float(values.min()), float(np.percentile(values, _BRIGHT))
        scale = min(1 / max(high - low, 1.0), _STRONGEST / 255)
        scaled = ((values - low) * scale).astype(np.float32)
        clean = self._denoised(scaled, 255 * scale, context).astype(np.float64) / scale + low
        restored = (unstabilized(clean) - added) * noise.gain - noise.at_zero / noise.gain
        return restored.astype(np.float32)

    def _noise(self, plane: NDArray[np.float32]) -> PhotonNoise | None:
        from restorecli.diagnosis.measuring.photons import PhotonNoise, darkest_level, fit_photon_noise

        if not self.gain:
            return fit_photon_noise(plane)
        dark = max(self.gain * darkest_level(plane) + self.at_zero, 0.0)
        return PhotonNoise(self.gain, self.at_zero, dark, 0.0)

    def _denoised(self, plane: NDArray[np.float32], sigma: float, context: Context) -> NDArray[np.float32]:
        if self.denoiser in METHODS:
            denoised = create_method(self.denoiser).restore(plane[None], Context(sigma=sigma))
        else:
            denoised, _ = _network(self.denoiser, context.device, sigma).restore(plane[None])
        return np.asarray(denoised[0])


def _network(name: str, device: str | None, sigma: float) -> ImageRestorer:
    from restorecli.restoration.image import ImageRestorer

    network = _loaded(name, device)
    return ImageRestorer(network.told(sigma) if network.spec.needs else network)


@cache
def _loaded(name: str, device: str | None) -> TorchRestorer:
    from restorecli.core.zoo import load

    return load(name, device=device)
