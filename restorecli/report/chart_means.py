"""The chart of means: a bar for each side of each group, with its interval and the gain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, Group
from restorecli.evaluation.statistics.summary import Summary
from restorecli.evaluation.tables.cells import OVERALL, format_number
from restorecli.report.chart_rows import (
    AXIS,
    axis_label,
    body,
    by_words,
    direction,
    footnote,
    known_sides,
    row_spacing,
    rows_axis,
    side_key,
    summary_of,
)
from restorecli.report.chart_style import (
    AFTER,
    EDGE,
    INK,
    MUTED,
    PAPER,
    WIDTH,
    WORSE,
    frame,
    label_room,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def mean_chart(evaluation: Evaluation, metric: Metric) -> Figure:
    """Draw the means by group as bars from zero, degraded above restored, with 95% bootstrap intervals.

    Args:
        evaluation: What was found: its groups from top to bottom, then all pictures as "overall"; its
            protocol stands below the chart.
        metric: What is drawn.
    """
    groups = evaluation.groups.items()
    rows = [*((shortened(name), group) for name, group in groups), (OVERALL, evaluation.overall)]
    sides = known_sides(evaluation, metric)
    gains = len(sides) == 2
    lane, between = row_spacing(len(rows), 0.23 if gains else 0.3)
    pitch = lane * len(sides) + between
    drawing = frame(
        f"{metric.title} by {by_words(evaluation)}",
        "Mean of each group with its 95% bootstrap interval; in brackets the number of pictures. "
        + direction(metric),
        footnote(evaluation, metric),
        len(rows) * pitch + 0.1 + AXIS,
    )
    labels = [f"{name}  ({group.n})" for name, group in rows]
    axes = body(drawing, EDGE + label_room(labels) + 0.12, EDGE + (0.75 if gains else 0.1))
    ends = []
    for row, (_, group) in enumerate(rows):
        middle = row * pitch + (0.1 if row == len(rows) - 1 and row else 0)
        for index, (side, color) in enumerate(sides):
            place = middle + (index - (len(sides) - 1) / 2) * lane
            ends.append(_bar(axes, place, summary_of(group, side, metric), color, lane, metric))
        if gains:
            _gain_beside(axes, middle, group, metric)
    rows_axis(axes, labels, pitch, last_apart=len(rows) > 1)
    _number_room(axes, ends)
    axes.set_xlabel(axis_label(metric))
    side_key(drawing, sides)
    if gains:
        word = "change" if metric.higher_is_better is False else "gain"
        axes.text(1, 1, word, transform=axes.transAxes, va="bottom", ha="left", color=MUTED, size=8.5)
    return drawing.figure


def _bar(
    axes: Axes, place: float, summary: Summary | None, color: str, lane: float, metric: Metric
) -> tuple[float, float, str]:
    """Draw one bar with its interval and its number; return how far it reaches, and the number."""
    mean = None if summary is None else summary.mean
    if summary is None or mean is None or not math.isfinite(mean):
        axes.text(0, place, f" {format_number(mean, metric.decimals)}", va="center", color=MUTED, size=8.5)
        return 0.0, 0.0, ""
    axes.barh(place, mean, height=lane * 0.86, color=color)
    low, high = summary.interval or (mean, mean)
    if high > low:
        for shade, width in ((PAPER, 3.2), (INK, 1.2)):  # cased, to be seen on the bar too
            axes.plot([low, high], [place, place], color=shade, linewidth=width, solid_capstyle="butt")
    text = format_number(mean, metric.decimals) + (
        f" (+{summary.identical} inf)" if summary.identical else ""
    )
    outer = max(mean, high) if mean >= 0 else min(mean, low)
    axes.annotate(
        text,
        (outer, place),
        (4 if mean >= 0 else -4, 0),
        textcoords="offset points",
        va="center",
        ha="left" if mean >= 0 else "right",
        size=8.5,
    )
    return min(mean, low), max(mean, high), text


def _gain_beside(axes: Axes, place: float, group: Group, metric: Metric) -> None:
    gain = None if group.gain is None else group.gain.get(metric.name)
    if gain is None:
        return
    better = metric.higher_is_better is not None and (gain > 0) == metric.higher_is_better and gain != 0
    worse = metric.higher_is_better is not None and not better and gain != 0
    axes.text(
        1,
        place,
        format_number(gain, metric.decimals, signed=True),
        transform=axes.get_yaxis_transform(),
        va="center",
        color=AFTER if better else WORSE if worse else MUTED,
        weight="bold",
        size=9,
    )


def _number_room(axes: Axes, ends: Sequence[tuple[float, float, str]]) -> None:
    """Set the limits so that the numbers behind the longest bars still stand inside the axes."""
    low, high = min([0.0, *(end[0] for end in ends)]), max([0.0, *(end[1] for end in ends)])
    if low == high:
        high = 1.0
    figure = axes.get_figure(root=True)
    width = axes.get_position().width * (WIDTH if figure is None else figure.get_figwidth())
    room = (label_room(sorted({end[2] for end in ends}, key=len)[-3:], 8.5) + 0.2) / width
    span = (high - low) / max(1 - room * ((low < 0) + (high > 0)), 0.2)
    axes.set_xlim(low - (span * room if low < 0 else 0), high + (span * room if high > 0 else 0))
