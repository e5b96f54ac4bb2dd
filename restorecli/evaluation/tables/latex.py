r"""An evaluation as a LaTeX table in the style of booktabs, ready for \input in a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation, Group
from restorecli.evaluation.statistics.difference import OVERALL, Comparison
from restorecli.evaluation.tables.cells import NO_VALUE, format_number

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}

Values = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"""A number by column, group and metric."""


def to_latex(evaluation: Evaluation, comparison: Comparison | None = None) -> str:
    r"""Return one tabular of means: a row for each group, for each metric a column for every method.

    Without a comparison the methods are the degraded and the restored images. With one, the best method of
    every row and metric is bold, and so is every other that shows the same digits. Needs
    ``\usepackage{booktabs}``; the protocol stands in a comment. Numbers are rounded as in every other table.

    Args:
        evaluation: What was found.
        comparison: Other methods on the same images.
    """
    by = evaluation.by or ("category",)
    groups = dict(evaluation.groups if evaluation.by else evaluation.categories)
    if comparison is not None and not comparison.by:
        groups = {}
    named = {name: group.values or (name,) for name, group in groups.items()}
    rows: dict[str, tuple[str, ...]] = {**named, OVERALL: (OVERALL, *[""] * (len(by) - 1))}
    values = _sides({**groups, OVERALL: evaluation.overall}) if comparison is None else comparison.means
    methods = list(values)
    metrics = evaluation.metrics if comparison is None else comparison.metrics
    lines = [
        f"% {_comment(evaluation.protocol)}",
        r"% \usepackage{booktabs}",
        rf"\begin{{tabular}}{{{'l' * len(by)}{'r' * (len(methods) * len(metrics))}}}",
        r"\toprule",
        *_head(by, metrics, methods),
        r"\midrule",
    ]
    for name, cells in rows.items():
        if name == OVERALL and named:
            lines.append(r"\midrule")
        numbers = [
            cell
            for metric in metrics
            for cell in _cells(values, methods, name, metric, bold=comparison is not None)
        ]
        lines.append(_row([*(escape_latex(cell) for cell in cells), *numbers]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def escape_latex(text: str) -> str:
    """Return a text that LaTeX prints as it is: no command, no comment, no column."""
    flat = " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())
    return "".join(_SPECIAL.get(c, c if c.isprintable() else f"U+{ord(c):04X}") for c in flat)


def _sides(groups: Mapping[str, Group]) -> Values:
    sides: dict[str, dict[str, dict[str, float | None]]] = {}
    for side in ("degraded", "restored"):
        known = {name: getattr(group, side) for name, group in groups.items()}
        if known[OVERALL] is not None:
            sides[side] = {
                name: {} if summaries is None else {key: value.mean for key, value in summaries.items()}
                for name, summaries in known.items()
            }
    return sides


def _head(by: Sequence[str], metrics: Sequence[Metric], methods: Sequence[str]) -> Iterator[str]:
    """Yield a line with the metrics over their columns, the rules below them, and a line with the methods."""
    titles, rules = [""] * len(by), []
    for index, metric in enumerate(metrics):
        unit = f" ({metric.unit})" if metric.unit else ""
        arrow = {True: r" $\uparrow$", False: r" $\downarrow$", None: ""}[metric.higher_is_better]
        title = f"{escape_latex(f'{metric.title}{unit}')}{arrow}"
        titles.append(rf"\multicolumn{{{len(methods)}}}{{c}}{{{title}}}")
        first = len(by) + index * len(methods) + 1
        rules.append(rf"\cmidrule(lr){{{first}-{first + len(methods) - 1}}}")
    yield _row(titles)
    yield " ".join(rules)
    yield _row([*map(escape_latex, by), *(escape_latex(method) for _ in metrics for method in methods)])


def _cells(
    values: Values, methods: Sequence[str], group: str, metric: Metric, *, bold: bool
) -> Iterator[str]:
    numbers = [values[method].get(group, {}).get(metric.name) for method in methods]
    best = None
    known = [number for number in numbers if number is not None]
    if bold and known and metric.higher_is_better is not None:
        best = format_number(max(known) if metric.higher_is_better else min(known), metric.decimals)
    for number in numbers:
        text = format_number(number, metric.decimals)
        words = {"inf": r"$\infty$", "-inf": r"$-\infty$", NO_VALUE: "--"}
        shown = words.get(text, text.replace("-", "$-$"))
        yield rf"\textbf{{{shown}}}" if text == best else shown


def _row(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _comment(text: str) -> str:
    return " ".join(text.split())
