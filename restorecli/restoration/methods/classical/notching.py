"""Moire and other regular waves: found as peaks of the spectrum, and notched out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.gratings import find_waves, remove_wave


@dataclass(frozen=True)
class Demoire(Method):
    """Takes out waves that stand out of the spectrum, channel by channel, up to three times.

    A regular texture of the scene (a fence, cloth) is a wave too. Costs about 8 planes of memory.
    """

    name = "demoire"
    summary = "moire and regular waves: notches at peaks of the spectrum"
    reference = (
        "notch filters: textbook; Sidorov and Kokaram, Suppression of moire patterns via spectral analysis, "
        "VCIP 2002; mean spectrum: Welch 1967; defaults chosen on training photographs"
    )

    least: float = parameter(
        0.06,
        unit="waves per px",
        low=0.005,
        high=0.5,
        draw="log 0.02..0.2",
        help="slowest wave that is taken out",
    )
    excess: float = parameter(
        18.0, unit="dB", low=3, high=100, draw="8..30", help="how far waves stand out of the spectrum"
    )
    reach: float = parameter(
        8.0,
        unit="px",
        low=2,
        high=1000,
        draw="log 3..30",
        help="surroundings (std) in which waves are measured",
    )
    most: int = parameter(12, unit="waves", low=1, high=200, help="most waves of a channel, each time")
    rounds: int = parameter(3, low=1, high=20, help="how often waves are looked for")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image without waves; see the base class."""
        planes, count = [], 0
        for given in pixels:
            plane = given
            for _ in range(self.rounds):
                waves = find_waves(plane, self.least, self.excess, self.most)
                for wave in waves:
                    plane = remove_wave(plane, wave, self.reach)
                count += len(waves)
                if not waves:
                    break
            planes.append(plane)
        context.note({"waves": count})
        return np.stack(planes)
