"""Distributions: how the scores of single pictures, and their gains, are spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation
from restorecli.report.axis import Axis, across, axis_around, gridlines, tick_labels
from restorecli.report.bars import UNFOLDED, folded, heading
from restorecli.report.markup import Html, element, joined

_HALF = 64
_FEWEST = 3
_AIR = 4  # pixels that no bar reaches into
_GAP = 0.4  # percent between two bars


class _Ground(NamedTuple):
    """What the bars of a histogram stand on: its height in pixels, and the room above (negative) or below."""

    level: int
    room: int


def spread_section(evaluation: Evaluation) -> Html:
    """Return the histograms of every metric; nothing for fewer than three pictures."""
    if len(evaluation.images) < _FEWEST:
        return Html("")
    charts = [chart for metric in evaluation.metrics if (chart := _chart(metric, evaluation))]
    if not charts:
        return Html("")
    words = (
        "How many pictures have which score (restored above the line, degraded below, each to "
        "its own height) and which gain."
    )
    return joined(
        element("h2", "Picture by picture", id="distributions"),
        element("p", words, class_="key muted"),
        element("div", *charts[:UNFOLDED], class_="charts"),
        folded("More metrics", charts[UNFOLDED:]),
    )


def _chart(metric: Metric, evaluation: Evaluation) -> Html:
    before = [(score.degraded or {}).get(metric.name) for score in evaluation.images]
    after = [(score.restored or {}).get(metric.name) for score in evaluation.images]
    gains = [score.gain(metric.name) for score in evaluation.images]
    panels = [_scores(metric, _finite(before), _finite(after)), _gains(metric, _finite(gains))]
    shown = [panel for panel in panels if panel]
    if not shown:
        return Html("")
    body = element("div", *shown, class_="pair") if len(shown) > 1 else shown[0]
    return element("figure", element("figcaption", heading(metric)), body, class_="chart")


def _scores(metric: Metric, before: Sequence[float], after: Sequence[float]) -> Html:
    everything = [*before, *after]
    if len(everything) < _FEWEST:
        return Html("")
    axis = axis_around(everything)
    edges = _edges(axis, max(len(before), len(after)))
    height = _HALF * (2 if before and after else 1)
    level = _HALF if after else 0
    drawn = [
        gridlines(axis, height),
        *_bins(edges, _counts(after, edges), axis, _Ground(level, -_HALF), "bin-after"),
        *_bins(edges, _counts(before, edges), axis, _Ground(level, _HALF), "bin-before"),
        element("line", x1="0", x2="100%", y1=str(level), y2=str(level), class_="baseline"),
    ]
    label = f"{metric.title}: scores from {min(everything):.4g} to {max(everything):.4g}"
    words = f"score ({metric.unit})" if metric.unit else "score"
    return _drawing(drawn, axis, height, label, words)


def _gains(metric: Metric, gains: Sequence[float]) -> Html:
    if len(gains) < _FEWEST:
        return Html("")
    axis = axis_around(gains, with_zero=True)
    edges = _edges(axis, len(gains))
    counts = _counts(gains, edges)
    ground = _Ground(2 * _HALF, -2 * _HALF)
    kinds = ("bin-after", "bin-before") if metric.higher_is_better is False else ("bin-before", "bin-after")
    down = [count if edge < -1e-9 * axis.step else 0 for count, edge in zip(counts, edges[:-1], strict=True)]
    up = [count - lower for count, lower in zip(counts, down, strict=True)]
    drawn = [gridlines(axis, ground.level)]
    for kind, part in zip(kinds, (down, up), strict=True):
        drawn += _bins(edges, part, axis, ground, kind, most=max(counts))
    sign = -1 if metric.higher_is_better is False else 1
    worse = sum(gain * sign < 0 for gain in gains)
    words = f"gain; {worse} of {len(gains)} got worse" if metric.higher_is_better is not None else "change"
    label = f"{metric.title}: gains from {min(gains):.4g} to {max(gains):.4g}"
    return _drawing(drawn, axis, ground.level, label, words)


def _drawing(parts: Sequence[Html], axis: Axis, height: int, label: str, words: str) -> Html:
    drawing = element("svg", *parts, height=str(height), role="img", aria_label=label)
    return element("div", drawing, tick_labels(axis), element("p", words))


def _bins(
    edges: Sequence[float], counts: Sequence[int], axis: Axis, ground: _Ground, kind: str, *, most: int = 0
) -> Iterator[Html]:
    """Yield the bars of a histogram; the tallest, or `most` pictures, fill the room."""
    most = most or max(counts)
    for index, count in enumerate(counts):
        if not count:
            continue
        left, right = axis.place(edges[index]), axis.place(edges[index + 1])
        tall = count / most * (abs(ground.room) - _AIR)
        top = ground.level - tall if ground.room < 0 else ground.level
        yield element(
            "rect",
            x=across(left),
            y=f"{top:.1f}",
            width=across(max(right - left - _GAP, _GAP)),
            height=f"{tall:.1f}",
            class_=kind,
        )


def _edges(axis: Axis, count: int) -> list[float]:
    """Return the ends of the bins: each step of the axis in 1, 2, 4 or 5 parts, by the number of scores."""
    wanted = math.sqrt(count) * 2.5 / (len(axis.ticks) - 1)
    parts = max((part for part in (1, 2, 4, 5) if part <= wanted), default=1)
    bins = (len(axis.ticks) - 1) * parts
    return [axis.low + index * axis.step / parts for index in range(bins + 1)]


def _counts(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    counts = [0] * (len(edges) - 1)
    width = (edges[-1] - edges[0]) / len(counts)
    for value in values:
        counts[min(int((value - edges[0]) / width), len(counts) - 1)] += 1
    return counts


def _finite(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]
