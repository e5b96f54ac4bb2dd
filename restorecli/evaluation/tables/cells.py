"""An evaluation as cells of text: the table by group, and that of a comparison."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, Group
from restorecli.evaluation.statistics.difference import OVERALL, Comparison, Difference
from restorecli.evaluation.statistics.intervals import Interval
from restorecli.evaluation.statistics.summary import Summary

__all__ = ["DETAILS", "NO_VALUE", "OVERALL", "Table", "comparison_table", "format_number", "table"]

NO_VALUE = "-"
"""What a cell shows where a number is not known."""

DETAILS = ("interval", "spread", "worst", "median")
"""What a table shows beside the means, the most useful first; a narrow one leaves out the last ones first."""

COMPARED = ("interval", "n", "p")
"""The same for the table of a comparison."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text.

    Attributes:
        headers: One per column.
        rows: The groups in their order, then the row "overall".
        names: How many of the first columns hold names; the others hold numbers.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1


def table(
    evaluation: Evaluation,
    *,
    details: Collection[str] = ("spread",),
    metrics: Sequence[Metric] | None = None,
) -> Table:
    """Return the table by group: for every metric degraded, restored and gain, as far as they are known.

    Args:
        evaluation: What was found.
        details: Which of "interval" (95%, of the mean of the restored images and of the gain), "spread"
            ("mean ± sample standard deviation"), "worst" and "median" to show too.
        metrics: By default all that were measured.

    Returns:
        The cells; identical images are named as "inf" or, beside a mean, as "(+2 inf)".
    """
    columns = list(_columns(evaluation.overall, metrics or evaluation.metrics, details))
    by = evaluation.by or ("category",)
    groups = evaluation.groups if evaluation.by else evaluation.categories
    rows = [_row(group.values or (name,), group, columns, details) for name, group in groups.items()]
    rows.append(_row(_overall(len(by)), evaluation.overall, columns, details))
    return Table((*by, "n", *(column.header for column in columns)), tuple(rows), len(by))


def comparison_table(comparison: Comparison, metric: Metric, *, details: Collection[str] = COMPARED) -> Table:
    """Return one metric of a comparison: a row for each group and rival.

    Args:
        comparison: What was found.
        metric: Which metric.
        details: Which of "n" (images compared), "interval" (95%, of the mean difference) and "p" (corrected
            by Holm) to show too.
    """
    by = comparison.by or ("",)
    unit = f" ({metric.unit})" if metric.unit else ""
    shown: dict[str, str] = {
        "n": "n",
        "": f"{metric.title}{unit}",
        "other": "the other's",
        "difference": "difference",
        "interval": "95%",
        "p": "p (Holm)",
        "verdict": "verdict",
    }
    kept = {key: head for key, head in shown.items() if key not in COMPARED or key in details}
    rows = []
    for entry in comparison.differences:
        if entry.metric == metric.name:
            cells = _compared(entry, metric)
            name = entry.values or _overall(len(by))
            rows.append((*name, entry.rival, *(cells[key] for key in kept)))
    return Table((*by, "against", *kept.values()), tuple(rows), len(by) + 1)


def format_number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """Return a number for a table: fixed decimals, "inf" for infinity, "-" where it is not known."""
    if value is None:
        return NO_VALUE
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{value:{'+' if signed else ''}.{decimals}f}"


def format_interval(interval: Interval | None, decimals: int, *, signed: bool = False) -> str:
    """Return both ends for a table, e.g. "[27.11, 28.90]"; "-" where they are not known."""
    if interval is None:
        return NO_VALUE
    return f"[{', '.join(format_number(end, decimals, signed=signed) for end in interval)}]"


def format_summary(summary: Summary, decimals: int, *, spread: bool = True) -> str:
    """Return a summary for a table, e.g. "28.41 ± 1.20 (+2 inf)"."""
    text = format_number(summary.mean, decimals)
    if spread and summary.std is not None:
        text += f" ± {format_number(summary.std, decimals)}"
    if summary.identical and summary.n:
        text += f" (+{summary.identical} inf)"
    return text


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of the table by group: a side or the gain, and what is shown of it."""

    metric: Metric
    side: str
    detail: str = ""

    @property
    def header(self) -> str:
        unit = f" ({self.metric.unit})" if self.metric.unit else ""
        if not self.detail:
            return f"{self.metric.title} {self.side}{unit}"
        what = "95%" if self.detail == "interval" else self.detail
        return f"{self.metric.title} {self.side} {what}"

    def cell(self, group: Group, *, spread: bool) -> str:
        """Return what the column shows about a group."""
        name, decimals = self.metric.name, self.metric.decimals
        if self.side == "gain":
            if self.detail:
                return format_interval((group.gain_intervals or {}).get(name), decimals, signed=True)
            return format_number((group.gain or {}).get(name), decimals, signed=True)
        summary = ((group.degraded if self.side == "degraded" else group.restored) or {}).get(name)
        if summary is None:
            return NO_VALUE
        if self.detail == "interval":
            return format_interval(summary.interval, decimals)
        if self.detail:
            return format_number(summary.median if self.detail == "median" else summary.worst, decimals)
        return format_summary(summary, decimals, spread=spread)


def _columns(overall: Group, metrics: Sequence[Metric], details: Collection[str]) -> Iterator[_Column]:
    final = "degraded" if overall.restored is None else "restored"
    for metric in metrics:
        for side in ("degraded", "restored", "gain"):
            if getattr(overall, side) is None or not _says(overall, metric, side):
                continue
            yield _Column(metric, side)
            if side in (final, "gain") and "interval" in details:
                yield _Column(metric, side, "interval")
            if side == final:
                known = ("median",) if metric.higher_is_better is None else ("median", "worst")
                yield from (_Column(metric, side, what) for what in known if what in details)


def _says(overall: Group, metric: Metric, side: str) -> bool:
    """Whether a column holds a number at all; that of the scored side is shown in any case."""
    if side == "gain":
        return (overall.gain or {}).get(metric.name) is not None
    if side == "degraded" and overall.restored is not None:
        return overall.degraded is not None and overall.degraded[metric.name].mean is not None
    return True


def _row(
    names: tuple[str, ...], group: Group, columns: Sequence[_Column], details: Collection[str]
) -> tuple[str, ...]:
    cells = (column.cell(group, spread="spread" in details) for column in columns)
    return (*names, str(group.n), *cells)


def _overall(names: int) -> tuple[str, ...]:
    return (OVERALL, *[""] * (names - 1))


def _compared(entry: Difference, metric: Metric) -> dict[str, str]:
    left_out = f" (-{entry.left_out})" if entry.left_out else ""
    p = NO_VALUE if entry.p_holm is None else ("<0.0001" if entry.p_holm < 1e-4 else f"{entry.p_holm:.4f}")
    return {
        "n": f"{entry.n}{left_out}",
        "": format_number(entry.candidate, metric.decimals),
        "other": format_number(entry.other, metric.decimals),
        "difference": format_number(entry.mean, metric.decimals, signed=True),
        "interval": format_interval(entry.interval, metric.decimals, signed=True),
        "p": p,
        "verdict": f"{entry.verdict or NO_VALUE}{' (few)' if entry.few else ''}",
    }
