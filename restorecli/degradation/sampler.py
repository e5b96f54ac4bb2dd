"""Random parameters: the notation for ranges and choices, and the sampler that draws from them.

A parameter's specification is a fixed value (`25`), a range (`0..55`, uniform), a range on a logarithmic
scale (`log 0.1..10`), a choice (`[15, 25, 50]`, or `15,25,50` on a command line) or, for words and
switches, `any`. Whole-number parameters stay whole, both ends included.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from restorecli.degradation.base import Degradation, ParameterInfo, Value, check_names, parameters_of
from restorecli.degradation.catalog import find
from restorecli.errors import UsageError

Spec = Value | Sequence[Value]
"""A fixed value, a text in the notation above, or a list of values to choose from."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*(log\s+)?({_NUMBER})\s*\.\.\s*({_NUMBER})\s*")
_SEVERITY = ParameterInfo("severity", int, 3, "", 0, 5, (), None, "how strong, 0 (nothing) to 5")
_PROBABILITY = ParameterInfo("probability", float, 1.0, "", 0, 1, (), None, "how often it is applied")
_RANDOM = ParameterInfo("random", bool, False, "", None, None, (), None, "draw what is left open")


@dataclass(frozen=True, slots=True)
class Choice:
    """Each of some values with equal probability; one value is a fixed one and uses no randomness."""

    values: tuple[Value, ...]

    def draw(self, rng: np.random.Generator) -> Value:
        """Return one of the values."""
        return self.values[0 if len(self.values) == 1 else int(rng.integers(len(self.values)))]

    def ends(self) -> tuple[Value, ...]:
        """Return the values between which everything drawn lies."""
        return self.values


@dataclass(frozen=True, slots=True)
class Range:
    """Every number between two ends, uniform on a linear or logarithmic scale."""

    low: float
    high: float
    whole: bool
    logarithmic: bool

    def draw(self, rng: np.random.Generator) -> Value:
        """Return a number of the range."""
        if self.logarithmic:
            value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
            value = min(max(value, self.low), self.high)
            return round(value) if self.whole else value
        if self.whole:
            return int(rng.integers(int(self.low), int(self.high) + 1))
        return float(rng.uniform(self.low, self.high))

    def ends(self) -> tuple[Value, ...]:
        """Return the values between which everything drawn lies."""
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)


def read_spec(info: ParameterInfo, spec: object, owner: str) -> Choice | Range:
    """Turn a parameter's specification into something that draws.

    Args:
        info: The parameter.
        spec: A value, a text in this module's notation, or a list.
        owner: The degradation's name, for messages.

    Raises:
        UsageError: A value out of bounds, a range upside down, or a text that says nothing known.
    """
    if isinstance(spec, (list, tuple)):
        if not spec:
            raise UsageError(f"{owner}.{info.name} has nothing to choose from.", expected=info.allowed)
        return Choice(tuple(_one(info, item, owner) for item in spec))
    if not isinstance(spec, str):
        return Choice((info.check(spec, owner),))
    if spec.strip() == "any" and (info.choices or info.kind is bool):
        return Choice(info.choices or (False, True))
    match = _RANGE.fullmatch(spec)
    if match and info.kind in (int, float):
        return _range(info, match, owner)
    if ".." in spec and info.kind in (int, float):
        raise _bad_range(info, spec, owner)
    return Choice(tuple(info.read(word, owner) for word in spec.split(",")))


def _one(info: ParameterInfo, value: object, owner: str) -> Value:
    return info.read(value, owner) if isinstance(value, str) else info.check(value, owner)


def _range(info: ParameterInfo, match: re.Match[str], owner: str) -> Range:
    low, high = (float(info.read(match[group], owner)) for group in (2, 3))
    if low > high or (match[1] and low <= 0):
        raise _bad_range(info, match[0], owner)
    return Range(low, high, whole=info.kind is int, logarithmic=bool(match[1]))


