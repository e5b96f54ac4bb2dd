"""Quantization to fewer levels, with or without uniform dither."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restorecli.degradation.base import Degradation, parameter
from restorecli.images.image import Pixels


@dataclass(frozen=True)
class Quantize(Degradation):
    """Round to evenly spaced levels: y = round(x (L - 1)) / (L - 1); x is clipped to [0, 1] first.

    With `dither`, uniform noise of plus or minus half a step is added before rounding, which trades bands of
    equal color for noise and keeps local means. Halves round up.
    """

    name = "quantize"
    by_rows = True
    reference = "bits 1 to 6 are usual; error variance step^2 / 12: Bennett 1948; severities are chosen"
    severities = ({"levels": 32}, {"levels": 16}, {"levels": 8}, {"levels": 4}, {"levels": 2})

    levels: int = parameter(
        8, unit="levels", low=2, high=65536, draw="2..64", help="number of levels for each channel"
    )
    dither: bool = parameter(False, help="add uniform noise of half a step before rounding")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the quantized image; see the base class."""
        top = self.levels - 1
        steps = np.clip(image, 0, 1).astype(np.float64) * top
        # Half a step up and floor: rounding to nearest, or with dither to a neighbor in proportion.
        steps += rng.random(image.shape) if self.dither else 0.5
        return (np.clip(np.floor(steps), 0, top) / top).astype(np.float32)
