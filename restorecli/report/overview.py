"""The numbers of the page: tiles with the totals, the table of all metrics, and the table by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, Group
from restorecli.evaluation.statistics.summary import Summary
from restorecli.evaluation.tables.cells import NOTHING, OVERALL, format_number, format_summary
from restorecli.report.bars import direction
from restorecli.report.markup import Html, element, joined, named

_TILES = 3
_WIDE = 3  # metrics beside which the names of the groups stay in view

SIDES = ("degraded", "restored", "gain")
"""What a metric is shown of, as far as it is known."""


def tiles(evaluation: Evaluation) -> Html:
    """Return the totals: a tile for each of the first metrics, and one for the number of pictures."""
    shown = evaluation.metrics[:_TILES]
    metrics = [_metric_tile(metric, evaluation.overall) for metric in shown]
    categories = len(evaluation.categories)
    detail = f"in {categories} {'category' if categories == 1 else 'categories'}"
    if evaluation.unmatched:
        detail += f"; {len(evaluation.unmatched)} not scored, listed below"
    count = _tile("Pictures", str(evaluation.overall.n), Html(element("span", detail)), "tile total")
    return element("dl", *metrics, count, class_="tiles")


def metric_table(evaluation: Evaluation) -> Html:
    """Return the table with a row for every metric over all pictures, and how each is computed."""
    overall = evaluation.overall
    sides = sides_of(overall)
    words = ("Metric", *sides, *(("95% interval of the gain",) if "gain" in sides else ()), "median", "worst")
    heads = [element("th", word, scope="col") for word in words]
    head = element("tr", *heads)
    rows = [_metric_row(metric, overall, sides) for metric in evaluation.metrics]
    return joined(
        element("h2", "All pictures", id="scores"),
        scrolled("All pictures", element("table", element("thead", head), element("tbody", *rows))),
        element("dl", *(_definition(metric) for metric in evaluation.metrics), class_="definitions"),
    )


def group_table(evaluation: Evaluation) -> Html:
    """Return the table by category, or by what `--by` asked for; the last row is over all pictures."""
    groups = evaluation.groups or evaluation.categories
    sides = sides_of(evaluation.overall)
    bands = [element("th", "", scope="col", colspan="2")]
    heads = [element("th", word, scope="col") for word in (" / ".join(evaluation.by), "n")]
    for metric in evaluation.metrics:
        unit = f" ({metric.unit})" if metric.unit else ""
        bands.append(element("th", f"{metric.title}{unit}", scope="colgroup", colspan=str(len(sides))))
        heads += [element("th", side, scope="col", class_=_first(side, sides)) for side in sides]
    rows = [_group_row(name, group, evaluation.metrics, sides) for name, group in groups.items()]
    rows.append(_group_row(OVERALL, evaluation.overall, evaluation.metrics, sides, OVERALL))
    head = element("thead", element("tr", *bands, class_="band"), element("tr", *heads))
    wide = len(evaluation.metrics) > _WIDE
    return scrolled("Scores by group", element("table", head, element("tbody", *rows)), wide=wide)


def sides_of(group: Group) -> tuple[str, ...]:
    """Return which of degraded, restored and gain are known."""
    return tuple(side for side in SIDES if getattr(group, side) is not None)


def scrolled(label: str, table: Html, *, wide: bool = False) -> Html:
    """Return a table in a frame that scrolls by itself where the page is too narrow, by keys too."""
    kind = "scroll wide" if wide else "scroll"
    return element("div", table, class_=kind, tabindex="0", role="region", aria_label=label)


def gain_cell(value: float | None, metric: Metric) -> Html:
    """Return a gain with its sign, in the colour of better or worse."""
    words = format_number(value, metric.decimals, signed=True)
    if not value or metric.higher_is_better is None:
        return element("span", words)
    return element("span", words, class_="gain" if (value > 0) == metric.higher_is_better else "loss")


def _metric_tile(metric: Metric, overall: Group) -> Html:
    summary = overall.final[metric.name]
    side = "restored" if overall.restored is not None else "degraded"
    figure = f"{format_number(summary.mean, metric.decimals)}{f' {metric.unit}' if metric.unit else ''}"
    detail: Html = element("span", side)
    if overall.degraded is not None and overall.restored is not None and overall.gain is not None:
        before = format_number(overall.degraded[metric.name].mean, metric.decimals)
        detail = joined(f"restored, from {before} degraded: ", gain_cell(overall.gain[metric.name], metric))
    return _tile(metric.title, figure, detail, "tile")


def _tile(term: str, figure: str, detail: Html, kind: str) -> Html:
    return element(
        "div",
        element("dt", term),
        element("dd", figure, class_="figure"),
        element("dd", detail, class_="detail"),
        class_=kind,
    )


def _metric_row(metric: Metric, overall: Group, sides: Sequence[str]) -> Html:
    final = overall.final[metric.name]
    cells = [_number(_cell(overall, metric, side)) for side in sides]
    if "gain" in sides:
        ends = (overall.gain_intervals or {}).get(metric.name)
        cells.append(_number(joined(NOTHING) if ends is None else _interval(ends, metric)))
    cells += [_number(joined(format_number(v, metric.decimals))) for v in (final.median, final.worst)]
    unit = f" ({metric.unit})" if metric.unit else ""
    head = element("th", f"{metric.title}{unit}", scope="row")
    return element("tr", head, *cells)


def _definition(metric: Metric) -> Html:
    words = "; ".join(part for part in (metric.definition, direction(metric)) if part)
    return element("div", element("dt", metric.title), element("dd", words))


def _interval(ends: tuple[float, float], metric: Metric) -> Html:
    low, high = (format_number(end, metric.decimals, signed=True) for end in ends)
    return joined(f"{low} to {high}")


def _group_row(
    name: str, group: Group, metrics: Sequence[Metric], sides: Sequence[str], kind: str = "category"
) -> Html:
    cells = [element("th", named(name), scope="row"), element("td", str(group.n), class_="count")]
    for metric in metrics:
        cells += [_number(_cell(group, metric, side), _first(side, sides)) for side in sides]
    return element("tr", *cells, class_=kind)


def _number(content: Html, kind: str = "") -> Html:
    return element("td", content, class_=f"number {kind}".strip())


def _first(side: str, sides: Sequence[str]) -> str:
    return "first" if side == sides[0] else ""


def _cell(group: Group, metric: Metric, side: str) -> Html:
    if side == "gain":
        return gain_cell(None if group.gain is None else group.gain[metric.name], metric)
    summaries: Mapping[str, Summary] | None = group.degraded if side == "degraded" else group.restored
    if summaries is None:
        return joined(NOTHING)
    number, _, rest = format_summary(summaries[metric.name], metric.decimals).partition(" ")
    return joined(number, " ", element("small", rest)) if rest else joined(number)