def _bad_range(info: ParameterInfo, spec: str, owner: str) -> UsageError:
    return UsageError(
        f"{owner}.{info.name} has a range that cannot be drawn from.",
        expected="LOW..HIGH with LOW at most HIGH, or log LOW..HIGH with LOW above 0",
        got=spec.strip(),
    )


@dataclass(frozen=True)
class DegradationSampler:
    """Draws degradations of one kind.

    Attributes:
        name: The name in the catalog, or an alias of it.
        specs: Parameter -> specification (see this module's docstring); the others keep their defaults.
        probability: How often it is applied at all.
        severity: 0 to 5, or a specification of it; sets the parameters that `specs` leaves open.
        random: Draw every parameter that `specs` leaves open from its default random range.
    """

    name: str
    specs: Mapping[str, Spec] = field(default_factory=dict)
    probability: float = 1.0
    severity: Spec | None = None
    random: bool = False
    _class: type[Degradation] = field(init=False, repr=False, compare=False)
    _levels: Choice | Range | None = field(init=False, repr=False, compare=False)
    _draws: tuple[Mapping[str, Choice | Range], ...] = field(init=False, repr=False, compare=False)
    _fixed: Degradation | None = field(init=False, repr=False, compare=False)

    @property
    def degradation(self) -> type[Degradation]:
        """The class of the catalog."""
        return self._class

    def __post_init__(self) -> None:
        object.__setattr__(self, "_class", find(self.name))
        owner = self.degradation.name
        check_names(self.degradation, self.specs)
        _PROBABILITY.check(self.probability, owner)
        _RANDOM.check(self.random, owner)
        if self.random and self.severity is not None:
            raise UsageError(f"{owner} is given both a severity and random: true.", expected="one of them")
        if self.severity is not None and not self.degradation.severities:
            raise UsageError(f"{owner} has no severities.", got=f"severity {self.severity}")
        levels = None if self.severity is None else read_spec(_SEVERITY, self.severity, owner)
        object.__setattr__(self, "_levels", levels)
        given = (self._given(),) if levels is None else self.degradation.severities
        object.__setattr__(self, "_draws", tuple(self._compile(values) for values in given))
        object.__setattr__(self, "_fixed", self._fix())

    def _given(self) -> Mapping[str, Value]:
        if not self.random:
            return {}
        info = parameters_of(self.degradation)
        return {name: known.draw for name, known in info.items() if known.draw is not None}

    def _compile(self, given: Mapping[str, Value]) -> Mapping[str, Choice | Range]:
        merged = {**given, **self.specs}
        info = parameters_of(self.degradation)
        # In the order of declaration, so that the order in which a user writes them changes no draw.
        return {
            name: read_spec(known, merged[name], self.name) for name, known in info.items() if name in merged
        }

    def _fix(self) -> Degradation | None:
        if self._levels is not None or any(len(set(spec.ends())) > 1 for spec in self._draws[0].values()):
            return None
        return self.degradation(**{name: spec.ends()[0] for name, spec in self._draws[0].items()})

    def draw(self, rng: np.random.Generator) -> Degradation | None:
        """Return a degradation with drawn values, or None when it is left out this time."""
        if self.probability < 1 and rng.random() >= self.probability:
            return None
        if self._fixed is not None:
            return self._fixed
        specs, level = self._draws[0], None
        if self._levels is not None:
            level = int(self._levels.draw(rng))
            if level == 0:
                return None
            specs = self._draws[level - 1]
        drawn = self.degradation(**{name: spec.draw(rng) for name, spec in specs.items()})
        decides = level is not None and not self.degradation.severities[level - 1].keys() <= self.specs.keys()
        return drawn.of_severity(level) if decides else drawn

    def extremes(self) -> tuple[Degradation, ...]:
        """Return degradations at both ends of everything that can be drawn."""
        levels = self._draws
        if self._levels is not None:
            low, high = min(self._levels.ends()), max(self._levels.ends())
            levels = self._draws[max(int(low) - 1, 0) : int(high)]
        return tuple(
            self.degradation(**{name: pick(spec.ends()) for name, spec in specs.items()})
            for specs in levels
            for pick in (min, max)
        )
