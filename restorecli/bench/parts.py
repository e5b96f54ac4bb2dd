"""A network with and without a part: how large the difference is, and how sure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import stdtrit

from restorecli.bench.trials import TrialResult
from restorecli.errors import RestorecliError
from restorecli.evaluation.statistics.intervals import CONFIDENCE, Interval, bootstrap_interval
from restorecli.evaluation.statistics.summary import Summary, paired_differences, summarize

Verdict = Literal["the part helps", "the part harms", "not told apart"]

POLICY = (
    "A difference is whole - variant in PSNR, seed by seed. "
    f"Its {CONFIDENCE:.0%} interval over seeds is Student's t: how much another training would change it. "
    "That over images is a BCa bootstrap of the images' differences, means over the seeds: how much "
    "other images would. A part helps or harms if both leave out 0, on the same side."
)
"""How differences are judged; printed with them."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A network with or without a part, trained with several seeds.

    Attributes:
        name: What is left out.
        parameters: How many it learns.
        results: By seed; the errors of trainings that failed are among them.
    """

    name: str
    parameters: int
    results: Mapping[int, TrialResult | RestorecliError]

    @property
    def done(self) -> dict[int, TrialResult]:
        """The results of the seeds that went well."""
        return {seed: found for seed, found in self.results.items() if isinstance(found, TrialResult)}

    def summary(self, metric: str) -> Summary:
        """Return the mean of a metric and its spread over the seeds."""
        return summarize(result.restored[metric] for result in self.done.values())


@dataclass(frozen=True, slots=True)
class PartDifference:
    """How much better the whole network is than one without a part, in dB of PSNR.

    Attributes:
        variant: What is left out.
        by_seed: Whole - variant for every seed that both have.
        mean: Over the seeds; None without any.
        over_seeds: 95% interval of the mean by Student's t; None for fewer than two seeds.
        over_images: 95% bootstrap interval of the mean over the images; None for fewer than two.
    """

    variant: str
    by_seed: Mapping[int, float]
    mean: float | None
    over_seeds: Interval | None
    over_images: Interval | None

    @property
    def verdict(self) -> Verdict:
        """What both intervals allow to say."""
        ends = (self.over_seeds, self.over_images)
        if any(each is None or each[0] <= 0 <= each[1] for each in ends):
            return "not told apart"
        above = {each[0] > 0 for each in ends if each is not None}
        if len(above) > 1:
            return "not told apart"
        return "the part helps" if above.pop() else "the part harms"


def difference(whole: Variant, other: Variant) -> PartDifference:
    """Compare two variants, seed by seed and image by image."""
    ours, theirs = whole.done, other.done
    seeds = sorted(ours.keys() & theirs.keys())
    by_seed = {seed: ours[seed].restored["psnr"] - theirs[seed].restored["psnr"] for seed in seeds}
    by_image = [paired_differences(*both) for both in _by_image(whole, other, seeds)]
    return PartDifference(
        variant=other.name,
        by_seed=by_seed,
        mean=summarize(by_seed.values()).mean,
        over_seeds=student_interval(list(by_seed.values())),
        over_images=bootstrap_interval([math.fsum(d) / len(d) for d in by_image if d]),
    )


def _by_image(
    whole: Variant, other: Variant, seeds: Sequence[int]
) -> Iterator[tuple[list[float | None], list[float | None]]]:
    """Yield for every image what the variant and the whole scored with each seed."""
    scored = [(other.done[seed].by_image, whole.done[seed].by_image) for seed in seeds]
    paths = sorted({path for both in scored for each in both for path in each})
    for path in paths:
        yield [theirs.get(path) for theirs, _ in scored], [ours.get(path) for _, ours in scored]


def student_interval(values: Sequence[float]) -> Interval | None:
    """Return the 95% interval of a mean by Student's t; None for fewer than two values.

    mean +- t s / sqrt(n), s being the sample standard deviation and t the quantile for n - 1 degrees of
    freedom.
    """
    found = summarize(values)
    if found.mean is None or found.std is None:
        return None
    reach = float(stdtrit(found.n - 1, (1 + CONFIDENCE) / 2)) * found.std / math.sqrt(found.n)
    return found.mean - reach, found.mean + reach
