"""Noise: Gaussian, Poisson, salt and pepper, speckle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from restorecli.degradation.base import Degradation, parameter
from restorecli.images.image import Pixels


@dataclass(frozen=True)
class Gaussian(Degradation):
    """Additive white Gaussian noise: y = x + n, n ~ N(0, (sigma / 255)^2).

    Nothing is clipped here, as the published tables of DnCNN, Restormer and DPIR test it: at sigma 25 the
    PSNR of the unclipped result is 20.17 dB whatever the image.
    """

    name = "gaussian"
    by_rows = True
    reference = (
        "sigma 15/25/50 and blind 0..55: Zhang et al., Beyond a Gaussian Denoiser, TIP 2017; "
        "severities: Hendrycks and Dietterich, ICLR 2019"
    )
    severities = ({"sigma": 20.4}, {"sigma": 30.6}, {"sigma": 45.9}, {"sigma": 66.3}, {"sigma": 96.9})
    identity: ClassVar = {"sigma": 0.0}

    sigma: float = parameter(
        25.0, unit="0-255 scale", low=0, high=510, draw="0..55", help="standard deviation of the noise"
    )
    gray: bool = parameter(False, help="one noise field for all channels instead of one for each")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return image + noise; see the base class."""
        shape = (1, *image.shape[1:]) if self.gray else image.shape
        noise = rng.standard_normal(shape, dtype=np.float32)
        noise *= np.float32(self.sigma / 255)
        return image + noise if self.gray else np.add(noise, image, out=noise)


@dataclass(frozen=True)
class Poisson(Degradation):
    """Photon noise: y = Poisson(peak x) / peak, of variance x / peak. Values below 0 count as 0."""

    name = "poisson"
    by_rows = True
    reference = "severities: Hendrycks and Dietterich, ICLR 2019; studies of low light use peaks 1 to 30"
    also_depends_on = "how many random numbers the pixels before it took"
    severities = ({"peak": 60.0}, {"peak": 25.0}, {"peak": 12.0}, {"peak": 5.0}, {"peak": 3.0})

    peak: float = parameter(
        25.0, unit="photons at white", low=0.1, high=1e6, draw="log 1..60", help="photons at white"
    )

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return photon counts divided by the peak; see the base class."""
        counts = rng.poisson(np.maximum(image, 0) * np.float64(self.peak))
        return (counts / self.peak).astype(np.float32)


@dataclass(frozen=True)
class SaltPepper(Degradation):
    """Impulses: a share of the pixels becomes white (salt) or black (pepper), or any value.

    By default a pixel is lost in all its channels together, as a sensor or a line loses it.
    """

    name = "salt-pepper"
    by_rows = True
    reference = "severities: Hendrycks and Dietterich, ICLR 2019; amounts up to 0.5 are usual in studies"
    severities = ({"amount": 0.03}, {"amount": 0.06}, {"amount": 0.09}, {"amount": 0.17}, {"amount": 0.27})
    identity: ClassVar = {"amount": 0.0}

    amount: float = parameter(0.1, unit="share", low=0, high=1, draw="0.01..0.5", help="share of lost pixels")
    salt: float = parameter(0.5, unit="share", low=0, high=1, help="share of lost pixels that become white")
    independent: bool = parameter(False, help="lose each channel by itself instead of whole pixels")
    random_valued: bool = parameter(False, help="put uniform random values in place of white and black")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the image with lost pixels; see the base class."""
        shape = image.shape if self.independent else (1, *image.shape[1:])
        chance = rng.random(shape)
        value = (chance < self.amount * self.salt).astype(np.float32)
        if self.random_valued:
            value = rng.random(shape, dtype=np.float32)
        return np.where(chance < self.amount, value, image)


@dataclass(frozen=True)
class Speckle(Degradation):
    """Multiplicative noise of mean 1: y = x (1 + n) with Gaussian n, or y = x g with g of a Gamma law.

    The Gamma law is the one of radar and ultrasound: L looks have std = 1 / sqrt(L).
    """

    name = "speckle"
    by_rows = True
    reference = (
        "severities: Hendrycks and Dietterich, ICLR 2019; Gamma law: Goodman, Some fundamental properties "
        "of speckle, JOSA 1976; the random range spans the severities and is chosen"
    )
    severities = ({"std": 0.15}, {"std": 0.2}, {"std": 0.35}, {"std": 0.45}, {"std": 0.6})
    identity: ClassVar = {"std": 0.0}

    std: float = parameter(
        0.2, unit="share of the value", low=0, high=2, draw="0.05..0.6", help="spread (std) of the factor"
    )
    law: str = parameter("gaussian", choices=("gaussian", "gamma"), help="distribution of the factor")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the image times its random factor; see the base class."""
        if self.std == 0:
            return image.copy()
        if self.law == "gamma":
            looks = self.std**-2
            factor = rng.standard_gamma(looks, image.shape, dtype=np.float32)
            factor *= np.float32(1 / looks)
        else:
            factor = rng.standard_normal(image.shape, dtype=np.float32)
            factor *= np.float32(self.std)
            factor += np.float32(1)
        return np.multiply(factor, image, out=factor)
