"""Inpainting by equations: harmonic, biharmonic, total variation. Textures are not made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from skimage import restoration

from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.harmonic import harmonic, harmonic_pixels
from restorecli.restoration.methods.classical.holes import Mask, fill


@dataclass(frozen=True)
class InpaintHarmonic(Method):
    """Laplace's equation: a soap film over the hole. At the image's border it has no slope.

    Costs about 50 bytes a pixel, and 300 for each lost one.
    """

    name = "inpaint-harmonic"
    summary = "fills holes by Laplace's equation: smooth, no overshoot"
    reference = (
        "Chan and Shen, Mathematical models for local nontexture inpaintings, SIAM J. Appl. Math. 2002"
    )
    needs: ClassVar = frozenset({"mask"})

    @property
    def affine(self) -> bool:
        """The equation is linear, and constants solve it."""
        return True

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image with filled holes; see the base class."""
        return fill(pixels, context, harmonic_pixels)


@dataclass(frozen=True)
class InpaintBiharmonic(Method):
    """The biharmonic equation: a thin plate over the hole, which goes on with the slope around it.

    scikit-image solves it hole by hole, directly: a hole of 300x300 px takes seconds and 0.4 GB.
    """

    name = "inpaint-biharmonic"
    summary = "fills holes by the biharmonic equation: goes on with slopes; for scratches and text"
    reference = (
        "Damelin and Hoang, On surface completion and image inpainting by biharmonic functions, 2018; "
        "scikit-image's inpaint_biharmonic"
    )
    needs: ClassVar = frozenset({"mask"})

    @property
    def affine(self) -> bool:
        """The equation is linear, and constants solve it."""
        return True

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image with filled holes; see the base class."""
        return fill(pixels, context, _biharmonic)


def _biharmonic(pixels: Pixels, mask: Mask) -> Pixels:
    wide = pixels.astype(np.float64)
    filled = restoration.inpaint_biharmonic(wide, mask, split_into_regions=True, channel_axis=0)
    return np.asarray(filled, np.float32)


@dataclass(frozen=True)
class InpaintTv(Method):
    """Least total variation of all channels together: edges are joined by the shortest way.

    The holes start from the harmonic solution; the pixels around them are exact conditions.
    """

    name = "inpaint-tv"
    summary = "fills holes with least total variation: joins edges"
    reference = (
        "Chan and Shen, SIAM J. Appl. Math. 2002; color TV: Bresson and Chan 2008; solved as Chambolle and "
        "Pock, A first-order primal-dual algorithm, JMIV 2011"
    )
    needs: ClassVar = frozenset({"mask"})

    iterations: int = parameter(300, low=1, high=100_000, help="iterations")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image with filled holes; see the base class."""
        return fill(pixels, context, self._inpaint)

    def _inpaint(self, pixels: Pixels, mask: Mask) -> Pixels:
        from restorecli.restoration.methods.classical.variation import least_variation

        return least_variation(harmonic(pixels, mask), mask, self.iterations).astype(np.float32)
