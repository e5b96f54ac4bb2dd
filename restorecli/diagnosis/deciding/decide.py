"""From measurements to the chance of each damage: a logistic model whose table was fitted on photographs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

NONE = "none"
"""The class of images without damage."""

CLEAN_WEIGHT = 3.0
"""What an example without damage counts where tables are fitted: to find damage there does harm."""

FAR = 1e9
"""A bound that no measurement reaches."""

TABLE = Path(__file__).parent / "table.json"

_MAX_Z = 4.0
"""Deviations at which a measurement is cut: what is farther out than training images says no more."""


@dataclass(frozen=True)
class DecisionTable:
    """A multinomial logistic model: chance of class k is softmax over k of b_k + w_k z + v_k (z^2 - 1).

    z is a measurement's logarithm, sign(x) log(1 + |x| / unit), less its mean in the training images, over
    its deviation there, cut at 4; 0 where an image does not have it.

    Attributes:
        measurements: Their names.
        units: The units of the logarithms.
        means: Of the logarithms.
        deviations: Of the logarithms.
        classes: Damages, and `NONE`.
        offsets: b, (classes,).
        slopes: w, (classes, measurements).
        bends: v, (classes, measurements).
        needed: For each damage, between which values some measurements must lie for it to be that.
    """

    measurements: tuple[str, ...]
    units: Doubles
    means: Doubles
    deviations: Doubles
    classes: tuple[str, ...]
    offsets: Doubles
    slopes: Doubles
    bends: Doubles
    needed: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)

    def standardize(self, values: Doubles) -> Doubles:
        """Return z of measurements in the table's order, (..., measurements); NaN becomes 0."""
        return standardized(values, self.units, self.means, self.deviations)

    def chances(self, found: Mapping[str, float]) -> dict[str, float]:
        """Return the chance of each class, given measurements by name; the sum is 1."""
        z = self.standardize(self._values(found))
        scores = self.offsets + self.slopes @ z + self.bends @ (z * z - 1)
        weights = np.exp(scores - scores.max())
        return dict(zip(self.classes, (weights / weights.sum()).tolist(), strict=True))

    def is_possible(self, damage: str, found: Mapping[str, float]) -> bool:
        """Tell whether an image with these measurements can have a damage; what was not measured can be."""
        bounds = self.needed.get(damage, {})
        return all(low <= found[name] <= high for name, (low, high) in bounds.items() if name in found)

    def possible(self, found: Mapping[str, float]) -> frozenset[str]:
        """Return the damages that an image with these measurements can have."""
        return frozenset(name for name in self.classes if name != NONE and self.is_possible(name, found))

    def evidence(self, found: Mapping[str, float], damage: str, count: int = 3) -> dict[str, float]:
        """Return the measurements that spoke most for a damage and against none, the strongest first."""
        z = self.standardize(self._values(found))
        one, none = self.classes.index(damage), self.classes.index(NONE)
        votes = (self.slopes[one] - self.slopes[none]) * z
        votes += (self.bends[one] - self.bends[none]) * (z * z - 1)
        # What an image does not have may vote, as the mean does, but is no evidence that can be shown.
        seen = [self.measurements[index] for index in np.argsort(-votes) if votes[index] > 0]
        return {name: found[name] for name in [name for name in seen if name in found][:count]}

    def _values(self, found: Mapping[str, float]) -> Doubles:
        return np.array([found.get(name, np.nan) for name in self.measurements])


def standardized(values: Doubles, units: Doubles, means: Doubles, deviations: Doubles) -> Doubles:
    """Return z of measurements, (..., measurements), as `DecisionTable` has it; NaN becomes 0."""
    logs = np.sign(values) * np.log1p(np.abs(values) / units)
    return np.nan_to_num(np.clip((logs - means) / deviations, -_MAX_Z, _MAX_Z))


@cache
def shipped_table() -> DecisionTable:
    """Return the table of this package; `restorecli bench diagnosis` fits it."""
    return read_table(TABLE)


def read_table(file: Path) -> DecisionTable:
    """Return the table of a file that `write_table` wrote."""
    kept = json.loads(file.read_text("utf-8"))
    names = tuple(kept["measurements"])
    rows: Sequence[Mapping[str, float]] = [kept["measurements"][name] for name in names]
    classes = tuple(kept["classes"])
    return DecisionTable(
        measurements=names,
        units=np.array([row["unit"] for row in rows]),
        means=np.array([row["mean"] for row in rows]),
        deviations=np.array([row["deviation"] for row in rows]),
        classes=classes,
        offsets=np.array([kept["classes"][name]["offset"] for name in classes]),
        slopes=_weights(kept, classes, names, "slopes"),
        bends=_weights(kept, classes, names, "bends"),
        needed={
            name: {of: (low, high) for of, (low, high) in kept["classes"][name]["needed"].items()}
            for name in classes
        },
    )


def _weights(
    kept: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]],
    classes: Sequence[str],
    names: Sequence[str],
    kind: str,
) -> Doubles:
    return np.array([[kept["classes"][one][kind].get(name, 0.0) for name in names] for one in classes])


def write_table(table: DecisionTable, file: Path, about: str) -> None:
    """Write a table as JSON: weights by name, those that are 0 left out, three digits."""
    columns = zip(table.units, table.means, table.deviations, strict=True)
    rows = [
        {"unit": four_digits(unit), "mean": four_digits(mean), "deviation": four_digits(deviation)}
        for unit, mean, deviation in columns
    ]
    classes = {
        name: {
            "needed": {
                of: [four_digits(bound) for bound in bounds]
                for of, bounds in table.needed.get(name, {}).items()
            },
            "offset": four_digits(table.offsets[index]),
            "slopes": _named(table.measurements, table.slopes[index]),
            "bends": _named(table.measurements, table.bends[index]),
        }
        for index, name in enumerate(table.classes)
    }
    kept = {
        "about": about,
        "measurements": dict(zip(table.measurements, rows, strict=True)),
        "classes": classes,
    }
    file.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def four_digits(value: float) -> float:
    """Return a number as files of weights hold it."""
    return float(f"{value:.4g}")


def _named(names: Sequence[str], weights: Doubles) -> dict[str, float]:
    pairs = zip(names, weights, strict=True)
    return {name: round(float(weight), 3) for name, weight in pairs if abs(weight) >= 5e-4}
