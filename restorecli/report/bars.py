"""Bar charts by category, as papers show them: degraded and restored side by side, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, Group
from restorecli.evaluation.statistics.summary import Summary
from restorecli.evaluation.tables.cells import OVERALL, format_number
from restorecli.report.axis import Axis, across, axis_around, gridlines, tick_labels
from restorecli.report.markup import Html, element, joined, named

SHOWN_GROUPS = 40
"""How many groups a chart shows; the table below it has them all."""

UNFOLDED = 2
"""How many metrics' charts are open from the start."""

_ROW = 40
_BAR = 12
_GAP = 2
_CAP = 3
_SIDES = (("degraded", "before"), ("restored", "after"))

Side = Mapping[str, Summary]


def bar_section(evaluation: Evaluation) -> Html:
    """Return one chart for every metric; those after the second are folded."""
    charts = [_chart(metric, evaluation) for metric in evaluation.metrics]
    return joined(
        _key(evaluation),
        element("div", *charts[:UNFOLDED], class_="charts"),
        folded("More metrics", charts[UNFOLDED:]),
    )


def folded(words: str, charts: list[Html]) -> Html:
    """Return charts behind a line that opens them; nothing for none."""
    if not charts:
        return Html("")
    summary = element("summary", f"{words} ({len(charts)})")
    return element("details", summary, element("div", *charts, class_="charts"))


def direction(metric: Metric) -> str:
    """Return which way a metric improves, in words."""
    words = {True: "higher is better", False: "lower is better", None: ""}
    return words[metric.higher_is_better]


def heading(metric: Metric) -> Html:
    """Return a chart's heading: the metric, its unit and its direction."""
    unit = f" ({metric.unit})" if metric.unit else ""
    return joined(f"{metric.title}{unit} ", element("small", direction(metric)))


def spread_of(summary: Summary) -> tuple[float, float] | None:
    """Return the interval of a mean, else the mean ± its standard deviation, else nothing."""
    if summary.interval is not None:
        return summary.interval
    if summary.std is None or summary.mean is None:
        return None
    return summary.mean - summary.std, summary.mean + summary.std


def _key(evaluation: Evaluation) -> Html:
    overall = evaluation.overall
    has_intervals = any(summary.interval is not None for summary in overall.final.values())
    whiskers = "95% bootstrap interval of the mean" if has_intervals else "± sample standard deviation"
    parts = []
    for side, kind in _SIDES:
        if _side(overall, side) is not None:
            parts.append(element("span", element("span", class_=f"swatch {kind}"), f"{side} ", class_=""))
    hidden = len(evaluation.groups) - SHOWN_GROUPS
    cut = f" The first {SHOWN_GROUPS} of {len(evaluation.groups)} groups." if hidden > 0 else ""
    return element("p", *parts, f"· bars are means, whiskers the {whiskers}.{cut}", class_="key muted")


def _chart(metric: Metric, evaluation: Evaluation) -> Html:
    groups = [*list(evaluation.groups.items())[:SHOWN_GROUPS], (OVERALL, evaluation.overall)]
    axis = axis_around((value for _, group in groups for value in _ends(group, metric)), with_zero=True)
    cells = [cell for name, group in groups for cell in _row(name, group, metric, axis)]
    foot = (element("span"), tick_labels(axis), element("span"))
    return element(
        "figure",
        element("figcaption", heading(metric)),
        element("div", *cells, *foot, class_="bars"),
        class_="chart",
    )


def _row(name: str, group: Group, metric: Metric, axis: Axis) -> tuple[Html, Html, Html]:
    known = [(side, kind, summary) for side, kind, summary in _summaries(group, metric)]
    kind = "name overall" if name == OVERALL else "name"
    bars = [_bar(summary, kind, index, len(known), axis) for index, (_, kind, summary) in enumerate(known)]
    words = [f"{side} {format_number(summary.mean, metric.decimals)}" for side, _, summary in known]
    drawing = element(
        "svg",
        gridlines(axis, _ROW),
        *bars,
        height=str(_ROW),
        role="img",
        aria_label=f"{metric.title} {name}: {', '.join(words)}",
    )
    numbers = [
        element("span", format_number(summary.mean, metric.decimals), class_=kind)
        for _, kind, summary in known
    ]
    label = element("span", named(name), element("small", f"n = {group.n}"), class_=kind)
    return label, drawing, element("span", *numbers, class_="values")


def _bar(summary: Summary, kind: str, index: int, count: int, axis: Axis) -> Html:
    if summary.mean is None or not math.isfinite(summary.mean):
        return Html("")
    top = (_ROW - count * _BAR - (count - 1) * _GAP) / 2 + index * (_BAR + _GAP)
    start, end = sorted((axis.place(0), axis.place(summary.mean)))
    bar = element(
        "rect",
        x=across(start),
        y=f"{top:g}",
        width=across(end - start),
        height=str(_BAR),
        class_=f"bar-{kind}",
    )
    ends = spread_of(summary)
    return bar if ends is None else joined(bar, _whisker(ends, top + _BAR / 2, axis))


def _whisker(ends: tuple[float, float], middle: float, axis: Axis) -> Html:
    low, high = (across(axis.place(end)) for end in ends)
    lines = [element("line", x1=low, x2=high, y1=f"{middle:g}", y2=f"{middle:g}", class_="whisker")]
    for place in (low, high):
        top, bottom = f"{middle - _CAP:g}", f"{middle + _CAP:g}"
        lines.append(element("line", x1=place, x2=place, y1=top, y2=bottom, class_="whisker"))
    return joined(*lines)


def _ends(group: Group, metric: Metric) -> Iterator[float]:
    """Yield everything that a group's bars and whiskers reach to."""
    for _, _, summary in _summaries(group, metric):
        if summary.mean is not None and math.isfinite(summary.mean):
            yield summary.mean
            yield from spread_of(summary) or ()


def _summaries(group: Group, metric: Metric) -> Iterator[tuple[str, str, Summary]]:
    for side, kind in _SIDES:
        summaries = _side(group, side)
        if summaries is not None and metric.name in summaries:
            yield side, kind, summaries[metric.name]


def _side(group: Group, side: str) -> Side | None:
    return group.degraded if side == "degraded" else group.restored
