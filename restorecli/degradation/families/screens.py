"""Printed screens: tones as dots of ink on a regular grid, as scanned from newspapers and books."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.degradation.filtering import filter_separable
from restorecli.images.image import Pixels

_INKS: Mapping[str, float] = {"cyan": -30.0, "magenta": 30.0, "yellow": -45.0, "black": 0.0}
"""Degrees by which the screens of a color print are turned against the black one, as printers turn them."""

_PARTS = 4
"""Places of each pixel, along each side, in which ink is looked for."""

_RANKS = 512
"""Places of a cell, along each side, that tell how much of it has less of its spot function."""


@dataclass(frozen=True)
class HalftoneScreen(Degradation):
    """A print by a clustered-dot screen, and its scan.

    Ink lies where a periodic threshold is at least the tone. The threshold is the rank of a spot function in
    a square cell, so that ink covers the share 1 - x of an area of tone x: the mean of the screen is the
    tone. A gray image is printed in black. An image in color is printed in four inks: black takes what all
    channels lack, cyan, magenta and yellow the rest, each on a screen of its own angle, which gives rosettes;
    inks multiply. Where the screens begin is drawn. The scanner sees the mean of each pixel, blurred.
    """

    name = "halftone-screen"
    reference = (
        "Ulichney, Digital Halftoning, 1987; Kang, Digital Color Halftoning, 1999 (spot functions, angles of "
        "the inks, full gray component replacement); ranges and severities are chosen"
    )
    severities = (
        {"period": 2.5},
        {"period": 3.3},
        {"period": 4.2},
        {"period": 5.5},
        {"period": 7.5},
    )

    period: float = parameter(
        4.2, unit="px", low=2, high=100, draw="log 2.2..8", help="distance of the dots: pixels a dot"
    )
    angle: float = parameter(
        45.0,
        unit="degrees",
        low=-180,
        high=180,
        draw="15,45,75",
        help="direction of the black screen, from the right, counter-clockwise",
    )
    dot: str = parameter("round", choices=("round", "diamond"), draw="any", help="shape of the dots of ink")
    soft: float = parameter(
        0.5, unit="px", low=0, high=20, draw="0.3..0.8", help="how far the scanner blurs (std)"
    )

    @property
    def margin(self) -> int:
        """The reach of the scanner's blur."""
        return math.ceil(4 * self.soft)

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the scan of the print; see the base class."""
        starts = rng.random((len(_INKS), 2))
        tones = np.clip(image, 0, 1)
        black = tones.max(axis=0)
        scan = np.zeros_like(tones)
        for part in np.ndindex(_PARTS, _PARTS):
            scan += self._seen(tones, black, starts, part)
        scan /= _PARTS**2
        if self.soft > 0:
            weights = np.exp(-0.5 * np.square(np.arange(-self.margin, self.margin + 1) / self.soft))
            scan = filter_separable(scan, weights / weights.sum())
        return scan

    def _seen(
        self, tones: Pixels, black: NDArray[np.float32], starts: NDArray[np.float64], part: tuple[int, int]
    ) -> Pixels:
        """Return 1 where there is no ink and 0 where there is, (C, H, W), in one part of each pixel."""
        rows, columns = (
            np.arange(side) + (place + 0.5) / _PARTS for side, place in zip(black.shape, part, strict=True)
        )
        bare: Pixels = np.empty_like(tones)
        if len(tones) == 3:
            # What black leaves to the other inks: inks multiply.
            for channel, (turned, start) in enumerate(zip(_INKS.values(), starts[:-1], strict=False)):
                left = tones[channel] > self._threshold(rows, columns, turned, start) * black
                bare[channel] = left
        else:
            bare[0] = 1
        bare *= black > self._threshold(rows, columns, 0.0, starts[-1])
        return bare

    def _threshold(
        self,
        rows: NDArray[np.float64],
        columns: NDArray[np.float64],
        turned: float,
        start: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """Return the threshold of each place, (H, W), uniform in [0, 1)."""
        angle = math.radians(self.angle + turned)
        along, aside = math.cos(angle) / self.period, math.sin(angle) / self.period
        u = (start[0] - rows * aside)[:, None] + columns * along
        v = (start[1] + rows * along)[:, None] + columns * aside
        ranks = _ranks(self.dot)
        # Values of the spot function are spread over [-1, 1].
        place = (_spot(self.dot, u, v) + 1) * ((len(ranks) - 1) / 2)
        return np.asarray(np.interp(place, np.arange(len(ranks)), ranks), np.float32)


def _spot(dot: str, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a spot function in [-1, 1] of period 1 both ways: ink grows from where it is greatest."""
    if dot == "round":
        return np.asarray(0.5 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v)))
    return np.asarray(sum(np.abs(2 * (place - np.floor(place)) - 1) for place in (u, v)) - 1)


@cache
def _ranks(dot: str) -> NDArray[np.float64]:
    """Return the share of a cell whose spot function is less than each of many values from -1 to 1."""
    places = (np.arange(_RANKS) + 0.5) / _RANKS
    values = np.sort(_spot(dot, places[:, None], places[None]).reshape(-1))
    # Less than 1 everywhere, so that white stays white.
    return np.asarray(np.searchsorted(values, np.linspace(-1, 1, 2 * _RANKS + 1)) / (values.size + 1))
