"""What an evaluation found: scores by picture, by category and overall, and everything that found no mate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from restorecli.evaluate.metrics import METRICS, PROTOCOL
from restorecli.evaluate.pairs import Pair, Unmatched
from restorecli.evaluate.statistics import MEAN_POLICY, Summary, mean_gain, summarise

Scores = Mapping[str, float | None]
"""One number per metric of the catalog; None where the metric is not defined."""


@dataclass(frozen=True, slots=True)
class PairScore:
    """The scores of one picture.

    Attributes:
        pair: Where its files are, its name, category and defect.
        degraded: Scores of the degraded picture against the reference, where there is one.
        restored: Scores of the restored picture against the reference, where there is one.
        notes: What a reader should know, e.g. that alpha was ignored.
    """

    pair: Pair
    degraded: Scores | None
    restored: Scores | None
    notes: tuple[str, ...] = ()

    @property
    def final(self) -> Scores:
        """The restored scores, else the degraded ones."""
        return self.restored or self.degraded or {}

    def gain(self, metric: str) -> float | None:
        """Return restored minus degraded, or None where either is missing or infinite."""
        return mean_gain([(self.degraded or {}).get(metric)], [(self.restored or {}).get(metric)])

    def to_dict(self) -> dict[str, object]:
        """Return the line of `images` that `eval --json` prints."""
        pair = self.pair
        line: dict[str, object] = {"path": pair.path, "category": pair.category}
        if pair.defect is not None:
            line["defect"] = pair.defect
        line["reference"] = pair.reference.locator
        for side, source, scores in (
            ("degraded", pair.degraded, self.degraded),
            ("restored", pair.restored, self.restored),
        ):
            if source is not None and scores is not None:
                line[side] = {"file": source.locator, **{k: json_number(v) for k, v in scores.items()}}
        if self.notes:
            line["notes"] = list(self.notes)
        return line


@dataclass(frozen=True, slots=True)
class Group:
    """A category, or all pictures together.

    Attributes:
        n: Number of scored pictures.
        degraded: A summary by metric, where degraded pictures are known.
        restored: A summary by metric, where restored pictures are known.
        gain: Mean of the per-image differences by metric, where both are known.
    """

    n: int
    degraded: Mapping[str, Summary] | None
    restored: Mapping[str, Summary] | None
    gain: Mapping[str, float | None] | None

    @property
    def final(self) -> Mapping[str, Summary]:
        """The restored summaries, else the degraded ones."""
        return self.restored or self.degraded or {}

    def to_dict(self) -> dict[str, object]:
        """Return the object that `eval --json` prints for this group."""
        group: dict[str, object] = {"n": self.n}
        if self.degraded is not None:
            group["degraded"] = _side_to_dict(self.degraded)
        if self.restored is not None:
            group["restored"] = _side_to_dict(self.restored)
        if self.gain is not None:
            group["gain"] = {name: json_number(value) for name, value in self.gain.items()}
        return group


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything an evaluation found.

    Attributes:
        overall: All scored pictures together; every picture weighs the same, not every category.
        categories: By name, in alphabetical order.
        images: Every scored picture, in the order of the folder.
        unmatched: Everything that was not scored, each with its reason.
        notes: What holds for the whole, e.g. in how many pictures alpha was ignored.
        protocol: How the scores are computed.
    """

    overall: Group
    categories: Mapping[str, Group]
    images: tuple[PairScore, ...]
    unmatched: tuple[Unmatched, ...]
    notes: tuple[str, ...] = ()
    protocol: str = PROTOCOL

    def to_dict(self) -> dict[str, object]:
        """Return the one object that `eval --json` prints; infinity is the string "inf"."""
        return {
            "protocol": self.protocol,
            "means": MEAN_POLICY,
            "notes": list(self.notes),
            "overall": self.overall.to_dict(),
            "categories": {name: group.to_dict() for name, group in self.categories.items()},
            "images": [score.to_dict() for score in self.images],
            "unmatched": [entry.to_dict() for entry in self.unmatched],
        }


def group_scores(scores: Sequence[PairScore]) -> Group:
    """Summarise some pictures.

    Args:
        scores: The pictures; at least one.

    Returns:
        Their summaries; a side that no picture has is None.
    """
    degraded = [score.degraded for score in scores]
    restored = [score.restored for score in scores]
    has_degraded = any(side is not None for side in degraded)
    has_restored = any(side is not None for side in restored)
    gain = None
    if has_degraded and has_restored:
        gain = {name: mean_gain(_column(degraded, name), _column(restored, name)) for name in METRICS}
    return Group(
        n=len(scores),
        degraded=_summaries(degraded) if has_degraded else None,
        restored=_summaries(restored) if has_restored else None,
        gain=gain,
    )


def json_number(value: float | None) -> float | str | None:
    """Return what JSON can hold: infinity as the string "inf", undefined as null."""
    if value is None or math.isfinite(value):
        return value
    return "inf" if value > 0 else "-inf"


def _column(sides: Iterable[Scores | None], metric: str) -> list[float | None]:
    return [None if side is None else side[metric] for side in sides]


def _summaries(sides: Iterable[Scores | None]) -> dict[str, Summary]:
    known = [side for side in sides if side is not None]
    return {name: summarise(_column(known, name)) for name in METRICS}


def _side_to_dict(side: Mapping[str, Summary]) -> dict[str, object]:
    line: dict[str, object] = {name: json_number(summary.mean) for name, summary in side.items()}
    for name, summary in side.items():
        line[f"{name}_std"] = json_number(summary.std)
        line[f"{name}_median"] = json_number(summary.median)
        line[f"{name}_min"] = json_number(summary.minimum)
        line[f"{name}_n"] = summary.n
    line["identical"] = max(summary.identical for summary in side.values())
    return line
