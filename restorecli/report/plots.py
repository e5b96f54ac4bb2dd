"""The charts of an evaluation as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from restorecli.errors import DataError, UsageError
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation
from restorecli.folders.protect import keep_inputs
from restorecli.folders.walking import mark_output
from restorecli.report.chart_images import distribution_chart, gain_chart
from restorecli.report.chart_means import mean_chart
from restorecli.report.chart_rows import Series, by_words, has_gains, has_scores, members_of, series_of
from restorecli.report.chart_style import FORMATS, SCREEN, Chart, Look, chart_style, write_figure
from restorecli.report.spectra import error_spectra, spectrum_chart

SPECTRUM = "error-spectrum"
"""Name of the chart that needs the images themselves."""


def write_plots(
    evaluation: Evaluation,
    folder: Path,
    formats: Sequence[str] = ("png", "svg"),
    *,
    look: Look = SCREEN,
    others: Mapping[str, Evaluation] = MappingProxyType({}),
) -> tuple[Path, ...]:
    """Draw an evaluation, and write the charts; the same evaluation gives the same bytes.

    For every metric that has a number: `NAME-means` (bars by group), `NAME-distribution` (every image) and,
    where degraded and restored images are known, `NAME-gain`. Where images can be read, `error-spectrum` (at
    most eight of each group).

    Args:
        evaluation: What was found; its metrics and groups are what is drawn.
        folder: Where to; made when missing. A new folder is marked, so that nothing is trained on the charts.
        formats: "png", "svg" or "pdf".
        look: Where the charts are to stand, e.g. `chart_style.COLUMN` for a paper.
        others: The same images by other methods, by name: bars and points beside those of the evaluation.

    Returns:
        The files, in the order of the metrics.

    Raises:
        UsageError: There is no such format, or a chart would overwrite an image that was read.
        DataError: Not one metric has a number.
        ResourceError: The disk is full.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError("Unknown chart format.", expected=", ".join(FORMATS), got=repr(name))
    drawn = [metric for metric in evaluation.metrics if has_scores(evaluation, metric)]
    if not drawn:
        raise DataError("There is nothing to draw.", expected="a metric with a number", got="none")
    charts = list(_charts(evaluation, drawn, look, series_of(evaluation, others)))
    targets = [folder / f"{name}.{suffix}" for name, _ in charts for suffix in formats]
    read = (pair.files for one in (evaluation, *others.values()) for pair in one.pairs)
    keep_inputs(targets, chain.from_iterable(read))
    mark_output(folder, folder)
    paths: list[Path] = []
    with chart_style(look):
        for name, draw in charts:
            paths += write_figure(draw().figure, folder / name, formats)
    return tuple(paths)


def _charts(
    evaluation: Evaluation, metrics: Sequence[Metric], look: Look, series: Sequence[Series]
) -> Iterator[tuple[str, Callable[[], Chart]]]:
    """Yield the name of every chart, and what draws it: every name is known before anything is written."""
    for metric in metrics:
        yield f"{metric.name}-means", partial(mean_chart, evaluation, metric, look, series=series)
        yield (
            f"{metric.name}-distribution",
            partial(distribution_chart, evaluation, metric, look, series=series),
        )
        if has_gains(evaluation, metric):
            yield f"{metric.name}-gain", partial(gain_chart, evaluation, metric, look)
    spectra = error_spectra(members_of(evaluation))
    if spectra:
        yield SPECTRUM, partial(spectrum_chart, spectra, by_words(evaluation), look)
