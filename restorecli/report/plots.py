"""The charts of an evaluation as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.errors import DataError, UsageError
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.grouping import split
from restorecli.folders.protect import keep_inputs
from restorecli.folders.walking import mark_output
from restorecli.report.chart_means import mean_chart
from restorecli.report.chart_pictures import distribution_chart, gain_chart
from restorecli.report.chart_rows import Members, by_words, has_scores
from restorecli.report.chart_style import FORMATS, chart_style, write_figure
from restorecli.report.spectra import error_spectra, spectrum_chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPECTRUM = "error-spectrum"
"""Name of the chart that needs the pictures themselves."""


def write_plots(
    evaluation: Evaluation, folder: Path, formats: Sequence[str] = ("png", "svg")
) -> tuple[Path, ...]:
    """Draw an evaluation, and write the charts; the same evaluation gives the same bytes.

    For every metric that has a number: `NAME-means` (bars by group), `NAME-distribution` (every picture) and,
    where degraded and restored pictures are known, `NAME-gain`. Where pictures can be read,
    `error-spectrum` (at most eight of each group).

    Args:
        evaluation: What was found; its metrics and groups are what is drawn.
        folder: Where to; made when missing. A new folder is marked, so that nothing is trained on the charts.
        formats: "png", "svg" or "pdf".

    Returns:
        The files, in the order of the metrics.

    Raises:
        UsageError: There is no such format, or a chart would overwrite a picture that was read.
        DataError: Not one metric has a number.
        ResourceError: The disk is full.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError("charts have no such format", expected=", ".join(FORMATS), came=repr(name))
    drawn = [metric for metric in evaluation.metrics if has_scores(evaluation, metric)]
    if not drawn:
        raise DataError("there is nothing to draw", expected="a metric with a number", came="none")
    charts = list(_charts(evaluation, drawn))
    targets = [folder / f"{name}.{suffix}" for name, _ in charts for suffix in formats]
    keep_inputs(targets, [*evaluation.files, *evaluation.unscored_files])
    mark_output(folder, folder)
    paths: list[Path] = []
    with chart_style():
        for name, draw in charts:
            paths += write_figure(draw(), folder / name, formats)
    return tuple(paths)


def _charts(evaluation: Evaluation, metrics: Sequence[Metric]) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield the name of every chart, and what draws it: every name is known before anything is written."""
    members = _members(evaluation)
    paired = evaluation.overall.degraded is not None and evaluation.overall.restored is not None
    for metric in metrics:
        yield f"{metric.name}-means", partial(mean_chart, evaluation, metric)
        yield f"{metric.name}-distribution", partial(distribution_chart, evaluation, members, metric)
        if paired and evaluation.overall.gain and evaluation.overall.gain.get(metric.name) is not None:
            yield f"{metric.name}-gain", partial(gain_chart, evaluation, members, metric)
    spectra = error_spectra(members)
    if spectra:
        yield SPECTRUM, partial(spectrum_chart, spectra, by_words(evaluation))


def _members(evaluation: Evaluation) -> Members:
    """Return the pictures of every group, under the names of the table."""
    by = evaluation.by or ("category",)
    found, _ = split(evaluation.images, by)
    return {"/".join(key): scores for key, scores in found.items()}
