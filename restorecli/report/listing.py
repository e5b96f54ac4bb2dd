"""Every picture by name: the scores of single pictures, and what was not scored and why."""

from __future__ import annotations

from restorecli.evaluation.result import Evaluation, PairScore
from restorecli.evaluation.tables.cells import format_number
from restorecli.report.choice import badness
from restorecli.report.markup import Html, element, joined, named
from restorecli.report.overview import gain_cell, scrolled

SHOWN_PICTURES = 1000
"""How many pictures the page lists; `--csv` writes them all."""

SHOWN_UNMATCHED = 500
"""How many unscored pictures the page lists; `--json` prints them all."""

_UNFOLDED_UNMATCHED = 10


def picture_list(evaluation: Evaluation) -> Html:
    """Return the folded table of single pictures, the worst by the first metric first."""
    first = evaluation.metrics[0]
    ordered = sorted(evaluation.images, key=lambda score: (badness(score, first), score.pair.path))
    heads = ["Picture", "category"]
    for metric in evaluation.metrics:
        heads += [metric.title, *(["gain"] if evaluation.overall.gain is not None else [])]
    rows = [_row(score, evaluation) for score in ordered[:SHOWN_PICTURES]]
    head = element("tr", *(element("th", words, scope="col") for words in heads))
    words = f"All {len(ordered)} pictures, the worst first"
    if len(ordered) > SHOWN_PICTURES:
        words = f"The {SHOWN_PICTURES} worst of {len(ordered)} pictures; `restorecli eval --csv` writes all"
    table = element("table", element("thead", head), element("tbody", *rows))
    return element(
        "details",
        element("summary", words),
        scrolled("Every picture", table, wide=True),
        id="every-picture",
    )


def unmatched_section(evaluation: Evaluation) -> Html:
    """Return what was not scored, each with its reason; nothing where everything was."""
    entries = evaluation.unmatched
    if not entries:
        return Html("")
    items = [
        element("li", element("b", f"{entry.side} ", named(entry.path)), f": {entry.reason}")
        for entry in entries[:SHOWN_UNMATCHED]
    ]
    hidden = len(entries) - len(items)
    if hidden:
        items.append(element("li", f"and {hidden} more, which `restorecli eval --json` lists"))
    unfolded = {"open": ""} if len(entries) <= _UNFOLDED_UNMATCHED else {}
    summary = element("summary", f"{len(entries)} listed, each with its reason")
    return joined(
        element("h2", "Not scored", id="not-scored"),
        element("p", "These pictures are in no number above.", class_="muted"),
        element("details", summary, element("ul", *items), **unfolded),
    )


def _row(score: PairScore, evaluation: Evaluation) -> Html:
    cells = [
        element("th", named(score.pair.path), scope="row"),
        element("td", named(score.pair.category)),
    ]
    for metric in evaluation.metrics:
        number = format_number(score.final.get(metric.name), metric.decimals)
        cells.append(element("td", number, class_="number"))
        if evaluation.overall.gain is not None:
            cells.append(element("td", gain_cell(score.gain(metric.name), metric), class_="number"))
    return element("tr", *cells)
