"""What a restorer takes in memory, as a function of the size of a tile."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes that a restorer takes for a tile: linear * pixels + quadratic * pixels^2."""

    linear: float
    quadratic: float = 0.0

    def bytes(self, area: int) -> float:
        """Return the bytes for a tile of `area` pixels."""
        return self.linear * area + self.quadratic * area * area

    def area(self, budget: int) -> int:
        """Return the pixels of the largest tile that stays within `budget` bytes."""
        # The root of a quadratic in the form that stays exact as the quadratic term vanishes.
        return int(2 * budget / (self.linear + math.sqrt(self.linear**2 + 4 * self.quadratic * budget)))
