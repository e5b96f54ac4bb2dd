"""Inpainting by copying: exemplars one by one, and quilting. Textures go on; nothing new is made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.filters import check_odd
from restorecli.restoration.methods.classical.holes import Mask, fill
from restorecli.restoration.methods.classical.sources import largest_window, whole_windows


@dataclass(frozen=True)
class InpaintExemplar(Method):
    """Criminisi's algorithm: lines that meet the hole go on first, from the patch most alike (CIELAB).

    Patches hold no lost pixel; where the mask leaves none of `size`, smaller ones are taken. Costs about 60
    bytes a pixel; time grows with the lost pixels times the square of `reach`.
    """

    name = "inpaint-exemplar"
    summary = "fills holes with patches of the image, lines first: removes objects"
    reference = (
        "Criminisi, Perez and Toyama, Region filling and object removal by exemplar-based image inpainting, "
        "TIP 2004"
    )
    needs: ClassVar = frozenset({"mask"})

    size: int = parameter(
        9, unit="px", low=3, high=101, draw="5..15", help="side of the patches, an odd number"
    )
    reach: int = parameter(100, unit="px", low=1, high=100_000, help="how far patches are looked for")

    def __post_init__(self) -> None:
        """Check the values; see the base class."""
        super().__post_init__()
        check_odd(self.size, "inpaint-exemplar.size")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image with filled holes; see the base class.

        Raises:
            ImageError: Also where no 3x3 px are left to copy from.
        """
        return fill(pixels, context, self._inpaint)

    def _inpaint(self, pixels: Pixels, mask: Mask) -> Pixels:
        from restorecli.restoration.methods.classical.exemplar_loops import fill_from_exemplars

        height, width = largest_window(mask, self.size, 2)
        high, wide = height // 2, width // 2
        corners = whole_windows(mask, height, width)
        middles = np.zeros(mask.shape, bool)
        middles[high : high + corners.shape[0], wide : wide + corners.shape[1]] = corners
        painted = pixels.copy()
        fill_from_exemplars(painted, _perceived(pixels), mask.copy(), middles, high, wide, self.reach)
        return painted


def _perceived(pixels: Pixels) -> Pixels:
    """Return CIELAB / 100, or gray as it is."""
    from skimage.color import rgb2lab

    if len(pixels) == 1:
        return pixels.copy()
    return np.ascontiguousarray(rgb2lab(np.clip(pixels, 0, 1), channel_axis=0) / 100, np.float32)


@dataclass(frozen=True)
class InpaintQuilting(Method):
    """Image quilting: blocks of the image that fit what is there, joined along the least visible cuts.

    For one hole in a texture; lines are not looked after. Where the mask leaves no whole block, smaller ones
    are taken, which fit worse: dense masks, such as text, are not for this.
    Costs about 60 bytes a pixel.
    """

    name = "inpaint-quilting"
    summary = "fills holes with blocks of texture, joined by least cuts"
    reference = "Efros and Freeman, Image quilting for texture synthesis and transfer, SIGGRAPH 2001"
    needs: ClassVar = frozenset({"mask"})

    block: int = parameter(
        32, unit="px", low=3, high=512, draw="8..64", help="side of the blocks; they overlap by a sixth"
    )
    tolerance: float = parameter(
        0.1,
        unit="share",
        low=0,
        high=10,
        draw="0..0.3",
        help="how much worse than the best a drawn block may fit",
    )
    reach: int = parameter(150, unit="px", low=1, high=100_000, help="how far blocks are looked for")
    seed: int = parameter(0, low=0, high=2**31, help="of the draws among blocks that fit")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image with filled holes; see the base class.

        Raises:
            ImageError: Also where no 3x3 px are left to copy from.
        """
        return fill(pixels, context, self._inpaint)

    def _inpaint(self, pixels: Pixels, mask: Mask) -> Pixels:
        from restorecli.restoration.methods.classical.quilts import Quilt

        quilt = Quilt(
            pixels,
            mask,
            block=self.block,
            tolerance=self.tolerance,
            reach=self.reach,
            seed=self.seed,
        )
        return quilt.fill().astype(np.float32)
