"""An evaluation as Markdown; no name in it becomes markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.difference import Comparison
from restorecli.evaluation.statistics.intervals import INTERVAL_POLICY
from restorecli.evaluation.statistics.summary import MEAN_POLICY
from restorecli.evaluation.tables.cells import DETAILS, Table, comparison_table, table

_MAX_METRICS = 2  # more columns than these metrics have cannot be read in one table


def to_markdown(evaluation: Evaluation, comparison: Comparison | None = None) -> str:
    """Return the table by group, and a comparison where there is one, in Markdown.

    Below it stand the protocol, how means, intervals and verdicts are computed, the notes, and what was not
    scored. More than two metrics have a table each.
    """
    metrics = evaluation.metrics
    blocks = [metrics] if len(metrics) <= _MAX_METRICS else [(metric,) for metric in metrics]
    lines = []
    for block in blocks:
        lines += [*_table(table(evaluation, details=DETAILS, metrics=block)), ""]
    lines += [f"Protocol: {evaluation.protocol}. {MEAN_POLICY} {INTERVAL_POLICY}"]
    lines += [f"Note: {escape_markdown(note)}." for note in evaluation.notes]
    if comparison is not None:
        lines += ["", *_comparison(comparison)]
    unmatched = [f"{entry.side} {entry.path}: {entry.reason}" for entry in evaluation.unmatched]
    lines += _listed("Not scored", unmatched)
    return "\n".join(lines) + "\n"


def escape_markdown(text: str) -> str:
    """Keep a hostile name inside its cell: no markup, no line break, no column."""
    flat = " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#!" else c for c in flat)


def _comparison(comparison: Comparison) -> Iterator[str]:
    for metric in comparison.metrics:
        yield f"{escape_markdown(comparison.candidate)} against the others, {metric.title}:"
        yield ""
        yield from _table(comparison_table(comparison, metric))
        yield ""
    yield comparison.policy
    yield from _listed(
        "Not compared", [f"{entry.rival}: {entry.path}: {entry.reason}" for entry in comparison.missing]
    )


def _listed(title: str, entries: Sequence[str]) -> list[str]:
    if not entries:
        return []
    return ["", f"{title} ({len(entries)}):", "", *(f"- {escape_markdown(entry)}" for entry in entries)]


def _table(cells: Table) -> Iterator[str]:
    yield _row(cells.headers)
    yield _row([":--"] * cells.names + ["--:"] * (len(cells.headers) - cells.names))
    for row in cells.rows:
        yield _row([escape_markdown(cell) for cell in row])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
