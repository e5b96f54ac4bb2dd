"""What charts of rows share: the sides that are drawn, the places of the rows, the words on the axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, Group, PairScore
from restorecli.evaluation.statistics.summary import Summary
from restorecli.report.chart_style import AFTER, BEFORE, RULE, WIDTH, Frame, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Members = Mapping[str, Sequence[PairScore]]
"""The pictures of every group."""

SIDES: Final = (("degraded", BEFORE), ("restored", AFTER))
"""What is drawn of each group, from top to bottom, and in which colour."""

AXIS: Final = 0.5
"""Inches below the drawing for the axis and its label."""

_MANY_ROWS = 16  # above it, rows stand closer


def has_scores(evaluation: Evaluation, metric: Metric) -> bool:
    """Tell whether there is anything to draw of a metric."""
    return bool(known_sides(evaluation, metric))


def known_sides(evaluation: Evaluation, metric: Metric) -> list[tuple[str, str]]:
    """Return the sides that have a mean of a metric, each with its colour."""
    overall = evaluation.overall
    return [
        (side, color)
        for side, color in SIDES
        if (summary := summary_of(overall, side, metric)) is not None and summary.mean is not None
    ]


def summary_of(group: Group, side: str, metric: Metric) -> Summary | None:
    """Return what one side of a group comes to, or None."""
    summaries = group.degraded if side == "degraded" else group.restored
    return None if summaries is None else summaries.get(metric.name)


def row_spacing(rows: int, lane: float) -> tuple[float, float]:
    """Return the inches of a lane and between two groups: less of both where there are many rows."""
    return (lane, 0.2) if rows <= _MANY_ROWS else (lane * 0.72, 0.12)


def body(drawing: Frame, left: float, right: float) -> Axes:
    """Return the axes for rows of inches, `left` and `right` inches from the edges of the figure."""
    axes = drawing.axes_at(
        left, drawing.top, WIDTH - left - right, drawing.height - drawing.top - drawing.bottom - AXIS
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
    axes.tick_params(axis="y", pad=8)
    if last_apart:
        axes.get_yticklabels()[-1].set_fontweight("bold")


def side_key(drawing: Frame, sides: Sequence[tuple[str, str]]) -> None:
    """Draw the key of colours where there is more than one."""
    if len(sides) > 1:
        drawing.key(sides)


def axis_label(metric: Metric) -> str:
    """Return a metric's title with its unit."""
    return f"{metric.title} ({metric.unit})" if metric.unit else metric.title


def by_words(evaluation: Evaluation) -> str:
    """Return what the groups are of, in words."""
    return " and ".join(shortened(name) for name in evaluation.by) or "picture"


def direction(metric: Metric) -> str:
    """Return the sentence that says which way is better."""
    if metric.higher_is_better is None:
        return ""
    return "Higher is better." if metric.higher_is_better else "Lower is better."


def footnote(evaluation: Evaluation, metric: Metric) -> str:
    """Return how a metric is defined, and what the scores compare."""
    defined = f"{metric.title}: {metric.definition}. " if metric.definition else ""
    return f"{defined}{evaluation.protocol}."
