"""What a comparison of methods found: a difference and a verdict for each group, metric and rival."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from restorecli.counting import counted
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, json_number
from restorecli.evaluation.statistics.intervals import Interval

Verdict = Literal["better", "tie", "worse", "undecided"]

OVERALL = "overall"
"""Name of the group of all images."""

LEVEL = 0.05
"""Corrected p-values below this are taken for a difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One method against another, in one metric, over one group.

    Attributes:
        group: Name of the group, or "overall".
        values: What the images of the group have in common; empty for all.
        rival: Name of the other method.
        metric: Name of the metric.
        n: Images on which both have a finite score.
        left_out: Images that both scored, but one of them infinite or undefined.
        candidate: Mean of this method over these n images.
        other: Mean of the other method over the same images.
        mean: Mean of the differences, this method minus the other.
        interval: 95% bootstrap interval of the mean difference; None for fewer than two images.
        p: Two-sided p-value of Wilcoxon's signed-rank test; None without images.
        p_holm: The same, corrected by Holm over all comparisons.
        verdict: Whether this method is better; None where the metric has no direction.
        few: Whether n images are too few to decide among so many tests: even if all n differences had the
            same sign, the corrected p-value would not be below `LEVEL`. The verdict is then "undecided".
    """

    group: str
    values: tuple[str, ...]
    rival: str
    metric: str
    n: int
    left_out: int
    candidate: float | None
    other: float | None
    mean: float | None
    interval: Interval | None
    p: float | None
    p_holm: float | None
    verdict: Verdict | None
    few: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return the entry as JSON values."""
        return {
            "group": self.group,
            "values": list(self.values),
            "rival": self.rival,
            "metric": self.metric,
            "n": self.n,
            "left_out": self.left_out,
            "candidate": self.candidate,
            "other": self.other,
            "difference": self.mean,
            "interval": None if self.interval is None else list(self.interval),
            "p": self.p,
            "p_holm": self.p_holm,
            "verdict": self.verdict,
            "few": self.few,
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """An image that one of two methods has no score for."""

    rival: str
    path: str
    reason: str

    def to_dict(self) -> dict[str, object]:
        """Return the entry as JSON values."""
        return {"rival": self.rival, "path": self.path, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One method against others.

    Attributes:
        candidate: Name of the method that the verdicts are about.
        rivals: Names of the others.
        metrics: What was compared.
        by: The fields that made the groups.
        differences: By group, the whole last, then by metric, then by rival.
        means: By method, group and metric the mean over that method's own finite scores.
        missing: Images that are not in every comparison, each with its reason.
        evaluations: The rivals' own scores by name; not part of `to_dict`.
    """

    candidate: str
    rivals: tuple[str, ...]
    metrics: tuple[Metric, ...]
    by: tuple[str, ...]
    differences: tuple[Difference, ...]
    means: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    missing: tuple[Missing, ...] = ()
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict, repr=False)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups, the whole last."""
        return tuple(dict.fromkeys(entry.group for entry in self.differences))

    @property
    def tests(self) -> int:
        """How many significance tests were made: the family that Holm's method corrects for."""
        return sum(entry.p is not None for entry in self.differences)

    @property
    def policy(self) -> str:
        """How verdicts are reached, with the number of tests; printed below every comparison."""
        family = " x ".join(
            counted(count, noun)
            for count, noun in (
                (len(self.groups), "group"),
                (len(self.metrics), "metric"),
                (len(self.rivals), "other method"),
            )
        )
        return (
            "A difference is this method minus the other, averaged over the images. Better or worse: the "
            "p-value of Wilcoxon's signed-rank test, corrected by Holm's method over the whole family of "
            f"{self.tests} tests ({family}), is below {LEVEL:g}, and the 95% interval of the mean difference "
            "(not corrected) lies on that side of 0. Tie: it is not. Undecided (few): so few images can not "
            "reach that level among so many tests, whatever their scores are."
        )

    @property
    def methods(self) -> tuple[str, ...]:
        """The method itself, then its rivals."""
        return self.candidate, *self.rivals

    def find(self, group: str, metric: str, rival: str) -> Difference:
        """Return one difference; `group` is a group's name or "overall"."""
        return next(
            entry
            for entry in self.differences
            if (entry.group, entry.metric, entry.rival) == (group, metric, rival)
        )

    def to_dict(self) -> dict[str, object]:
        """Return the object that `eval --json` prints under "comparison"."""
        return {
            "candidate": self.candidate,
            "rivals": list(self.rivals),
            "policy": self.policy,
            "means": {
                method: {
                    group: {name: json_number(value) for name, value in line.items()}
                    for group, line in groups.items()
                }
                for method, groups in self.means.items()
            },
            "differences": [entry.to_dict() for entry in self.differences],
            "missing": [entry.to_dict() for entry in self.missing],
        }
