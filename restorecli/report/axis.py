"""Axes of the page's charts: round numbers, and places in percent of a chart's width."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from restorecli.report.markup import Html, element, joined

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from `low` to `high`, both multiples of `step`."""

    low: float
    high: float
    step: float

    def place(self, value: float) -> float:
        """Return where a value stands, in percent; values outside are put at the ends."""
        share = (value - self.low) / (self.high - self.low)
        return 100 * min(max(share, 0.0), 1.0)

    @property
    def ticks(self) -> tuple[float, ...]:
        """The round numbers from end to end."""
        count = round((self.high - self.low) / self.step)
        return tuple(self.low + index * self.step for index in range(count + 1))

    def label(self, value: float) -> str:
        """Return a tick's number with the digits that the step needs."""
        scaled = self.step / 10 ** math.floor(math.log10(self.step))
        decimals = -math.floor(math.log10(self.step)) + (0 if math.isclose(scaled, round(scaled)) else 1)
        return f"{value + 0.0:.{max(0, decimals)}f}"


def axis_around(values: Iterable[float], *, with_zero: bool = False) -> Axis:
    """Return an axis with about five round steps that holds all values.

    Args:
        values: Finite numbers; none at all give an axis from 0 to 1.
        with_zero: Whether the axis must hold 0, as bars need it.
    """
    known = [*values, *([0.0] if with_zero else [])] or [0.0, 1.0]
    low, high = min(known), max(known)
    if math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-12):
        margin = abs(low) / 10 or 1.0
        low, high = (min(low, 0.0), max(high, 0.0)) if with_zero and low else (low - margin, high + margin)
    rough = (high - low) / _TICKS
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in _STEPS if factor * power >= rough * 0.999)
    slack = step * 1e-6
    first, last = math.floor((low + slack) / step), math.ceil((high - slack) / step)
    return Axis(first * step, last * step, step)


def across(place: float) -> str:
    """Return a place as SVG writes it."""
    return f"{place:.2f}%"


def gridlines(axis: Axis, height: int) -> Html:
    """Return a line over the whole height for every tick, the one at 0 darker."""
    lines = []
    for tick in axis.ticks:
        place = across(axis.place(tick))
        kind = "baseline" if math.isclose(tick, 0, abs_tol=axis.step / 100) else "gridline"
        lines.append(element("line", x1=place, x2=place, y1="0", y2=str(height), class_=kind))
    return joined(*lines)


def tick_labels(axis: Axis) -> Html:
    """Return the drawing of the numbers below a chart."""
    labels = [element("text", axis.label(tick), x=across(axis.place(tick)), y="12") for tick in axis.ticks]
    return element("svg", *labels, height="16", aria_hidden="true")
