"""Denoisers that follow the level of the noise: non-local means, total variation, wavelets, BM3D."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from skimage import restoration

from restorecli.errors import UsageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import Method, Value, parameter
from restorecli.restoration.methods.classical import wavelets
from restorecli.restoration.methods.classical.color_axes import from_opponent, to_opponent
from restorecli.restoration.methods.classical.filters import check_odd

_CHOSEN = "; defaults chosen on training photographs at sigma 15, 25 and 50"


@dataclass(frozen=True)
class NonLocalMeans(Method):
    """Non-local means: the mean of pixels whose surroundings look alike; all channels decide together.

    Weights are exp(-max(d^2 - 2 sigma^2, 0) / h^2) with the mean squared difference d^2 of the patches and
    h = `strength` times sigma: scikit-image's fast form, whose patches weigh all their pixels alike.
    """

    name = "nlm"
    summary = "non-local means: averages places that look alike"
    reference = (
        "Buades, Coll and Morel, CVPR 2005; Darbon et al., ISBI 2008; scikit-image's denoise_nl_means"
        + _CHOSEN
    )
    needs: ClassVar = frozenset({"sigma?"})

    strength: float = parameter(
        0.55, unit="times sigma", low=0.01, high=10, draw="log 0.1..2", help="h: how unlike may differ"
    )
    patch: int = parameter(
        5, unit="px", low=1, high=31, draw="3..9", help="side of the patches, an odd number"
    )
    distance: int = parameter(
        9, unit="px", low=1, high=100, draw="3..15", help="how far patches are looked for"
    )

    def __post_init__(self) -> None:
        """Check the values; see the base class."""
        super().__post_init__()
        check_odd(self.patch, "nlm.patch")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the means; see the base class."""
        sigma = sigma_of(pixels, context) / 255
        if sigma == 0:
            return pixels.copy()
        gray = len(pixels) == 1  # of which scikit-image would return the transpose
        result = restoration.denoise_nl_means(
            pixels[0] if gray else pixels,
            patch_size=self.patch,
            patch_distance=self.distance,
            h=self.strength * sigma,
            sigma=sigma,
            fast_mode=True,
            channel_axis=None if gray else 0,
        )
        return np.asarray(result, np.float32).reshape(pixels.shape)


@dataclass(frozen=True)
class TotalVariation(Method):
    """Rudin-Osher-Fatemi: the image of least total variation near the given one, by projections.

    The weight of the variation is `strength` times the noise's level on the [0, 1] scale; the axes of color
    (differences of channels), where photographs vary less, get `color` times that.
    """

    name = "tv"
    summary = "total variation: flat areas between sharp edges"
    reference = (
        "Rudin, Osher and Fatemi, Physica D 1992; Chambolle, JMIV 2004; scikit-image's denoise_tv_chambolle"
        + _CHOSEN
    )
    needs: ClassVar = frozenset({"sigma?"})

    strength: float = parameter(
        0.75, unit="times sigma", low=0.01, high=100, draw="log 0.1..3", help="weight of the variation"
    )
    color: float = parameter(
        2.0, unit="times", low=0.01, high=100, draw="log 0.5..6", help="the same for the color axes"
    )
    iterations: int = parameter(100, low=1, high=10_000, help="most iterations")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the smoothed image; see the base class."""
        weight = self.strength * sigma_of(pixels, context) / 255
        if weight == 0:
            return pixels.copy()
        planes = [
            restoration.denoise_tv_chambolle(  # type: ignore[no-untyped-call]
                plane, weight * (self.color if axis else 1), 1e-5, self.iterations
            )
            for axis, plane in enumerate(to_opponent(pixels))
        ]
        return from_opponent(np.stack(planes).astype(np.float32))


@dataclass(frozen=True)
class Wavelet(Method):
    """BayesShrink of an undecimated wavelet transform, on opponent axes of color; see `wavelets`.

    Undecimated means the mean over all shifts, so no blocks ring. The transform is this program's own. Costs
    about 90 bytes a pixel: 2 GB for 24 megapixels.
    """

    name = "wavelet"
    summary = "wavelet shrinkage, the same for every shift"
    reference = (
        "Chang, Yu and Vetterli, TIP 2000 (BayesShrink); Coifman and Donoho, Translation-invariant "
        "de-noising, 1995" + _CHOSEN
    )
    needs: ClassVar = frozenset({"sigma?"})

    filter: str = parameter("db2", choices=wavelets.FILTERS, draw="any", help="wavelet")
    levels: int = parameter(4, low=1, high=8, draw="2..6", help="octaves of detail")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the shrunk image; see the base class."""
        noise = sigma_of(pixels, context) / 255
        low = wavelets.FILTERS[self.filter]
        planes = [
            wavelets.denoise(plane, noise, low=low, levels=self.levels) for plane in to_opponent(pixels)
        ]
        return from_opponent(np.stack(planes))


@dataclass(frozen=True)
class Bm3d(Method):
    """Block matching and 3-D filtering, by its authors' package `bm3d`, which is not installed with this.

    That package is free for non-commercial use only. It gets the image as float64 with nothing clipped, and
    takes minutes for a megapixel of color.
    """

    name = "bm3d"
    summary = "block matching and 3-D filtering (package bm3d: non-commercial use only)"
    reference = (
        "Dabov, Foi, Katkovnik and Egiazarian, TIP 2007; Makinen, Azzari and Foi, TIP 2020; package bm3d of "
        "Tampere University, free for non-commercial use"
    )
    needs: ClassVar = frozenset({"sigma?"})

    profile: str = parameter("np", choices=("np", "lc", "high", "vn"), help="the package's profile")

    def fingerprint(self) -> Mapping[str, Value]:
        """Return the package's version; see the base class.

        Raises:
            UsageError: The package is not installed.
        """
        _check_bm3d()
        return {"bm3d": importlib.metadata.version("bm3d")}

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the filtered image; see the base class.

        Raises:
            UsageError: The package is not installed.
        """
        _check_bm3d()
        import bm3d

        sigma = sigma_of(pixels, context) / 255
        if sigma == 0:
            return pixels.copy()
        planes = pixels.transpose(1, 2, 0).astype(np.float64)
        filtered = (
            bm3d.bm3d_rgb(planes, sigma, profile=self.profile)
            if len(pixels) == 3
            else bm3d.bm3d(planes[..., 0], sigma, profile=self.profile)[..., None]
        )
        return np.ascontiguousarray(filtered.transpose(2, 0, 1), np.float32)


def _check_bm3d() -> None:
    if importlib.util.find_spec("bm3d") is None:
        raise UsageError(
            "bm3d needs the package of that name, which is free for non-commercial use only.",
            expected="bm3d",
            got="not installed",
            hint="pip install 'restorecli[bm3d]', if its licence allows your use",
        )
