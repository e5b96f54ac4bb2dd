"""Two classifiers joined: the logistic model over measurements, and the network that looks at texture."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

VOTES = Path(__file__).parent / "votes.json"

MIN_CHANCE = 1e-9
"""A chance is never less: one classifier alone cannot rule a damage out."""


@dataclass(frozen=True, slots=True)
class Votes:
    """How two classifiers are joined, and from which chance a damage counts as found.

    The chance of class k is softmax over k of c_k + a log p_k + b log q_k: a product of experts (Hinton,
    Neural Computation 2002), with p the chances by measurements and q those by the network.

    Attributes:
        measurements: a.
        network: b.
        offsets: c, for each class.
        sure: For each damage, the chance from which it counts as found.
    """

    measurements: float
    network: float
    offsets: Mapping[str, float]
    sure: Mapping[str, float]

    def join(self, measured: Mapping[str, float], seen: Mapping[str, float]) -> dict[str, float]:
        """Return the chance of each class, given those of both classifiers; the sum is 1."""
        scores = {
            name: offset
            + self.measurements * math.log(max(measured[name], MIN_CHANCE))
            + self.network * math.log(max(seen[name], MIN_CHANCE))
            for name, offset in self.offsets.items()
        }
        most = max(scores.values())
        weights = {name: math.exp(score - most) for name, score in scores.items()}
        total = sum(weights.values())
        return {name: weight / total for name, weight in weights.items()}


@cache
def shipped_votes() -> Votes:
    """Return how the classifiers are joined in this package; `restorecli bench diagnosis` fits it."""
    kept = json.loads(VOTES.read_text("utf-8"))
    return Votes(kept["measurements"], kept["network"], kept["offsets"], kept["sure"])


def write_votes(votes: Votes, file: Path, about: str) -> None:
    """Write as JSON, four digits."""
    kept = {"about": about} | asdict(votes)
    file.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
