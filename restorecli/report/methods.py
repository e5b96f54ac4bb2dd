"""Several methods on the same pictures: for every metric a table of differences and verdicts."""

from __future__ import annotations

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.statistics.difference import OVERALL, Comparison, Difference
from restorecli.evaluation.tables.cells import NOTHING, format_number
from restorecli.report.bars import heading
from restorecli.report.markup import Html, element, joined, named
from restorecli.report.overview import gain_cell, scrolled

_SHOWN_MISSING = 100
_SMALLEST_P = 0.0001
_HEADS = ("mean", "difference", "95% interval", "p (Holm)", "verdict")
_MARKS = {
    "better": ("▲ better", "gain"),
    "worse": ("▼ worse", "loss"),
    "tie": ("= tie", "muted"),
    "undecided": ("? undecided", "muted"),
}


def comparison_section(comparison: Comparison | None) -> Html:
    """Return the tables of a comparison, one for every metric; nothing without one."""
    if comparison is None or not comparison.rivals:
        return Html("")
    tables = [part for metric in comparison.metrics for part in _table(comparison, metric)]
    return joined(
        element("h2", "Against other methods", id="methods"),
        element("p", comparison.policy, class_="key muted"),
        *tables,
        _missing(comparison),
    )


def _table(comparison: Comparison, metric: Metric) -> tuple[Html, Html]:
    bands = [
        element("th", "", scope="col"),
        element("th", named(comparison.candidate), scope="col", class_="own"),
    ]
    heads = [element("th", " / ".join(comparison.by) or "pictures", scope="col")]
    heads.append(element("th", "mean", scope="col"))
    for rival in comparison.rivals:
        words = joined("against ", named(rival))
        bands.append(element("th", words, scope="colgroup", colspan=str(len(_HEADS))))
        heads += [
            element("th", word, scope="col", class_="first" if word == _HEADS[0] else "") for word in _HEADS
        ]
    groups = dict.fromkeys(entry.group for entry in comparison.differences)
    head = element("thead", element("tr", *bands, class_="band"), element("tr", *heads))
    rows = [_row(comparison, metric, group) for group in groups]
    table = element("table", head, element("tbody", *rows))
    label = f"{metric.title} against other methods"
    return element("h3", heading(metric)), scrolled(label, table, wide=True)


def _row(comparison: Comparison, metric: Metric, group: str) -> Html:
    mean = comparison.means[comparison.candidate][group][metric.name]
    cells = [element("th", named(group), scope="row"), _number(format_number(mean, metric.decimals))]
    for rival in comparison.rivals:
        theirs = comparison.means[rival][group][metric.name]
        cells.append(_number(format_number(theirs, metric.decimals), "first"))
        cells += _difference(comparison.find(group, metric.name, rival), metric)
    return element("tr", *cells, class_="overall" if group == OVERALL else "category")


def _difference(entry: Difference, metric: Metric) -> tuple[Html, ...]:
    interval = NOTHING
    if entry.interval is not None:
        low, high = (format_number(end, metric.decimals, signed=True) for end in entry.interval)
        interval = f"{low} to {high}"
    p_value = NOTHING if entry.p_holm is None else _p_words(entry.p_holm)
    words, kind = _MARKS.get(entry.verdict or "", (NOTHING, "muted"))
    if entry.few:
        words += " (few)"
    return (
        _number(gain_cell(entry.mean, metric)),
        _number(interval),
        _number(p_value),
        _number(element("span", words, class_=kind)),
    )


def _p_words(p_value: float) -> str:
    return f"{p_value:.4f}" if p_value >= _SMALLEST_P else f"<{_SMALLEST_P:.4f}"


def _number(content: str, kind: str = "") -> Html:
    return element("td", content, class_=f"number {kind}".strip())


def _missing(comparison: Comparison) -> Html:
    entries = comparison.missing
    if not entries:
        return Html("")
    items = [
        element("li", named(entry.rival), ": ", element("b", named(entry.path)), f": {entry.reason}")
        for entry in entries[:_SHOWN_MISSING]
    ]
    if len(entries) > len(items):
        items.append(element("li", f"and {len(entries) - len(items)} more, which `--json` lists"))
    summary = element("summary", f"{len(entries)} pictures are not in every comparison")
    return element("details", summary, element("ul", *items))
