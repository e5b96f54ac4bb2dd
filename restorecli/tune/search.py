"""Coordinate descent over the parameters of a method: one parameter after another, coarse and then fine."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from restorecli.degradation.parameters import Value
from restorecli.degradation.sampler import Choice, Range

Values = Mapping[str, Value]

SWEEPS = 2
"""How often all parameters are gone through, at most."""

_COARSE = 7
_HALVINGS = 4


@dataclass
class Descent:
    """The best values so far, and all that were tried.

    A parameter with a range is tried at seven values, evenly spaced on its own scale (linear or logarithmic),
    and then four times halfway between the best and its neighbors on both sides; of words, switches and
    lists every value is tried. A value takes another's place only where its score is higher, so that the
    result is never worse than the start, and depends on nothing but the arguments. Numbers have four
    significant digits, whole ones stay whole.

    Attributes:
        start: A value for every parameter.
        score: The higher the better; minus infinity where values cannot be used.
        allowed: Whether values may stand together, e.g. whether a window is odd.
        values: The best values.
        best: Their score.
        tried: By parameter, its values with the score that each had when it was tried last.
    """

    start: Values
    score: Callable[[Values], float]
    allowed: Callable[[Values], bool]
    values: dict[str, Value] = field(init=False)
    best: float = field(init=False)
    tried: dict[str, dict[Value, float]] = field(init=False, default_factory=dict)
    _known: dict[tuple[Value, ...], float] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.values = dict(self.start)
        self.best = self._scored(self.values)

    def run(self, specs: Mapping[str, Choice | Range], done: Callable[[str], None]) -> None:
        """Search all parameters of `specs`, and again where there are several and one has changed.

        Args:
            specs: What to try, by parameter.
            done: Called with the name of a parameter that was searched.
        """
        for _ in range(SWEEPS):
            before = dict(self.values)
            for name, spec in specs.items():
                self.line(name, spec)
                done(name)
            if len(specs) == 1 or before == self.values:
                break

    def line(self, name: str, spec: Choice | Range) -> None:
        """Search one parameter; the others keep their values."""
        seen = {self.values[name]: self.best}
        if isinstance(spec, Choice):
            self._try(name, spec.values, seen)
        else:
            scale = Scale(spec, self._whole(name, spec))
            self._try(name, scale.spread(_COARSE), seen)
            for _ in range(_HALVINGS):
                self._try(name, scale.beside(self.values[name], seen), seen)
        self.tried.setdefault(name, {}).update(seen)

    def _try(self, name: str, candidates: Sequence[Value], seen: dict[Value, float]) -> None:
        for candidate in candidates:
            values = {**self.values, name: candidate}
            if candidate in seen or not self.allowed(values):
                continue
            seen[candidate] = self._scored(values)
            if seen[candidate] > self.best:
                self.values, self.best = values, seen[candidate]

    def _scored(self, values: Values) -> float:
        key = tuple(values.values())
        if key not in self._known:
            self._known[key] = self.score(values)
        return self._known[key]

    def _whole(self, name: str, spec: Range) -> list[int] | None:
        """Return the whole numbers of a range that are allowed, or None for a range of others."""
        if not spec.whole:
            return None
        numbers = range(int(spec.low), int(spec.high) + 1)
        return [number for number in numbers if self.allowed({**self.values, name: number})]


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of a range: which numbers are on it, and what lies between two of them.

    Attributes:
        spec: The range.
        whole: The only numbers to choose from, in rising order, or None for all.
    """

    spec: Range
    whole: list[int] | None

    def spread(self, count: int) -> list[Value]:
        """Return at most `count` numbers, from end to end."""
        steps = np.geomspace if self.spec.logarithmic else np.linspace
        points = (self._number(float(point)) for point in steps(self.spec.low, self.spec.high, count))
        return list(dict.fromkeys(point for point in points if point is not None))

    def beside(self, middle: Value, seen: Mapping[Value, float]) -> list[Value]:
        """Return the numbers halfway between `middle` and its neighbors among those seen.

        There are none for a `middle` outside the range, such as a 0 that means "by itself".
        """
        numbers = sorted(float(value) for value in seen if self.spec.low <= value <= self.spec.high)  # type: ignore[operator]
        if middle not in numbers:
            return []
        place = numbers.index(float(middle))
        around = numbers[max(place - 1, 0) : place + 2]
        halves = [self._number(self._half(*pair)) for pair in itertools.pairwise(around)]
        return [half for half in halves if half is not None]

    def _half(self, one: float, other: float) -> float:
        logarithmic = self.spec.logarithmic and one > 0
        return math.sqrt(one * other) if logarithmic else (one + other) / 2

    def _number(self, point: float) -> Value | None:
        if self.whole is None:
            return min(max(float(f"{point:.4g}"), self.spec.low), self.spec.high)
        return min(self.whole, key=lambda number: abs(number - point), default=None)
