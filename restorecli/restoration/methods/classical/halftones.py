"""Inverse halftoning: dither is noise of a known color, blue, so wavelets that know it take it out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.degradation.families.dither import KERNEL_NAMES
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical import wavelets
from restorecli.restoration.methods.classical.color_axes import from_opponent, to_opponent

Plane = NDArray[np.float32]

_NORMAL_MEAN = (2 / np.pi) ** 0.5
"""Mean of the absolute value of a standard normal variable."""


def error_color(kernel: str) -> NDArray[np.float64]:
    """Return what error diffusion does to the errors of its quantizer: (3, 5), 1 less the kernel.

    The dithered image is the given one plus the quantizer's errors, each with its share to the neighbors
    taken off: noise with hardly any slow parts.
    """
    from restorecli.degradation.families.diffusion import KERNELS

    color = -KERNELS[kernel].weights()
    color[0, 2] += 1
    return color


def error_level(plane: Plane, gain: float) -> float:
    """Return the level of the quantizer's errors, from the finest diagonal details of a dithered plane.

    Mean absolute details, not the median: with a palette, many places hold no error at all.

    Args:
        plane: (H, W) float32.
        gain: By how much those details hold more noise than white noise of that level would give.
    """
    low = wavelets.FILTERS["db2"]
    details = wavelets.split(np.pad(plane, low.size, mode="symmetric"), low, 1)[3]
    mean = float(np.mean(np.abs(details), dtype=np.float64))
    return float(mean / _NORMAL_MEAN / gain)


@dataclass(frozen=True)
class InverseHalftone(Method):
    """A slight blur, then wavelet shrinkage that expects blue noise: hardly any of it in coarse details.

    The color of the noise is that of the error diffusion kernel, of which the manifest or `kernel` tells;
    its level is estimated for each axis of color. Works for any number of levels and for palettes.
    """

    name = "inverse-halftone"
    summary = "undoes dithering by error diffusion"
    reference = (
        "Neelamani, Nowak and Baraniuk, WInHD: Wavelet-based Inverse Halftoning via Deconvolution, 2009, "
        "without its deconvolution; noise model: Kite et al., TIP 1997; chosen on training photographs"
    )

    kernel: str = parameter("auto", choices=("auto", *KERNEL_NAMES), help="kernel of the error diffusion")
    strength: float = parameter(
        0.58, low=0, high=10, draw="log 0.1..1.5", help="of the shrinkage, times the estimated noise"
    )
    width: float = parameter(
        1.3,
        unit="px",
        low=0,
        high=10,
        draw="0.5..2.5",
        help="blur (std) before it, times the fourth root of the noise",
    )
    filter: str = parameter("db2", choices=wavelets.FILTERS, draw="any", help="wavelet")
    levels: int = parameter(3, low=1, high=8, draw="2..5", help="octaves of detail")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image in continuous tones; see the base class."""
        color = error_color(self._kernel(context))
        finest = wavelets.band_gains(wavelets.FILTERS["db2"], 1, color)[0][2]
        planes = to_opponent(pixels)
        levels = [error_level(plane, finest) for plane in planes]
        width = self.width * max(levels) ** 0.25
        return from_opponent(
            np.stack(
                [
                    self._smooth(plane, color, width, self.strength * level)
                    for plane, level in zip(planes, levels, strict=True)
                ]
            )
        )

    def _smooth(self, plane: Plane, color: NDArray[np.float64], width: float, noise: float) -> Plane:
        reach = int(4 * width + 0.5) + 1
        kernel = ndimage.gaussian_filter(np.pad(color, reach), width, mode="constant")
        blurred = ndimage.gaussian_filter(plane, width, mode="reflect")
        low = wavelets.FILTERS[self.filter]
        return wavelets.denoise(blurred, noise, low=low, levels=self.levels, color=kernel)

    def _kernel(self, context: Context) -> str:
        if self.kernel != "auto":
            return self.kernel
        steps = () if context.record is None else context.record.history
        known = next((step for step in reversed(steps) if step.get("name") == "dither"), None)
        return "floyd-steinberg" if known is None else str(known["kernel"])
