"""A small network over measurements, for damages that no measurement tells alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from restorecli.diagnosis.deciding.decide import Doubles, four_digits, standardized


@dataclass(frozen=True, slots=True)
class HiddenLayer:
    """A network of one hidden layer: the log-odds of one damage are c + v tanh(W z + b).

    z is standardized as in `decide.DecisionTable`. One layer more than a logistic model has lets measurements
    speak for a damage only where they go together.

    Attributes:
        measurements: Their names.
        units: The units of the logarithms.
        means: Of the logarithms.
        deviations: Of the logarithms.
        hidden: W, (hidden, measurements).
        offsets: b, (hidden,).
        output: v, (hidden,).
        offset: c.
    """

    measurements: tuple[str, ...]
    units: Doubles
    means: Doubles
    deviations: Doubles
    hidden: Doubles
    offsets: Doubles
    output: Doubles
    offset: float

    def chance(self, found: Mapping[str, float]) -> float:
        """Return the chance of the damage, given measurements by name."""
        return float(special.expit(self._log_odds(self._standardized(found))))

    def evidence(self, found: Mapping[str, float], count: int = 3) -> dict[str, float]:
        """Return the measurements without which the damage would be least likely, the strongest first."""
        z = self._standardized(found)
        lost = self._log_odds(z) - self._log_odds(z * (1 - np.eye(z.size)))
        strongest = [int(index) for index in np.argsort(-lost)[:count] if lost[index] > 0]
        return {self.measurements[index]: found[self.measurements[index]] for index in strongest}

    def _standardized(self, found: Mapping[str, float]) -> Doubles:
        values = np.array([found.get(name, np.nan) for name in self.measurements])
        return standardized(values, self.units, self.means, self.deviations)

    def _log_odds(self, z: Doubles) -> Doubles:
        return np.asarray(np.tanh(z @ self.hidden.T + self.offsets) @ self.output + self.offset)


@dataclass(frozen=True, slots=True)
class Told:
    """What such a network makes of an image.

    Attributes:
        damage: Of what it tells.
        chance: That the image has the damage.
        is_sure: Whether that is enough for it to count as found.
        evidence: The measurements that spoke most for it, by name.
    """

    damage: str
    chance: float
    is_sure: bool
    evidence: Mapping[str, float]


def write_hidden_layer(model: HiddenLayer, file: Path, about: str) -> None:
    """Write a model as JSON, a line for each measurement, four digits."""
    scales = zip(model.units, model.means, model.deviations, strict=True)
    rows = {
        name: [four_digits(value) for value in (*scale, *weights)]
        for name, scale, weights in zip(model.measurements, scales, model.hidden.T, strict=True)
    }
    last = {"offsets": model.offsets, "output": model.output, "offset": np.array([model.offset])}
    rows |= {f"hidden {name}": [four_digits(value) for value in values] for name, values in last.items()}
    lines = [f" {json.dumps(name)}: {json.dumps(row)}" for name, row in ({"about": about} | rows).items()]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def read_hidden_layer(file: Path) -> HiddenLayer:
    """Return the model of a file that `write_hidden_layer` wrote."""
    kept = json.loads(file.read_text("utf-8"))
    kept.pop("about")
    offsets, output, (offset,) = (kept.pop(f"hidden {name}") for name in ("offsets", "output", "offset"))
    columns = np.array(list(kept.values()))
    units, means, deviations = columns[:, :3].T
    scale = tuple(kept), units, means, deviations
    return HiddenLayer(*scale, columns[:, 3:].T, np.array(offsets), np.array(output), offset)
