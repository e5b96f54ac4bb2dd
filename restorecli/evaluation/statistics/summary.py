"""What many scores come to: number, mean, spread, median, worst; identical images are accounted for."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from restorecli.evaluation.statistics.intervals import Interval, bootstrap_interval

MEAN_POLICY = (
    "A mean and its spread (sample standard deviation) are over the pairs with a finite score; "
    "identical pairs (PSNR inf) are counted under 'identical' and are inf in the median and minimum. "
    "A gain is the mean of the per-image differences."
)
"""How infinite scores are treated; printed in every output."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric over a group of images.

    Attributes:
        n: Scores that went into the mean: finite ones.
        identical: Infinite scores (images that equal their reference).
        undefined: Images on which the metric is not defined, such as SSIM under 11 pixels.
        mean: Mean of the finite scores; infinity when every score is infinite; None without any score.
        std: Sample standard deviation (n - 1) of the finite scores; None for fewer than two.
        median: Median of all scores, infinite ones included; None without any.
        minimum: The lowest score; None without any.
        worst: The lowest score, or the highest where less is better; None without any, or where a metric has
            no direction.
        interval: 95% bootstrap interval of the mean; None where it was not asked for, and for fewer than two
            finite scores.
    """

    n: int
    identical: int
    undefined: int
    mean: float | None
    std: float | None
    median: float | None
    minimum: float | None
    worst: float | None = None
    interval: Interval | None = None


def summarize(
    scores: Iterable[float | None], *, higher_is_better: bool | None = True, interval: bool = False
) -> Summary:
    """Summarize one metric over a group; the result does not depend on the order of the scores.

    Args:
        scores: One number per image: finite, infinite (identical images) or None (undefined).
        higher_is_better: The metric's direction, which decides what is worst; None where it has none.
        interval: Give the bootstrap interval of the mean too.

    Returns:
        The summary; sums are correctly rounded (math.fsum).
    """
    everything = np.fromiter((math.nan if score is None else score for score in scores), np.float64)
    known = array("d", np.sort(everything[~np.isnan(everything)]).tobytes())
    finite = array("d", filter(math.isfinite, known))
    mean = _mean(finite) if finite else (known[0] if known else None)
    worst = None
    if known and higher_is_better is not None:
        worst = known[0] if higher_is_better else known[-1]
    return Summary(
        n=len(finite),
        identical=len(known) - len(finite),
        undefined=len(everything) - len(known),
        mean=mean,
        std=_spread(finite),
        median=_median(known) if known else None,
        minimum=known[0] if known else None,
        worst=worst,
        interval=bootstrap_interval(finite) if interval else None,
    )


def paired_differences(before: Sequence[float | None], after: Sequence[float | None]) -> list[float]:
    """Return the differences after - before over the images where both are finite.

    Args:
        before: One score per image.
        after: The scores of the same images in the same order.
    """
    return [
        last - first
        for first, last in zip(before, after, strict=True)
        if first is not None and last is not None and math.isfinite(first) and math.isfinite(last)
    ]


def mean_gain(before: Sequence[float | None], after: Sequence[float | None]) -> float | None:
    """Mean of the differences after - before over the images where both are finite.

    Args:
        before: One score per image.
        after: The scores of the same images in the same order.

    Returns:
        The mean difference, or None when no image has both.
    """
    differences = paired_differences(before, after)
    return _mean(differences) if differences else None


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _spread(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    center = _mean(values)
    return math.sqrt(math.fsum((value - center) ** 2 for value in values) / (len(values) - 1))


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
