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

_FITTED_SIDE = 192.0
"""Side of the smallest images that the classifiers were joined on, in pixels."""

_SPREAD = 2.5
"""Growth of the variance of log-odds in smaller images: it is that times (192 / side - 1) larger. Measured on
400 clean crops of 48, 64 and 96 px each of training photographs, the median of the damages."""


def trust(pixels: int) -> float:
    """Return by what to multiply log-odds of an image of few pixels: 1 from 192 x 192 on, 0.5 at 48 x 48.

    The fewer samples, the more measurements stray. The mean chance over log-odds that stray with variance v
    is the chance at log-odds / sqrt(1 + pi v / 8): MacKay, "The evidence framework applied to classification
    networks", Neural Computation 1992.

    Args:
        pixels: Height times width.
    """
    variance = _SPREAD * max(_FITTED_SIDE / math.sqrt(pixels) - 1, 0.0)
    return 1 / math.sqrt(1 + math.pi / 8 * variance)


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

    def join(
        self, measured: Mapping[str, float], seen: Mapping[str, float], trusted: float = 1.0
    ) -> dict[str, float]:
        """Return the chance of each class, given those of both classifiers; the sum is 1.

        Args:
            measured: By measurements.
            seen: By the network.
            trusted: What log-odds are multiplied by; see `trust`.
        """
        scores = {
            name: offset
            + self.measurements * math.log(max(measured[name], MIN_CHANCE))
            + self.network * math.log(max(seen[name], MIN_CHANCE))
            for name, offset in self.offsets.items()
        }
        most = max(scores.values())
        weights = {name: math.exp(trusted * (score - most)) for name, score in scores.items()}
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
