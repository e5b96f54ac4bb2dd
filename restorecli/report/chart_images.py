"""The charts of single images: distributions by group, and gain against the degraded score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, PairScore, Scores
from restorecli.report.chart_rows import (
    AXIS,
    Series,
    axis_label,
    body,
    by_words,
    color_key,
    direction,
    footnote,
    members_of,
    row_spacing,
    rows_axis,
    series_of,
)
from restorecli.report.chart_style import (
    AFTER,
    INK,
    MARKERS,
    MUTED,
    PALETTE,
    PAPER,
    RULE,
    SCREEN,
    Chart,
    Look,
    blank_chart,
    label_room,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY_POINTS = 3000  # above it, points are pixels inside an SVG too
_BOX_FROM = 5  # images from which a box says more than the points
_GOLDEN = (math.sqrt(5) - 1) / 2


def distribution_chart(
    evaluation: Evaluation, metric: Metric, look: Look = SCREEN, *, series: Sequence[Series] = ()
) -> Chart:
    """Draw every image as a point, in a lane for each side of each group, with quartiles and median.

    Args:
        evaluation: What was found.
        metric: What is drawn; images with an infinite or no score are counted below the chart.
        look: Where the chart is to stand.
        series: What is drawn of each group; by default the degraded and the restored images.
    """
    members = members_of(evaluation)
    drawn = [one for one in series or series_of(evaluation) if one.has(metric)]
    lane, between = row_spacing(len(members), 0.25, look)
    pitch = lane * len(drawn) + between
    columns = {name: [_finite(one.scores[name], metric) for one in drawn] for name in members}
    hidden = sum(len(one.scores[name]) for name in members for one in drawn)
    hidden -= sum(len(values) for lanes in columns.values() for values in lanes)
    drawing = blank_chart(
        f"{metric.title} of every image by {by_words(evaluation)}",
        f"A point is an image, a box the middle half, its line the median. {direction(metric)}",
        footnote(evaluation, metric)
        + (f" Not drawn: {hidden} infinite or undefined scores." if hidden else ""),
        len(columns) * pitch + 0.1 + look.inches(AXIS),
        look,
    )
    labels = [f"{shortened(name, look.letters)}  ({len(members[name])})" for name in columns]
    room = label_room(labels, look.size, "bold") + look.inches(0.14)
    axes = body(drawing, look.edge + room, look.edge + look.inches(0.1))
    many = sum(len(values) for lanes in columns.values() for values in lanes) > _MANY_POINTS
    for row, lanes in enumerate(columns.values()):
        for index, (values, one) in enumerate(zip(lanes, drawn, strict=True)):
            place = row * pitch + (index - (len(drawn) - 1) / 2) * lane
            _strip(axes, place, values, one.color, lane, many=many)
    for row in range(1, len(columns)):
        axes.axhline((row - 0.5) * pitch, color=RULE, linewidth=0.8, zorder=0)
    rows_axis(axes, labels, pitch, last_apart=False)
    axes.margins(x=0.03)
    axes.set_xlabel(axis_label(metric))
    color_key(drawing, drawn)
    return drawing


def gain_chart(evaluation: Evaluation, metric: Metric, look: Look = SCREEN) -> Chart:
    """Draw for every image what was gained against what it was before.

    Up to eight groups have a color and a sign each; more are drawn alike.

    Args:
        evaluation: What was found, degraded and restored.
        metric: What is drawn.
        look: Where the chart is to stand.
    """
    members = members_of(evaluation)
    coded = 1 < len(members) <= len(PALETTE)
    height = min(4.6, 0.64 * look.width)
    drawing = blank_chart(
        f"Gain in {metric.title} against the degraded image",
        f"A point is an image; on the line nothing changed. {_words_of_gains(evaluation.images, metric)}",
        footnote(evaluation, metric),
        height,
        look,
        key_room=0.05,
    )
    names = [shortened(name, look.letters) for name in members]
    left = look.edge + look.inches(0.62)
    right = look.edge + (label_room(names, look.size) + look.inches(0.45) if coded else look.inches(0.1))
    width = look.width - left - right
    axes = drawing.axes_at(left, drawing.top, width, height - look.inches(AXIS))
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
    return drawing


def _names_beside(axes: Axes, names: Sequence[str], drawing: Chart) -> None:
    """Draw the key of groups to the right of the axes; matplotlib's own legend drops names such as "_a"."""
    look, width = drawing.look, axes.get_position().width * drawing.look.width
    height = drawing.height - drawing.top - drawing.bottom - look.inches(AXIS)
    for index, name in enumerate(names):
        y = 1 - look.inches(0.12 + 0.24 * index) / height
        x, color = 1 + look.inches(0.17) / width, PALETTE[index]
        axes.plot([x], [y], MARKERS[index], color=color, transform=axes.transAxes, clip_on=False)
        x = 1 + look.inches(0.3) / width
        axes.text(x, y, name, transform=axes.transAxes, va="center", color=INK)


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


def _finite(scores: Sequence[Scores], metric: Metric) -> NDArray[np.float64]:
    values = (score.get(metric.name) for score in scores)
    return np.array([value for value in values if value is not None and math.isfinite(value)], np.float64)


def _changes(scores: Sequence[PairScore], metric: Metric) -> NDArray[np.float64]:
    """Return (degraded, gain) of every image that has both, (N, 2)."""
    pairs = [((score.degraded or {}).get(metric.name), score.gain(metric.name)) for score in scores]
    known: list[Any] = [pair for pair in pairs if pair[1] is not None]
    return np.array(known, np.float64).reshape(-1, 2)


def _words_of_gains(scores: Sequence[PairScore], metric: Metric) -> str:
    """Say on which side an image got better, and how many got worse; equal ones did not."""
    if metric.higher_is_better is None:
        return ""
    gains = [gain for score in scores if (gain := score.gain(metric.name)) is not None]
    worse = sum((gain < 0) == metric.higher_is_better and gain != 0 for gain in gains)
    side = "Above" if metric.higher_is_better else "Below"
    return f"{side} it an image got better: {worse} of {len(gains)} got worse."
