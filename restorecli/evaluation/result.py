"""What an evaluation found: scores by image, by group and overall, and every image without a partner."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from restorecli.counting import counted
from restorecli.evaluation.metrics.catalog import DEFAULT, METRICS
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.metrics.psnr_ssim import PROTOCOL
from restorecli.evaluation.pairing.pairs import Pair, Source, Unmatched
from restorecli.evaluation.parts import Part
from restorecli.evaluation.statistics.intervals import INTERVAL_POLICY, Interval, bootstrap_interval
from restorecli.evaluation.statistics.lost_defects import lost_defects
from restorecli.evaluation.statistics.summary import (
    MEAN_POLICY,
    Summary,
    mean_gain,
    summarize,
)
from restorecli.folders.addresses import shown

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
class Outcome:
    """What scoring one pair gave: a score, or what stood in the way, or both."""

    score: PairScore | None
    problems: tuple[Unmatched, ...] = ()


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

    def __str__(self) -> str:
        """Return one line: the mean of each metric before and after, and how many images."""
        sides = [side for side in (self.degraded, self.restored) if side is not None]
        told = [f"{name} {' -> '.join(_short(side[name].mean) for side in sides)}" for name in self.final]
        return ", ".join([*told, counted(self.n, "image")])

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
        part: Where its images belong in a whole, where only a part of a folder was scored; else None.
    """

    overall: Group
    categories: Mapping[str, Group]
    images: Sequence[PairScore]
    unmatched: tuple[Unmatched, ...]
    notes: tuple[str, ...] = ()
    protocol: str = PROTOCOL
    metrics: tuple[Metric, ...] = tuple(METRICS[name] for name in DEFAULT)
    by: tuple[str, ...] = ("category",)
    groups: Mapping[str, Group] = field(default_factory=dict)
    unscored: tuple[Pair, ...] = ()
    part: Part | None = None

    def __repr__(self) -> str:
        """Return one short line: how many images, and the mean of the first metric."""
        name = self.metrics[0].name if self.metrics else ""
        sides = (self.overall.degraded, self.overall.restored)
        told = " -> ".join(_short(side[name].mean) for side in sides if side is not None and name in side)
        missing = f", {len(self.unmatched)} not scored" if self.unmatched else ""
        return f"<{type(self).__name__}: {counted(self.overall.n, 'image')}, {name} {told}{missing}>"

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the images and masks that were scored."""
        return tuple(file for score in self.images for file in score.pair.files)

    @property
    def unscored_files(self) -> tuple[Path, ...]:
        """The files of the pairs without a score."""
        return tuple(file for pair in self.unscored for file in pair.files)

    @property
    def pairs(self) -> Iterator[Pair]:
        """All pairs one by one, those without a score last."""
        return chain((score.pair for score in self.images), self.unscored)

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
            **({} if self.part is None else {"part": self.part.to_dict()}),
        }


class GroupScores:
    """The scores of a group as columns of numbers, 8 bytes each, to which images are added one by one.

    Args:
        metrics: What was measured.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics
        self._n = 0
        self._degraded = {metric.name: array("d") for metric in metrics}
        self._restored = {metric.name: array("d") for metric in metrics}
        self._gains = {metric.name: array("d") for metric in metrics}
        self._sides: set[str] = set()

    def add(self, score: PairScore) -> None:
        """Add the scores of one image."""
        self._n += 1
        for side, scores, columns in (
            ("degraded", score.degraded, self._degraded),
            ("restored", score.restored, self._restored),
        ):
            if scores is not None:
                self._sides.add(side)
                for name, column in columns.items():
                    value = scores.get(name)
                    column.append(math.nan if value is None else value)
        for name, gains in self._gains.items():
            gain = score.gain(name)
            if gain is not None:
                gains.append(gain)

    def group(self, values: tuple[str, ...] = ()) -> Group:
        """Return the summaries of all that were added; a side that no image has is None.

        Args:
            values: What the images have in common.
        """
        gain = intervals = None
        if len(self._sides) == 2:
            gain = {name: summarize(gains).mean for name, gains in self._gains.items()}
            intervals = {name: bootstrap_interval(gains) for name, gains in self._gains.items()}
        return Group(
            n=self._n,
            degraded=self._summaries(self._degraded) if "degraded" in self._sides else None,
            restored=self._summaries(self._restored) if "restored" in self._sides else None,
            gain=gain,
            gain_intervals=intervals,
            values=values,
        )

    def _summaries(self, columns: Mapping[str, array[float]]) -> dict[str, Summary]:
        return {
            metric.name: summarize(
                (None if math.isnan(value) else value for value in columns[metric.name]),
                higher_is_better=metric.higher_is_better,
                interval=True,
            )
            for metric in self._metrics
        }


def group_scores(
    scores: Iterable[PairScore], metrics: Sequence[Metric], values: tuple[str, ...] = ()
) -> Group:
    """Summarize some images.

    Args:
        scores: The images; at least one.
        metrics: What was measured.
        values: What the images have in common.

    Returns:
        Their summaries; a side that no image has is None.
    """
    columns = GroupScores(metrics)
    for score in scores:
        columns.add(score)
    return columns.group(values)


def json_number(value: float | None) -> float | str | None:
    """Return what JSON can hold: infinity as the string "inf", undefined as null."""
    if value is None or math.isfinite(value):
        return value
    return "inf" if value > 0 else "-inf"


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
                folders.setdefault(side, str(shown(source.folder)))
    return folders


def _short(mean: float | None) -> str:
    return "undefined" if mean is None else f"{mean:.4g}"
