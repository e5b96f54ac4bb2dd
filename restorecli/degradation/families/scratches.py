"""Scratches, dust and tears, as on old prints and film; where they are is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, parameter
from restorecli.images.image import Pixels

if TYPE_CHECKING:
    from restorecli.degradation.families.strokes import Stroke

_DARK, _SEPIA = (0.08, 0.07, 0.06), (0.55, 0.42, 0.28)
_POINTS = 12
_STEEP = 0.8  # share of the scratches that run nearly top to bottom, as film and rollers scratch


def split(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """Return generators that follow from `rng`, so that how much one of them is used changes no other."""
    return [np.random.Generator(np.random.PCG64(int(seed))) for seed in rng.integers(2**63, size=count)]


@dataclass(frozen=True)
class Scratches(Degradation):
    """Long thin scratches, specks of dust and torn or creased bands, blended over the image.

    Scratches are polylines, mostly steep, whose width (0.5 px to `width`) wavers by up to 40 %; opacities are
    drawn between `opacity` and 1. Dust is round, of radius 1 px to `speck`. Tears run from side to side,
    3 to 15 px wide. Numbers are for each image, whatever its size. Gray images stay gray.
    """

    name = "scratches"
    reference = (
        "white and irregular masks: Wan et al., Bringing Old Photos Back to Life, CVPR 2020; all ranges and "
        "severities are chosen"
    )
    severities = (
        {"count": 2, "dust": 4, "tears": 0, "opacity": 0.6},
        {"count": 4, "dust": 8, "tears": 0, "opacity": 0.65},
        {"count": 6, "dust": 15, "tears": 0, "opacity": 0.7},
        {"count": 9, "dust": 22, "tears": 1, "opacity": 0.75},
        {"count": 12, "dust": 30, "tears": 2, "opacity": 0.8},
    )
    identity: ClassVar = {"count": 0, "dust": 0, "tears": 0}
    masked = True

    count: int = parameter(6, unit="scratches", low=0, high=200, draw="1..12", help="number of scratches")
    width: float = parameter(4.0, unit="px", low=0.5, high=50, draw="2..4", help="greatest width")
    opacity: float = parameter(0.4, low=0.05, high=1, draw="0.4..0.8", help="least opacity")
    white: float = parameter(
        0.7, unit="share", low=0, high=1, help="share of white ones; others are dark or brown"
    )
    dust: int = parameter(10, unit="specks", low=0, high=2000, draw="0..30", help="number of specks")
    speck: float = parameter(5.0, unit="px", low=1, high=50, draw="2..5", help="greatest radius of dust")
    tears: int = parameter(0, unit="bands", low=0, high=20, draw="0..2", help="number of torn bands")
    edge: float = parameter(
        0.75, unit="px", low=0.1, high=10, draw="0.5..1", help="width over which borders fade"
    )

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the scratched image; see the base class."""
        from restorecli.degradation.families.strokes import paint

        scratched = image.copy()
        paint(scratched, self.strokes(image.shape[1:], rng), self.edge)
        return scratched

    def mask(self, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Return where strokes cover a quarter of a pixel or more; see the base class."""
        from restorecli.degradation.families.strokes import marks

        return marks(shape, self.strokes(shape, rng), self.edge)

    def strokes(self, shape: tuple[int, int], rng: np.random.Generator) -> list[Stroke]:
        """Draw the strokes for an image of a height and width: tears below, then scratches, then dust."""
        lines, specks, bands = split(rng, 3)
        drawn = [self._tear(shape, bands) for _ in range(self.tears)]
        drawn += [self._scratch(shape, lines) for _ in range(self.count)]
        return drawn + [self._speck(shape, specks) for _ in range(self.dust)]

    def _scratch(self, shape: tuple[int, int], rng: np.random.Generator) -> Stroke:
        angle = rng.normal(0, 0.15) if rng.random() < _STEEP else rng.uniform(-1, 1) * math.pi / 2
        length = rng.uniform(0.15, 1) * max(shape)
        path = _polyline(rng.random(2) * shape, angle, length, 0.02 * length, rng)
        radius = rng.uniform(0.5, self.width) / 2
        return self._stroke(path, radius * (1 + 0.4 * _smooth(rng)), rng)

    def _tear(self, shape: tuple[int, int], rng: np.random.Generator) -> Stroke:
        middle = rng.uniform(0.1, 0.9, 2) * shape
        path = _polyline(middle, rng.uniform(0, math.pi), 3 * max(shape), 0.05 * max(shape), rng)
        return self._stroke(path, rng.uniform(1.5, 7.5) * (1 + 0.4 * rng.uniform(-1, 1, _POINTS)), rng)

    def _speck(self, shape: tuple[int, int], rng: np.random.Generator) -> Stroke:
        return self._stroke((rng.random(2) * shape)[None], np.array([rng.uniform(1, self.speck)]), rng)

    def _stroke(
        self, path: NDArray[np.float64], radii: NDArray[np.float64], rng: np.random.Generator
    ) -> Stroke:
        from restorecli.degradation.families.strokes import Stroke

        opacity, kind, tone = rng.uniform(self.opacity, 1), rng.random(), rng.uniform(-0.06, 0.06)
        rest = 1 - self.white
        base = (0.97, 0.97, 0.97) if kind < self.white else _DARK if kind < 1 - rest / 2 else _SEPIA
        color = np.clip(np.array(base) + tone, 0, 1).astype(np.float32)
        return Stroke(np.concatenate([path, radii[:, None]], axis=1), opacity, color)


def _polyline(
    middle: NDArray[np.float64], angle: float, length: float, sway: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return `_POINTS` of a line through `middle`, `angle` from the vertical, that sways smoothly."""
    along = np.linspace(-0.5, 0.5, _POINTS)[:, None] * length
    aside = sway * _smooth(rng)[:, None]
    down, across = math.cos(angle), math.sin(angle)
    path: NDArray[np.float64] = middle + along * (down, across) + aside * (-across, down)
    return path


def _smooth(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return `_POINTS` values in [-1, 1] of low frequency."""
    knots = rng.uniform(-1, 1, 5)
    return np.interp(np.linspace(0, 4, _POINTS), np.arange(5), knots)
