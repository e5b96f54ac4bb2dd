"""What charts of rows share: the sides that are drawn, the places of the rows, the words on the axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, PairScore, Scores, group_scores
from restorecli.evaluation.statistics.grouping import split
from restorecli.evaluation.statistics.summary import Summary
from restorecli.evaluation.tables.cells import OVERALL
from restorecli.report.chart_style import AFTER, BEFORE, RULE, SCREEN, Chart, Look, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Members = Mapping[str, Sequence[PairScore]]
"""The images of every group."""

OTHERS: Final = ("#0072b2", "#cc79a7", "#d55e00", "#56b4e9", "#b8a800", "#8a8f98")
"""Colors of the methods compared with, in their order."""

AXIS: Final = 0.5
"""Inches below the drawing for the axis and its label."""

_MANY_ROWS = 16  # above it, rows stand closer


@dataclass(frozen=True, slots=True)
class Series:
    """What is drawn in one color: the degraded images, the restored ones, or those of another method.

    Attributes:
        label: Its name in the key.
        color: Of bars and points.
        summaries: By group, and `OVERALL` for all images, then by metric.
        scores: The scores of single images by group.
    """

    label: str
    color: str
    summaries: Mapping[str, Mapping[str, Summary]]
    scores: Mapping[str, Sequence[Scores]]

    def has(self, metric: Metric) -> bool:
        """Whether there is a mean of a metric to draw."""
        summary = self.summaries[OVERALL].get(metric.name)
        return summary is not None and summary.mean is not None


def series_of(
    evaluation: Evaluation,
    others: Mapping[str, Evaluation] = MappingProxyType({}),
    name: str = "restored",
) -> list[Series]:
    """Return what is drawn of an evaluation, from top to bottom: degraded, restored, then other methods.

    Args:
        evaluation: What was found; its groups are drawn.
        others: The same images by other methods, by name; each counts the images that it has a score for.
        name: What the restored images are called in the key.
    """
    members = members_of(evaluation)
    found = []
    for side, color in (("degraded", BEFORE), ("restored", AFTER)):
        groups = {**evaluation.groups, OVERALL: evaluation.overall}
        summaries = {key: getattr(group, side) or {} for key, group in groups.items()}
        scores = {
            key: [known for score in of if (known := getattr(score, side)) is not None]
            for key, of in members.items()
        }
        found.append(Series(name if side == "restored" else side, color, summaries, scores))
    for index, (label, other) in enumerate(others.items()):
        found.append(_other_series(label, OTHERS[index % len(OTHERS)], members, other))
    return found


def _other_series(name: str, color: str, members: Members, other: Evaluation) -> Series:
    known = {score.pair.path: score for score in other.images}
    found = {group: [known[s.pair.path] for s in of if s.pair.path in known] for group, of in members.items()}
    summaries = {
        group: group_scores(scores, other.metrics).final if scores else {} for group, scores in found.items()
    }
    scores = {group: [score.final for score in of] for group, of in found.items()}
    return Series(name, color, {**summaries, OVERALL: other.overall.final}, scores)


def members_of(evaluation: Evaluation) -> Members:
    """Return the images of every group, under the names of the table."""
    found, _ = split(evaluation.images, evaluation.by or ("category",))
    return {"/".join(key): scores for key, scores in found.items()}


def has_scores(evaluation: Evaluation, metric: Metric) -> bool:
    """Tell whether there is anything to draw of a metric."""
    sides = (evaluation.overall.degraded, evaluation.overall.restored)
    return any(side is not None and side[metric.name].mean is not None for side in sides)


def has_gains(evaluation: Evaluation, metric: Metric) -> bool:
    """Tell whether some image has both a degraded and a restored score."""
    return (evaluation.overall.gain or {}).get(metric.name) is not None


def row_spacing(rows: int, lane: float, look: Look = SCREEN) -> tuple[float, float]:
    """Return the inches of a lane and between two groups: less of both where there are many rows."""
    lane, between = (lane, 0.2) if rows <= _MANY_ROWS else (lane * 0.72, 0.12)
    return look.inches(lane), look.inches(between)


def body(drawing: Chart, left: float, right: float) -> Axes:
    """Return the axes for rows of inches, `left` and `right` inches from the edges of the figure."""
    axes = drawing.axes_at(
        left,
        drawing.top,
        drawing.look.width - left - right,
        drawing.height - drawing.top - drawing.bottom - drawing.look.inches(AXIS),
    )
    axes.grid(visible=True, axis="x")
    return axes


def rows_axis(axes: Axes, labels: Sequence[str], pitch: float, *, last_apart: bool) -> None:
    """Set the names of the rows, from top to bottom, in inches of the drawing."""
    places = [row * pitch for row in range(len(labels))]
    if last_apart:
        places[-1] += 0.1
        axes.axhline(places[-1] - pitch / 2, color=RULE, linewidth=1.6)
    axes.set_yticks(places, labels)
    axes.set_ylim(places[-1] + pitch / 2, -pitch / 2)
    axes.tick_params(axis="y", pad=6)
    if last_apart:
        axes.get_yticklabels()[-1].set_fontweight("bold")


def color_key(drawing: Chart, series: Sequence[Series]) -> None:
    """Draw the key of colors where there is more than one."""
    if len(series) > 1:
        drawing.key([(shortened(one.label, 18), one.color) for one in series])


def axis_label(metric: Metric) -> str:
    """Return a metric's title with its unit."""
    return f"{metric.title} ({metric.unit})" if metric.unit else metric.title


def by_words(evaluation: Evaluation) -> str:
    """Return what the groups are of, in words."""
    return " and ".join(shortened(name) for name in evaluation.by) or "image"


def direction(metric: Metric) -> str:
    """Return the sentence that says which way is better."""
    if metric.higher_is_better is None:
        return ""
    return "Higher is better." if metric.higher_is_better else "Lower is better."


def footnote(evaluation: Evaluation, metric: Metric) -> str:
    """Return how a metric is defined, and what the scores compare."""
    defined = f"{metric.title}: {metric.definition}. " if metric.definition else ""
    return f"{defined}{evaluation.protocol}."
