"""Which pairs stand for a whole evaluation: the extremes, and of every category the median and the lowest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, PairScore

RULE = (
    "the worst, the best and the largest change of all, then of every category the median and the worst, "
    "then in turn the next worst, best and most changed"
)
"""How pairs are chosen; printed on the page."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One pair to show, and why this one."""

    score: PairScore
    reason: str


def choose(evaluation: Evaluation, limit: int = 12) -> tuple[Choice, ...]:
    """Pick pairs by the first metric: see `RULE`.

    No pair is picked for looking good: the rule is fixed, and the page prints it beside each image.

    Args:
        evaluation: What was found.
        limit: How many pairs at most.

    Returns:
        The pairs, sorted by category and path.
    """
    if not evaluation.metrics:
        return ()
    reasons: dict[int, list[str]] = {}
    for index, reason in _candidates(evaluation.images, evaluation.metrics[0]):
        if index in reasons:
            reasons[index].append(reason)
        elif len(reasons) < limit:
            reasons[index] = [reason]
    chosen = [
        Choice(evaluation.images[index], ", ".join(w for w in words if w)) for index, words in reasons.items()
    ]
    return tuple(sorted(chosen, key=lambda choice: (choice.score.pair.category, choice.score.pair.path)))


def badness(score: PairScore, metric: Metric) -> float:
    """Return what puts the worst image first; an image without the score comes last."""
    value = score.final.get(metric.name)
    if value is None:
        return math.inf
    return -value if metric.higher_is_better is False else value


def _candidates(scores: Sequence[PairScore], metric: Metric) -> Iterator[tuple[int, str]]:
    """Yield places in `scores` and reasons, the most important first; places come again."""
    everything = range(len(scores))
    worst = _ordered(everything, scores, lambda score: badness(score, metric))
    changed = _ordered(everything, scores, lambda score: -abs(score.gain(metric.name) or 0.0))
    if scores and scores[changed[0]].gain(metric.name) is None:
        changed = []
    firsts = (("worst of all", worst[:1]), ("best of all", worst[:0:-1][:1]), ("largest change", changed[:1]))
    yield from ((index, reason) for reason, indices in firsts for index in indices)
    yield from _of_categories(scores, worst)
    for trio in itertools.zip_longest(worst, reversed(worst), changed):
        yield from ((index, "") for index in trio if index is not None)


def _of_categories(scores: Sequence[PairScore], worst: Sequence[int]) -> Iterator[tuple[int, str]]:
    members: dict[str, list[int]] = {}
    for index in worst:
        members.setdefault(scores[index].pair.category, []).append(index)
    groups = [members[name] for name in sorted(members)]
    yield from ((group[(len(group) - 1) // 2], f"median of {len(group)}") for group in groups)
    if len(groups) > 1:
        yield from ((group[0], f"worst of {len(group)}") for group in groups)


def _ordered(
    places: Sequence[int], scores: Sequence[PairScore], key: Callable[[PairScore], float]
) -> list[int]:
    return sorted(places, key=lambda index: (key(scores[index]), scores[index].pair.path))
