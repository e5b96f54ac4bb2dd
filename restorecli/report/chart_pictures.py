"""The charts of single pictures: distributions by group, and gain against the degraded score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, PairScore
from restorecli.report.chart_rows import (
    AXIS,
    Members,
    axis_label,
    body,
    by_words,
    direction,
    footnote,
    known_sides,
    row_spacing,
    rows_axis,
    side_key,
)
from restorecli.report.chart_style import (
    AFTER,
    EDGE,
    INK,
    MARKERS,
    MUTED,
    PALETTE,
    PAPER,
    RULE,
    WIDTH,
    Frame,
    frame,
    label_room,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MANY_POINTS = 3000  # above it, points are pixels inside an SVG too
_BOX_FROM = 5  # pictures from which a box says more than the points
_GOLDEN = (math.sqrt(5) - 1) / 2


def distribution_chart(evaluation: Evaluation, members: Members, metric: Metric) -> Figure:
    """Draw every picture as a point, in a lane for each side of each group, with quartiles and median.

    Args:
        evaluation: What was found.
        members: The pictures of each group, from top to bottom.
        metric: What is drawn; pictures with an infinite or no score are counted below the chart.
    """
    sides = known_sides(evaluation, metric)
    lane, between = row_spacing(len(members), 0.25)
    pitch = lane * len(sides) + between
    columns = {name: [_finite(scores, side, metric) for side, _ in sides] for name, scores in members.items()}
    hidden = sum(len(scores) * len(sides) for scores in members.values())
    hidden -= sum(len(values) for lanes in columns.values() for values in lanes)
    drawing = frame(
        f"{metric.title} of every picture by {by_words(evaluation)}",
        f"A point is a picture, a box the middle half, its line the median. {direction(metric)}",
        footnote(evaluation, metric)
        + (f" Not drawn: {hidden} infinite or undefined scores." if hidden else ""),
        len(columns) * pitch + 0.1 + AXIS,
    )
    labels = [f"{shortened(name)}  ({len(members[name])})" for name in columns]
    axes = body(drawing, EDGE + label_room(labels) + 0.12, EDGE + 0.1)
    many = sum(len(values) for lanes in columns.values() for values in lanes) > _MANY_POINTS
    for row, lanes in enumerate(columns.values()):
        for index, (values, (_, color)) in enumerate(zip(lanes, sides, strict=True)):
            place = row * pitch + (index - (len(sides) - 1) / 2) * lane
            _strip(axes, place, values, color, lane, many=many)
    for row in range(1, len(columns)):
        axes.axhline((row - 0.5) * pitch, color=RULE, linewidth=0.8, zorder=0)
    rows_axis(axes, labels, pitch, last_apart=False)
    axes.margins(x=0.03)
    axes.set_xlabel(axis_label(metric))
    side_key(drawing, sides)
    return drawing.figure


def gain_chart(evaluation: Evaluation, members: Members, metric: Metric) -> Figure:
    """Draw for every picture what was gained against what it was before.

    Up to eight groups have a colour and a sign each; more are drawn alike.

    Args:
        evaluation: What was found, degraded and restored.
        members: The pictures of each group.
        metric: What is drawn.
    """
    coded = 1 < len(members) <= len(PALETTE)
    drawing = frame(
        f"Gain in {metric.title} against the degraded picture",
        f"A point is a picture; on the line nothing changed. {_better_side(metric)}",
        footnote(evaluation, metric),
        4.6,
    )
    names = [shortened(name, 26) for name in members]
    right = EDGE + (label_room(names) + 0.45 if coded else 0.1)
    axes = drawing.axes_at(EDGE + 0.62, drawing.top, WIDTH - EDGE - 0.62 - right, 4.6 - AXIS)
    axes.grid(visible=True)
    axes.axhline(0, color=INK, linewidth=1, zorder=1)
    points = [_changes(scores, metric) for scores in members.values()]
    many = sum(len(part) for part in points) > _MANY_POINTS
    for index, part in enumerate(points):
        axes.scatter(
            part[:, 0],
            part[:, 1],
            s=9 if many else 26,
            color=PALETTE[index] if coded else AFTER,
            marker=MARKERS[index] if coded else "o",
            alpha=0.35 if many else 0.8,
            linewidth=0.4,
            edgecolor=PAPER,
            rasterized=many,
            zorder=2,
        )
    axes.margins(0.05)
    axes.tick_params(axis="y", labelcolor=MUTED)
    axes.set_xlabel(f"degraded: {axis_label(metric)}")
    axes.set_ylabel(f"restored - degraded{f' ({metric.unit})' if metric.unit else ''}")
    if coded:
        _names_beside(axes, names, drawing)
    return drawing.figure


def _names_beside(axes: Axes, names: Sequence[str], drawing: Frame) -> None:
    """Draw the key of groups to the right of the axes; matplotlib's own legend drops names such as "_a"."""
    height = drawing.height - drawing.top - drawing.bottom - AXIS
    for index, name in enumerate(names):
        y = 1 - (0.12 + 0.24 * index) / height
        axes.plot([1.035], [y], MARKERS[index], color=PALETTE[index], transform=axes.transAxes, clip_on=False)
        axes.text(1.06, y, name, transform=axes.transAxes, va="center", color=INK)


def _strip(
    axes: Axes, place: float, values: NDArray[np.float64], color: str, lane: float, *, many: bool
) -> None:
    """Draw one lane: the points beside one another in a fixed pattern, and the quartiles over them."""
    if not len(values):
        return
    jitter = (np.arange(1, len(values) + 1) * _GOLDEN % 1 - 0.5) * lane * 0.62
    axes.scatter(
        values,
        place + jitter,
        s=4 if many else 13,
        color=color,
        alpha=0.3 if many else 0.55,
        linewidth=0,
        rasterized=many,
        zorder=2,
    )
    lower, median, upper = np.percentile(values, (25, 50, 75))
    half = lane * 0.42
    if len(values) >= _BOX_FROM:
        box = [lower, upper, upper, lower, lower], [place - half] * 2 + [place + half] * 2 + [place - half]
        axes.plot(*box, color=INK, linewidth=0.9, zorder=3)
    axes.plot([median, median], [place - half, place + half], color=INK, linewidth=2, zorder=3)


def _finite(scores: Sequence[PairScore], side: str, metric: Metric) -> NDArray[np.float64]:
    values = ((getattr(score, side) or {}).get(metric.name) for score in scores)
    return np.array([value for value in values if value is not None and math.isfinite(value)], np.float64)


def _changes(scores: Sequence[PairScore], metric: Metric) -> NDArray[np.float64]:
    """Return (degraded, gain) of every picture that has both, (N, 2)."""
    pairs = [((score.degraded or {}).get(metric.name), score.gain(metric.name)) for score in scores]
    known: list[Any] = [pair for pair in pairs if pair[1] is not None]
    return np.array(known, np.float64).reshape(-1, 2)


def _better_side(metric: Metric) -> str:
    if metric.higher_is_better is None:
        return ""
    return f"{'Above' if metric.higher_is_better else 'Below'} it a picture got better."
