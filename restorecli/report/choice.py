"""Which pairs stand for a whole evaluation: of every category the median one and the lowest one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from restorecli.evaluate.result import Evaluation, PairScore


@dataclass(frozen=True, slots=True)
class Choice:
    """One pair to show, and why this one."""

    score: PairScore
    reason: str


def choose(evaluation: Evaluation, limit: int = 12) -> tuple[Choice, ...]:
    """Pick pairs by their PSNR: first the median of every category, then the lowest of every category.

    No pair is picked for looking good: the rule is fixed, and the page prints it beside each picture.

    Args:
        evaluation: What was found.
        limit: How many pairs at most.

    Returns:
        The pairs, sorted by category and path.
    """
    medians, lowest = [], []
    for members in _by_category(evaluation):
        ordered = sorted(members, key=lambda score: (_psnr(score), score.pair.path))
        count = len(ordered)
        middle = ordered[(count - 1) // 2]
        medians.append(Choice(middle, f"median of {count}" if count > 2 else ""))
        if count > 2:
            lowest.append(Choice(ordered[0], f"lowest of {count}"))
        elif count == 2:
            lowest.append(Choice(ordered[1], ""))
    chosen = [*medians, *lowest][:limit]
    return tuple(sorted(chosen, key=lambda choice: (choice.score.pair.category, choice.score.pair.path)))


def _by_category(evaluation: Evaluation) -> Iterator[list[PairScore]]:
    members: dict[str, list[PairScore]] = {}
    for score in evaluation.images:
        members.setdefault(score.pair.category, []).append(score)
    for name in sorted(members):
        yield members[name]


def _psnr(score: PairScore) -> float:
    value = score.final.get("psnr")
    return math.inf if value is None else value
