"""The numbers of the page: tiles with the totals, and the table by category."""

from __future__ import annotations

import math
from collections.abc import Mapping

from restorecli.evaluate.metrics import METRICS, Metric
from restorecli.evaluate.result import Evaluation, Group
from restorecli.evaluate.statistics import Summary
from restorecli.evaluate.tables import OVERALL, format_number, format_summary
from restorecli.report.markup import Html, element, joined

_WIDTH = 200
_MIDDLE = "6"


def tiles(evaluation: Evaluation) -> Html:
    """Return the totals: one tile for every metric, and one for the number of pictures."""
    metrics = [_metric_tile(metric, evaluation.overall) for metric in METRICS.values()]
    categories = len(evaluation.categories)
    detail = f"in {categories} {'category' if categories == 1 else 'categories'}"
    if evaluation.unmatched:
        detail += f"; {len(evaluation.unmatched)} not scored, listed below"
    count = _tile("Pictures", str(evaluation.overall.n), Html(element("span", detail)), "tile wide")
    return element("dl", *metrics, count, class_="tiles")


def score_table(evaluation: Evaluation) -> Html:
    """Return the table by category, each row with its scores and a line from degraded to restored."""
    overall = evaluation.overall
    scale = _scale(evaluation)
    sides = [side for side in ("degraded", "restored", "gain") if getattr(overall, side) is not None]
    heads = [
        element("th", _label(metric, side), scope="col") for metric in METRICS.values() for side in sides
    ]
    track = [element("th", "", scope="col")] if scale else []
    first = [element("th", words, scope="col") for words in ("Category", "n")]
    head = element("tr", *first, *track, *heads)
    rows = [_row(name, group, sides, scale) for name, group in evaluation.categories.items()]
    rows.append(_row(OVERALL, overall, sides, scale, kind=OVERALL))
    return joined(
        element("h2", "By category"),
        _key(scale),
        element("table", element("thead", head), element("tbody", *rows)),
    )


def _metric_tile(metric: Metric, overall: Group) -> Html:
    summary = overall.final[metric.name]
    side = "restored" if overall.restored is not None else "degraded"
    figure = f"{format_number(summary.mean, metric.decimals)}{_unit(metric)}"
    detail: Html = element("span", side)
    if overall.degraded is not None and overall.restored is not None and overall.gain is not None:
        before = format_number(overall.degraded[metric.name].mean, metric.decimals)
        detail = joined(f"restored, from {before} degraded: ", _gain(overall.gain[metric.name], metric))
    return _tile(metric.title, figure, detail, "tile")


def _tile(term: str, figure: str, detail: Html, kind: str) -> Html:
    return element(
        "div",
        element("dt", term),
        element("dd", figure, class_="figure"),
        element("dd", detail, class_="detail"),
        class_=kind,
    )


def _row(
    name: str, group: Group, sides: list[str], scale: tuple[float, float] | None, *, kind: str = "category"
) -> Html:
    cells = [element("td", name), element("td", str(group.n), class_="count")]
    if scale:
        cells.append(element("td", _track(group, scale), class_="track"))
    for metric in METRICS.values():
        for side in sides:
            label = _label(metric, side)
            cells.append(element("td", _cell(group, metric, side), class_="number", data_label=label))
    return element("tr", *cells, class_=kind)


def _cell(group: Group, metric: Metric, side: str) -> Html:
    if side == "gain":
        return _gain(None if group.gain is None else group.gain[metric.name], metric)
    summaries: Mapping[str, Summary] | None = group.degraded if side == "degraded" else group.restored
    if summaries is None:
        return joined("-")
    number, _, rest = format_summary(summaries[metric.name], metric.decimals).partition(" ")
    return joined(number, " ", element("small", rest)) if rest else joined(number)


def _gain(value: float | None, metric: Metric) -> Html:
    kind = "loss" if value is not None and (value < 0) == metric.higher_is_better and value != 0 else "gain"
    return element("span", format_number(value, metric.decimals, signed=True), class_=kind)


def _label(metric: Metric, side: str) -> str:
    return f"{metric.title} {side} ({metric.unit})" if metric.unit else f"{metric.title} {side}"


def _unit(metric: Metric) -> str:
    return f" {metric.unit}" if metric.unit else ""


def _means(group: Group) -> tuple[float | None, float | None]:
    """Return the finite mean PSNR of the degraded and of the restored pictures."""
    means = [None if side is None else side["psnr"].mean for side in (group.degraded, group.restored)]
    finite = [mean if mean is not None and math.isfinite(mean) else None for mean in means]
    return finite[0], finite[1]


def _scale(evaluation: Evaluation) -> tuple[float, float] | None:
    """Return the ends of the axis in dB, or None unless both sides are known."""
    pairs = [_means(group) for group in (evaluation.overall, *evaluation.categories.values())]
    if evaluation.overall.gain is None:
        return None
    known = [mean for pair in pairs for mean in pair if mean is not None]
    return (math.floor(min(known)) - 1.0, math.ceil(max(known)) + 1.0) if known else None


def _key(scale: tuple[float, float] | None) -> Html:
    if scale is None:
        return Html("")
    ends = f", from {scale[0]:.0f} to {scale[1]:.0f} dB. Numbers are means ± sample standard deviation."
    words = ("The lines show PSNR: ", element("b", "degraded"), " to ", element("b", "restored"), ends)
    return element("p", *words, class_="key muted")


def _track(group: Group, scale: tuple[float, float]) -> Html:
    before, after = (_position(mean, scale) for mean in _means(group))
    axis = element("line", x1="0", x2=str(_WIDTH), y1=_MIDDLE, y2=_MIDDLE, class_="axis")
    marks = [axis]
    if before is not None and after is not None:
        kind = "span" if after >= before else "span down"
        marks.append(
            element("line", x1=f"{before:.1f}", x2=f"{after:.1f}", y1=_MIDDLE, y2=_MIDDLE, class_=kind)
        )
    for place, kind in ((before, "dot-before"), (after, "dot-after")):
        if place is not None:
            marks.append(element("circle", cx=f"{place:.1f}", cy=_MIDDLE, r="4.5", class_=kind))
    return element("svg", *marks, viewBox=f"0 0 {_WIDTH} 12", aria_hidden="true")


def _position(mean: float | None, scale: tuple[float, float]) -> float | None:
    return None if mean is None else (mean - scale[0]) / (scale[1] - scale[0]) * _WIDTH
