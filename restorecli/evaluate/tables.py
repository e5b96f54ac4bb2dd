"""An evaluation as text: rows for a table, CSV, Markdown and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from restorecli.evaluate.metrics import METRICS, Metric
from restorecli.evaluate.result import Evaluation, Group, PairScore, json_number
from restorecli.evaluate.statistics import MEAN_POLICY, Summary

OVERALL = "overall"
"""Name of a table's last row."""

NOTHING = "-"
"""What a cell shows where a number is not known."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text.

    Attributes:
        headers: One per column; the first column holds names, the others numbers.
        rows: The groups in alphabetical order, then the row "overall".
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(evaluation: Evaluation, *, spread: bool = True) -> Table:
    """Return the table by category: for every metric degraded, restored and gain, as far as they are known.

    Args:
        evaluation: What was found.
        spread: Show "mean ± sample standard deviation" instead of the mean alone.

    Returns:
        The cells; identical pictures are named as "inf" or, beside a mean, as "(+2 inf)".
    """
    columns = list(_columns(evaluation.overall))
    headers = ("category", "n", *(column.header for column in columns))
    groups = [*evaluation.categories.items(), (OVERALL, evaluation.overall)]
    rows = tuple(
        (name, str(group.n), *(column.cell(group, spread=spread) for column in columns))
        for name, group in groups
    )
    return Table(headers, rows)


def format_number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """Return a number for a table: fixed decimals, "inf" for infinity, "-" where it is not known."""
    if value is None:
        return NOTHING
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{value:{'+' if signed else ''}.{decimals}f}"


def format_summary(summary: Summary, decimals: int, *, spread: bool = True) -> str:
    """Return a summary for a table, e.g. "28.41 ± 1.20 (+2 inf)"."""
    text = format_number(summary.mean, decimals)
    if spread and summary.std is not None:
        text += f" ± {format_number(summary.std, decimals)}"
    if summary.identical and summary.n:
        text += f" (+{summary.identical} inf)"
    return text


def to_json(evaluation: Evaluation) -> str:
    """Return the one object that `eval --json` prints; infinity is the string "inf"."""
    return json.dumps(evaluation.to_dict(), indent=2, allow_nan=False)


def to_markdown(evaluation: Evaluation) -> str:
    """Return the table by category in Markdown; below it the protocol, the notes and what was not scored."""
    cells = table(evaluation)
    lines = [
        _markdown_row(cells.headers),
        _markdown_row([":--", *["--:"] * (len(cells.headers) - 1)]),
        *(_markdown_row([_escape_markdown(cell) for cell in row]) for row in cells.rows),
        "",
        f"Protocol: {evaluation.protocol}. {MEAN_POLICY}",
    ]
    lines += [f"Note: {_escape_markdown(note)}." for note in evaluation.notes]
    if evaluation.unmatched:
        lines += ["", f"Not scored ({len(evaluation.unmatched)}):", ""]
        lines += [
            f"- {entry.side} {_escape_markdown(entry.path)}: {_escape_markdown(entry.reason)}"
            for entry in evaluation.unmatched
        ]
    return "\n".join(lines) + "\n"


def to_csv(evaluation: Evaluation) -> str:
    """Return the table by category as CSV with every digit: mean, std, median, minimum, n and gain."""
    groups = [*evaluation.categories.items(), (OVERALL, evaluation.overall)]
    return _csv([{"category": name, "n": group.n, **_flat(group)} for name, group in groups])


def images_to_csv(evaluation: Evaluation) -> str:
    """Return one CSV line per scored picture, with every digit."""
    return _csv([_image_line(score) for score in evaluation.images])


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of the table by category."""

    metric: Metric
    side: str

    @property
    def header(self) -> str:
        unit = f" ({self.metric.unit})" if self.metric.unit else ""
        return f"{self.metric.title} {self.side}{unit}"

    def cell(self, group: Group, *, spread: bool) -> str:
        """Return what the column shows about a group."""
        if self.side == "gain":
            gain = None if group.gain is None else group.gain[self.metric.name]
            return format_number(gain, self.metric.decimals, signed=True)
        summaries = group.degraded if self.side == "degraded" else group.restored
        if summaries is None:
            return NOTHING
        return format_summary(summaries[self.metric.name], self.metric.decimals, spread=spread)


def _columns(overall: Group) -> Iterator[_Column]:
    known = {"degraded": overall.degraded, "restored": overall.restored, "gain": overall.gain}
    for metric in METRICS.values():
        for side, values in known.items():
            if values is not None:
                yield _Column(metric, side)


def _flat(group: Group) -> dict[str, object]:
    line: dict[str, object] = {}
    for side, summaries in (("degraded", group.degraded), ("restored", group.restored)):
        for name, summary in (summaries or {}).items():
            line[f"{side}_{name}"] = summary.mean
            line[f"{side}_{name}_std"] = summary.std
            line[f"{side}_{name}_median"] = summary.median
            line[f"{side}_{name}_min"] = summary.minimum
            line[f"{side}_{name}_n"] = summary.n
    line |= {f"gain_{name}": value for name, value in (group.gain or {}).items()}
    return line


def _image_line(score: PairScore) -> dict[str, object]:
    pair = score.pair
    line: dict[str, object] = {"path": pair.path, "category": pair.category, "defect": pair.defect}
    for side, scores in (("degraded", score.degraded), ("restored", score.restored)):
        line |= {f"{side}_{name}": value for name, value in (scores or {}).items()}
    line |= {f"gain_{name}": score.gain(name) for name in METRICS if score.degraded and score.restored}
    return {**line, "notes": "; ".join(score.notes)}


def _csv(lines: Sequence[Mapping[str, object]]) -> str:
    fields = dict.fromkeys(name for line in lines for name in line)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _csv_cell(value) for name, value in line.items()} for line in lines)
    return text.getvalue()


def _csv_cell(value: object) -> object:
    if isinstance(value, str):
        formula = value.startswith(
            ("=", "+", "-", "@", "\t", "\r")
        )  # a spreadsheet would run such a file name
        return _encodable(f"'{value}" if formula else value)
    return json_number(value) if isinstance(value, float) else value


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape_markdown(text: str) -> str:
    """Keep a hostile name inside its cell: no markup, no line break, no column."""
    flat = " ".join(_encodable(text).split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#!" else c for c in flat)


def _encodable(text: str) -> str:
    """Spell out bytes of a file name that are no UTF-8, so that the text can be written to a file."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
