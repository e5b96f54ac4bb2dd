"""What an evaluation found: scores by image, by group and overall, and every image without a partner."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from restorecli.evaluation.metrics.catalog import DEFAULT, METRICS
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.metrics.psnr_ssim import PROTOCOL
from restorecli.evaluation.pairing.pairs import Pair, Source, Unmatched
from restorecli.evaluation.statistics.intervals import INTERVAL_POLICY, Interval, bootstrap_interval
from restorecli.evaluation.statistics.lost_defects import lost_defects
from restorecli.evaluation.statistics.summary import (
    MEAN_POLICY,
    Summary,
    mean_gain,
    paired_differences,
    summarize,
)

Scores = Mapping[str, float | None]
"""One number per metric that was asked for; None where the metric is not defined."""


@dataclass(frozen=True, slots=True)
class PairScore:
    """The scores of one image.

    Attributes:
        pair: Where its files are, its name, category and defect.
        degraded: Scores of the degraded image against the reference, where there is one.
        restored: Scores of the restored image against the reference, where there is one.
        notes: What a reader should know, e.g. that alpha was ignored.
        fields: What the manifest says about it, by the names that `--by` understands; see grouping.fields_of.
    """

    pair: Pair
    degraded: Scores | None
    restored: Scores | None
    notes: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

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
        others = {name: value for name, value in self.fields.items() if name not in ("category", "defect")}
        if others:
            line["fields"] = others
        line["reference"] = None if pair.reference is None else pair.reference.locator
        for side, source, scores in (
            ("degraded", pair.degraded, self.degraded),
            ("restored", pair.restored, self.restored),
        ):
            if source is not None:
                known = {} if scores is None else {k: json_number(v) for k, v in scores.items()}
                line[side] = {"file": source.locator, **known}
        if pair.mask is not None:
            line["mask"] = pair.mask.locator
        if self.notes:
            line["notes"] = list(self.notes)
        return line


@dataclass(frozen=True, slots=True)
class Group:
    """Some images together: a category, those of one severity, or all.

    Attributes:
        n: Number of scored images.
        degraded: A summary by metric, where degraded images are known.
        restored: A summary by metric, where restored images are known.
        gain: Mean of the per-image differences by metric, where both are known.
        gain_intervals: 95% bootstrap interval of the gain by metric, where both are known; None for fewer
            than two images.
        values: What the images have in common, one word for each field of `by`; empty for all images.
    """

    n: int
    degraded: Mapping[str, Summary] | None
    restored: Mapping[str, Summary] | None
    gain: Mapping[str, float | None] | None
    gain_intervals: Mapping[str, Interval | None] | None = None
    values: tuple[str, ...] = ()

    @property
    def final(self) -> Mapping[str, Summary]:
        """The restored summaries, else the degraded ones."""
        return self.restored or self.degraded or {}

    def to_dict(self) -> dict[str, object]:
        """Return the object that `eval --json` prints for this group."""
        group: dict[str, object] = {"n": self.n}
        if self.values:
            group["values"] = list(self.values)
        if self.degraded is not None:
            group["degraded"] = _side_to_dict(self.degraded)
        if self.restored is not None:
            group["restored"] = _side_to_dict(self.restored)
        if self.gain is not None:
            group["gain"] = {name: json_number(value) for name, value in self.gain.items()}
        if self.gain_intervals is not None:
            known = self.gain_intervals.items()
            group["gain_intervals"] = {name: None if ends is None else list(ends) for name, ends in known}
        return group


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything an evaluation found.

    Attributes:
        overall: All scored images together; every image weighs the same, not every category.
        categories: By name, in alphabetical order.
        images: Every scored image, in the order of the folder.
        unmatched: Everything that was not scored, each with its reason.
        notes: What holds for the whole, e.g. in how many images alpha was ignored.
        protocol: How the scores are computed.
        metrics: What was measured, in the order of the columns.
        by: The fields whose values make a group.
        groups: By these fields, numbers in numeric order; the name of a group is its values joined by "/".
        unscored: Pairs that were found but have no score; `unmatched` says why. A saved evaluation has none.
    """

    overall: Group
    categories: Mapping[str, Group]
    images: tuple[PairScore, ...]
    unmatched: tuple[Unmatched, ...]
    notes: tuple[str, ...] = ()
    protocol: str = PROTOCOL
    metrics: tuple[Metric, ...] = tuple(METRICS[name] for name in DEFAULT)
    by: tuple[str, ...] = ("category",)
    groups: Mapping[str, Group] = field(default_factory=dict)
    unscored: tuple[Pair, ...] = ()

    def __repr__(self) -> str:
        """Return one short line: how many images, and the mean of the first metric."""
        name = self.metrics[0].name if self.metrics else ""
        sides = (self.overall.degraded, self.overall.restored)
        means = [side[name].mean for side in sides if side is not None and name in side]
        told = " -> ".join("undefined" if mean is None else f"{mean:.4g}" for mean in means)
        missing = f", {len(self.unmatched)} not scored" if self.unmatched else ""
        return f"<{type(self).__name__}: {self.overall.n} images, {name} {told}{missing}>"

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the images and masks that were scored."""
        return tuple(file for score in self.images for file in score.pair.files)

    @property
    def unscored_files(self) -> tuple[Path, ...]:
        """The files of the pairs without a score."""
        return tuple(file for pair in self.unscored for file in pair.files)

    def to_dict(self) -> dict[str, object]:
        """Return the one object that `eval --json` prints; infinity is the string "inf"."""
        lost = lost_defects(self.images)
        return {
            "protocol": self.protocol,
            "metrics": [metric.name for metric in self.metrics],
            "means": MEAN_POLICY,
            "intervals": INTERVAL_POLICY,
            "notes": list(self.notes),
            "overall": self.overall.to_dict(),
            "categories": {name: group.to_dict() for name, group in self.categories.items()},
            "by": list(self.by),
            "groups": {name: group.to_dict() for name, group in self.groups.items()},
            "folders": _folders(self.images),
            "images": [score.to_dict() for score in self.images],
            "unmatched": [entry.to_dict() for entry in self.unmatched],
            **({} if lost is None else {"lost_defects": lost.to_dict()}),
        }


def group_scores(
    scores: Sequence[PairScore], metrics: Sequence[Metric], values: tuple[str, ...] = ()
) -> Group:
    """Summarize some images.

    Args:
        scores: The images; at least one.
        metrics: What was measured.
        values: What the images have in common.

    Returns:
        Their summaries; a side that no image has is None.
    """
    degraded = [score.degraded for score in scores]
    restored = [score.restored for score in scores]
    has_degraded = any(side is not None for side in degraded)
    has_restored = any(side is not None for side in restored)
    gain = intervals = None
    if has_degraded and has_restored:
        sides = {m.name: (_column(degraded, m.name), _column(restored, m.name)) for m in metrics}
        gain = {name: mean_gain(*columns) for name, columns in sides.items()}
        intervals = {
            name: bootstrap_interval(paired_differences(*columns)) for name, columns in sides.items()
        }
    return Group(
        n=len(scores),
        degraded=_summaries(degraded, metrics) if has_degraded else None,
        restored=_summaries(restored, metrics) if has_restored else None,
        gain=gain,
        gain_intervals=intervals,
        values=values,
    )


def json_number(value: float | None) -> float | str | None:
    """Return what JSON can hold: infinity as the string "inf", undefined as null."""
    if value is None or math.isfinite(value):
        return value
    return "inf" if value > 0 else "-inf"


def _column(sides: Iterable[Scores | None], metric: str) -> list[float | None]:
    return [None if side is None else side.get(metric) for side in sides]


def _summaries(sides: Iterable[Scores | None], metrics: Sequence[Metric]) -> dict[str, Summary]:
    known = [side for side in sides if side is not None]
    return {
        metric.name: summarize(
            _column(known, metric.name), higher_is_better=metric.higher_is_better, interval=True
        )
        for metric in metrics
    }


def _side_to_dict(side: Mapping[str, Summary]) -> dict[str, object]:
    line: dict[str, object] = {name: json_number(summary.mean) for name, summary in side.items()}
    for name, summary in side.items():
        line[f"{name}_std"] = json_number(summary.std)
        line[f"{name}_median"] = json_number(summary.median)
        line[f"{name}_min"] = json_number(summary.minimum)
        line[f"{name}_worst"] = json_number(summary.worst)
        line[f"{name}_interval"] = None if summary.interval is None else list(summary.interval)
        line[f"{name}_n"] = summary.n
        line[f"{name}_identical"] = summary.identical
        line[f"{name}_undefined"] = summary.undefined
    line["identical"] = max((summary.identical for summary in side.values()), default=0)
    return line


def _folders(images: Sequence[PairScore]) -> dict[str, str]:
    """Return the folder that the files of each side are relative to, as it was given."""
    folders: dict[str, str] = {}
    for score in images:
        pair = score.pair
        sides: dict[str, Source | None] = {
            "reference": pair.reference,
            "degraded": pair.degraded,
            "restored": pair.restored,
            "mask": pair.mask,
        }
        for side, source in sides.items():
            if source is not None:
                folders.setdefault(side, str(source.folder))
    return folders
