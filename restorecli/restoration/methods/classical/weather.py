"""Color cast, haze and sand-dust: gray world, dark channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical import airlight
from restorecli.restoration.methods.classical.airlight import balance, stretch
from restorecli.restoration.methods.classical.filters import check_odd

_SHARE = 0.001
_DARK = "Single Image Haze Removal Using Dark Channel Prior, CVPR 2009"


@dataclass(frozen=True)
class GrayWorld(Method):
    """Scales the channels of an image so that their means are equal; then stretches them alike.

    Gray images have no cast; they can only be stretched. The stretch is the best of five on 24 training
    pairs of sand-dust: 0.5 dB, and 1 dB on photographs of BSDS400 with the dust of `degrade`.
    """

    name = "gray-world"
    summary = "takes a color cast off, e.g. that of sand-dust"
    reference = "Buchsbaum, A spatial processor model for object color perception, 1980"

    strength: float = parameter(
        1.0, low=0, high=1, draw="0..1", help="0 keeps the cast, 1 makes the means equal"
    )
    stretch: float = parameter(
        0.0005,
        unit="share of pixels",
        low=0,
        high=0.4,
        draw="0..0.05",
        help="pixels that become black, and white",
    )

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the balanced image; see the base class."""
        del context
        return stretch(balance(pixels, self.strength), self.stretch)


@dataclass(frozen=True)
class Dehaze(Method):
    """Dark channel prior: without haze some channel is dark near every pixel, so what is left there is veil.

    Bright gray things near the camera are taken for haze. Gray images use their only channel.
    """

    name = "dehaze"
    summary = "takes haze off by the dark channel"
    reference = f"He, Sun and Tang, {_DARK}; guided filter: the same, TPAMI 2013"

    size: int = parameter(
        15, unit="px", low=1, high=301, draw="3..41", help="window of the dark channel, an odd number"
    )
    strength: float = parameter(
        0.75, unit="share", low=0, high=1, draw="0.3..1", help="how much of the veil is taken off"
    )
    least: float = parameter(
        0.1, unit="share", low=0.01, high=1, draw="log 0.05..0.5", help="least transmission that is undone"
    )
    smooth: int = parameter(
        40, unit="px", low=1, high=2000, draw="log 5..100", help="radius of the guided filter"
    )

    def __post_init__(self) -> None:
        """Check the values; see the base class."""
        super().__post_init__()
        check_odd(self.size, f"{self.name}.size")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the clear image; see the base class."""
        light = airlight.airlight(pixels, airlight.dark_channel(pixels, self.size), _SHARE)
        context.note({f"light_{number}": round(float(value), 4) for number, value in enumerate(light)})
        share = airlight.transmission(
            pixels, light, strength=self.strength, size=self.size, smooth=self.smooth
        )
        return airlight.clear(pixels, light, share, self.least)


@dataclass(frozen=True)
class Dedust(Method):
    """Sand-dust: the cast is taken off by the gray world, then what is left is haze, then contrast returns.

    Dust takes blue most, so the dark channel of a dusty image is its blue one and says nothing of distance
    before the cast is off.
    """

    name = "dedust"
    summary = "takes sand-dust off: color cast, veil, contrast"
    reference = f"gray world of Buchsbaum 1980, then He, Sun and Tang, {_DARK}; chosen on training pairs"

    balance: float = parameter(1.0, low=0, high=1, draw="0..1", help="how much of the cast is taken off")
    size: int = parameter(
        15, unit="px", low=1, high=301, draw="3..41", help="window of the dark channel, an odd number"
    )
    strength: float = parameter(
        0.8, unit="share", low=0, high=1, draw="0.3..1", help="how much of the veil is taken off"
    )
    least: float = parameter(
        0.25, unit="share", low=0.01, high=1, draw="log 0.05..0.5", help="least transmission that is undone"
    )
    smooth: int = parameter(
        40, unit="px", low=1, high=2000, draw="log 5..100", help="radius of the guided filter"
    )
    stretch: float = parameter(
        0.0,
        unit="share of pixels",
        low=0,
        high=0.4,
        draw="0..0.05",
        help="pixels that become black, and white",
    )

    def __post_init__(self) -> None:
        """Check the values; see the base class."""
        super().__post_init__()
        check_odd(self.size, f"{self.name}.size")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the clear image; see the base class."""
        balanced = np.clip(airlight.balance(pixels, self.balance), 0, 1)
        clear = Dehaze(self.size, self.strength, self.least, self.smooth).restore(balanced, context)
        return airlight.stretch(clear, self.stretch)
