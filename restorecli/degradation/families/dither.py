"""Dither by error diffusion: few levels or a palette, the error of each pixel given to its neighbors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.families.palettes import NAMED, median_cut, named_palette
from restorecli.images.image import Pixels

KERNEL_NAMES = (
    "floyd-steinberg",
    "jarvis-judice-ninke",
    "stucki",
    "burkes",
    "sierra-3",
    "sierra-2",
    "sierra-lite",
    "atkinson",
)


@dataclass(frozen=True)
class Dither(Degradation):
    """Error diffusion, exactly its sequential float64 definition (see `diffusion`), by one of eight kernels.

    Each channel is reduced to `levels` evenly spaced levels by itself, or all together to the nearest colors
    of a palette: `median-cut` takes `colours` of them from the image, the others are named. Gray images
    stay gray: they use the grays of a palette. The image is clipped to [0, 1] first. A value half-way
    between two levels takes the upper one.
    """

    name = "dither"
    reference = (
        "Floyd, Steinberg 1976; Jarvis, Judice, Ninke 1976; Stucki 1981; Burkes 1988; Sierra 1989; Atkinson "
        "(passes on 6/8 of the error); severities are chosen"
    )
    also_depends_on = "the errors of everything above it and beside it"
    severities = ({"levels": 16}, {"levels": 8}, {"levels": 4}, {"levels": 3}, {"levels": 2})

    kernel: str = parameter("floyd-steinberg", choices=KERNEL_NAMES, draw="any", help="how errors are spread")
    levels: int = parameter(
        2, unit="levels", low=2, high=256, draw="2..16", help="levels of each channel, without a palette"
    )
    serpentine: bool = parameter(False, draw="any", help="every second row from right to left")
    palette: str = parameter("none", choices=("none", "median-cut", *NAMED), help="colors instead of levels")
    colours: int = parameter(16, unit="colours", low=2, high=256, help="colors that median-cut chooses")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the dithered image; see the base class."""
        del rng
        # Imported here because loading the compiler takes longer than `--help` may.
        from restorecli.degradation.families.diffusion import KERNELS, diffuse_levels, diffuse_palette

        planes = np.clip(image, 0, 1).astype(np.float64, order="C")
        weights = KERNELS[self.kernel].weights()
        if self.palette == "none":
            for plane in planes:
                diffuse_levels(plane, weights, self.levels, self.serpentine)
            return planes.astype(np.float32)
        if self.palette == "median-cut":
            palette = median_cut(image, self.colours)
        else:
            palette = named_palette(self.palette, len(planes))
        if len(planes) == 3:
            diffuse_palette(planes, weights, palette, self.serpentine)
            return planes.astype(np.float32)
        # Three equal channels make the same choices as one, and the same errors.
        gray = np.repeat(planes, 3, axis=0)
        diffuse_palette(gray, weights, np.repeat(palette, 3, axis=1), self.serpentine)
        return gray[:1].astype(np.float32)
