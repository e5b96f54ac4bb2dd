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
    Series,
    axis_label,
    body,
    by_words,
    color_key,
    direction,
    footnote,
    row_spacing,
    rows_axis,
    series_of,
)
from restorecli.report.chart_style import (
    AFTER,
    INK,
    MUTED,
    PAPER,
    SCREEN,
    WORSE,
    Chart,
    Look,
    blank_chart,
    label_room,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MAX_GROUPS = 40
"""How many groups the page shows of each chart; the table below it has them all."""


def mean_chart(
    evaluation: Evaluation,
    metric: Metric,
    look: Look = SCREEN,
    *,
    series: Sequence[Series] = (),
    limit: int | None = None,
) -> Chart:
    """Draw the means by group as bars from zero, degraded above restored, with 95% bootstrap intervals.

    Args:
        evaluation: What was found: its groups from top to bottom, then all images as "overall" (left out
            where there is but one group); its protocol stands below the chart.
        metric: What is drawn.
        look: Where the chart is to stand.
        series: What is drawn of each group; by default the degraded and the restored images.
        limit: How many groups at most, by default all.
    """
    groups = list(evaluation.groups.items())[:limit]
    rows = [*groups, *([(OVERALL, evaluation.overall)] if len(evaluation.groups) != 1 else [])]
    is_apart = rows[-1][1] is evaluation.overall and len(rows) > 1
    drawn = [one for one in series or series_of(evaluation) if one.has(metric)]
    gains = [one.label for one in drawn] == ["degraded", "restored"]
    lane, between = row_spacing(len(rows), 0.3 if len(drawn) == 1 else 0.23, look)
    pitch = lane * len(drawn) + between
    hidden = len(evaluation.groups) - len(groups)
    drawing = blank_chart(
        f"{metric.title} by {by_words(evaluation)}",
        "Mean of each group with its 95% bootstrap interval; in brackets the number of images. "
        + direction(metric)
        + (f" The first {len(groups)} of {len(evaluation.groups)} groups." if hidden else ""),
        footnote(evaluation, metric),
        len(rows) * pitch + 0.1 + look.inches(AXIS),
        look,
        key_room=0.42 if gains else 0.24,
    )
    labels = [f"{shortened(name, look.letters)}  ({group.n})" for name, group in rows]
    room = label_room(labels, look.size, "bold") + look.inches(0.14)
    axes = body(drawing, look.edge + room, look.edge + look.inches(0.75 if gains else 0.1))
    ends = []
    for row, (name, group) in enumerate(rows):
        middle = row * pitch + (0.1 if is_apart and row == len(rows) - 1 else 0)
        for index, one in enumerate(drawn):
            place = middle + (index - (len(drawn) - 1) / 2) * lane
            summary = one.summaries[name].get(metric.name)
            ends.append(_bar(axes, place, summary, one.color, lane, metric, look))
        if gains:
            _gain_beside(axes, middle, group, metric, look)
    rows_axis(axes, labels, pitch, last_apart=is_apart)
    _number_room(axes, ends, look)
    axes.set_xlabel(axis_label(metric))
    color_key(drawing, drawn)
    if gains:
        word = "change" if metric.higher_is_better is False else "gain"
        axes.text(
            1, 1, word, transform=axes.transAxes, va="bottom", ha="left", color=MUTED, size=look.points(0.9)
        )
    return drawing


def _bar(
    axes: Axes, place: float, summary: Summary | None, color: str, lane: float, metric: Metric, look: Look
) -> tuple[float, float, str]:
    """Draw one bar with its interval and its number; return how far it reaches, and the number."""
    mean = None if summary is None else summary.mean
    if summary is None or mean is None or not math.isfinite(mean):
        axes.text(
            0,
            place,
            f" {format_number(mean, metric.decimals)}",
            va="center",
            color=MUTED,
            size=look.points(0.9),
        )
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
        size=look.points(0.9),
    )
    return min(mean, low), max(mean, high), text


def _gain_beside(axes: Axes, place: float, group: Group, metric: Metric, look: Look) -> None:
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
        size=look.points(0.95),
    )


def _number_room(axes: Axes, ends: Sequence[tuple[float, float, str]], look: Look) -> None:
    """Set the limits so that the numbers behind the longest bars still stand inside the axes."""
    low, high = min([0.0, *(end[0] for end in ends)]), max([0.0, *(end[1] for end in ends)])
    if low == high:
        high = 1.0
    width = axes.get_position().width * look.width
    numbers = sorted({end[2] for end in ends}, key=len)[-3:]
    room = (label_room(numbers, look.points(0.9)) + look.inches(0.2)) / width
    span = (high - low) / max(1 - room * ((low < 0) + (high > 0)), 0.2)
    axes.set_xlim(low - (span * room if low < 0 else 0), high + (span * room if high > 0 else 0))
