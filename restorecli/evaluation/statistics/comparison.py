"""Several methods on the same images: paired differences, their intervals, and a verdict for each."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, PairScore
from restorecli.evaluation.statistics.difference import (
    LEVEL,
    OVERALL,
    Comparison,
    Difference,
    Missing,
    Verdict,
)
from restorecli.evaluation.statistics.grouping import split
from restorecli.evaluation.statistics.intervals import bootstrap_interval
from restorecli.evaluation.statistics.summary import paired_differences, summarize

__all__ = ["Comparison", "Difference", "compare", "holm"]


def compare(
    candidate: Evaluation,
    rivals: Mapping[str, Evaluation],
    metrics: Sequence[Metric] | None = None,
    *,
    name: str = "restored",
    groups: bool = True,
) -> Comparison:
    """Compare a method with others, image by image.

    Images are paired by their path. Wilcoxon's test leaves out differences of exactly zero and is exact for
    up to 50 images without ties, else a normal approximation (scipy.stats.wilcoxon); p-values are corrected
    by Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979, over everything compared here.

    Args:
        candidate: The method in question.
        rivals: The other methods by name, scored by the same protocol.
        metrics: What to compare; by default everything that the candidate was measured with.
        name: Name of the candidate.
        groups: Compare within every group of the candidate too, not only over all images.

    Returns:
        The differences, and every image that only one of two methods has.
    """
    chosen = candidate.metrics if metrics is None else tuple(metrics)
    others = {key: {score.pair.path: score for score in rival.images} for key, rival in rivals.items()}
    members: dict[tuple[str, ...], list[PairScore]] = {}
    if groups and candidate.by:
        members, _ = split(candidate.images, candidate.by)
    members[()] = list(candidate.images)
    found = [
        _difference(values, of, rival, others[rival], metric)
        for values, of in members.items()
        for metric in chosen
        for rival in others
    ]
    directions = {metric.name: metric.higher_is_better for metric in chosen}
    return Comparison(
        candidate=name,
        rivals=tuple(rivals),
        metrics=chosen,
        by=candidate.by if groups else (),
        differences=tuple(_judged(found, directions)),
        means={
            name: _means(members, None, chosen),
            **{rival: _means(members, scores, chosen) for rival, scores in others.items()},
        },
        missing=tuple(_missing(candidate, rivals, others)),
        evaluations=dict(rivals),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected by Holm's step-down method, in the order given.

    The k-th smallest of m is multiplied by m - k + 1; a corrected value is never below that of a smaller one,
    nor above 1.
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min((len(p_values) - rank) * p_values[index], 1.0))
        corrected[index] = highest
    return corrected


def _difference(
    values: tuple[str, ...],
    members: Sequence[PairScore],
    rival: str,
    others: Mapping[str, PairScore],
    metric: Metric,
) -> Difference:
    pairs = [(score, others[score.pair.path]) for score in members if score.pair.path in others]
    ours = [score.final.get(metric.name) for score, _ in pairs]
    theirs = [score.final.get(metric.name) for _, score in pairs]
    differences = sorted(paired_differences(theirs, ours))
    both = [
        (one, other)
        for one, other in zip(ours, theirs, strict=True)
        if one is not None and other is not None and math.isfinite(one) and math.isfinite(other)
    ]
    return Difference(
        group="/".join(values) or OVERALL,
        values=values,
        rival=rival,
        metric=metric.name,
        n=len(differences),
        left_out=len(pairs) - len(differences),
        candidate=summarize(one for one, _ in both).mean,
        other=summarize(other for _, other in both).mean,
        mean=summarize(differences).mean,
        interval=bootstrap_interval(differences),
        p=_wilcoxon(differences),
        p_holm=None,
        verdict=None,
    )


def _wilcoxon(differences: Sequence[float]) -> float | None:
    """Return the two-sided p-value of the signed-rank test; 1 where every difference is zero."""
    if not differences:
        return None
    changed = [value for value in differences if value != 0]
    if not changed:
        return 1.0
    from scipy.stats import wilcoxon

    return float(wilcoxon(changed).pvalue)


def _judged(found: Sequence[Difference], directions: Mapping[str, bool | None]) -> Iterator[Difference]:
    tested = [entry.p for entry in found if entry.p is not None]
    corrected = iter(holm(tested))
    ordered = sorted(tested)
    for entry in found:
        p_holm = None if entry.p is None else next(corrected)
        verdict = _verdict(entry, p_holm, directions[entry.metric])
        few = verdict == "tie" and _smallest_corrected(entry.n, ordered) >= LEVEL
        yield replace(entry, p_holm=p_holm, verdict="undecided" if few else verdict, few=few)


def _smallest_corrected(n: int, ordered: Sequence[float]) -> float:
    """Return the corrected p-value that n differences of one sign would have in place of what was found.

    Args:
        n: Number of images.
        ordered: All p-values of the family, sorted.
    """
    least = 2.0 ** (1 - n)  # of the signed-rank test
    smaller = bisect.bisect_left(ordered, least)
    before = holm(ordered)[smaller - 1] if smaller else 0.0
    return max(before, (len(ordered) - smaller) * least)


def _verdict(entry: Difference, p_holm: float | None, higher_is_better: bool | None) -> Verdict | None:
    if higher_is_better is None or p_holm is None:
        return None
    if p_holm >= LEVEL or entry.interval is None or entry.interval[0] <= 0 <= entry.interval[1]:
        return "tie"
    return "better" if (entry.interval[0] > 0) == higher_is_better else "worse"


def _means(
    members: Mapping[tuple[str, ...], Sequence[PairScore]],
    others: Mapping[str, PairScore] | None,
    metrics: Sequence[Metric],
) -> dict[str, dict[str, float | None]]:
    """Return a method's own mean by group and metric; `others` holds its scores by path."""
    means: dict[str, dict[str, float | None]] = {}
    for values, of in members.items():
        scores = of if others is None else [others[s.pair.path] for s in of if s.pair.path in others]
        means["/".join(values) or OVERALL] = {
            metric.name: summarize(score.final.get(metric.name) for score in scores).mean
            for metric in metrics
        }
    return means


def _missing(
    candidate: Evaluation,
    rivals: Mapping[str, Evaluation],
    others: Mapping[str, Mapping[str, PairScore]],
) -> Iterator[Missing]:
    ours = {score.pair.path for score in candidate.images}
    for rival, scores in others.items():
        reasons = {entry.path: entry.reason for entry in rivals[rival].unmatched}
        for path in (score.pair.path for score in candidate.images):
            if path not in scores:
                yield Missing(rival, path, reasons.pop(path, f"{rival} has no score for it"))
        for path in scores:
            if path not in ours:
                yield Missing(rival, path, f"only {rival} has a score for it")
        for path, reason in reasons.items():
            if path not in scores:
                yield Missing(rival, path, reason)
