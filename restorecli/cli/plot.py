"""`restorecli plot`: the charts of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli import api
from restorecli.cli import eval_words, options, render, scores
from restorecli.cli.progress import BarProgress
from restorecli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from restorecli.api.results import EvalResult
    from restorecli.evaluation.result import Evaluation

EXAMPLES = (
    "restorecli plot",
    "restorecli plot scores.json -o ./figures --style paper",
    "restorecli plot --against median=./median",
    "restorecli plot ./restored ./photos --metrics psnr,ssim --by category",
)

_NO_SPECTRUM = "no error-spectrum: the images are not found from here, or have no reference"


class ChartStyle(StrEnum):
    """Where a chart is to stand."""

    SCREEN = "screen"
    PAPER = "paper"


class ChartFormat(StrEnum):
    """What a chart can be written as."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


def command(
    restored: Annotated[
        Path | None,
        typer.Argument(
            help="By default ./restored, else ./degraded; or a file that `eval --json` printed.",
            metavar="RESTORED",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Argument(help="Clean originals; by default what the manifest names.", metavar="REFERENCE"),
    ] = None,
    degraded: Annotated[
        Path | None, typer.Option("--degraded", help="Degraded images; by default what the manifest names.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")] = Path("plots"),
    formats: Annotated[
        list[ChartFormat] | None,
        typer.Option("--format", help="Once for each; by default png and svg, and pdf for a paper."),
    ] = None,
    style: Annotated[
        ChartStyle,
        typer.Option(
            "--style", help="paper: one column wide, without title and footnote, which the caption holds."
        ),
    ] = ChartStyle.SCREEN,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against", help="Another method's images, drawn beside; may be repeated.", metavar="NAME=DIR"
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", help="Names with commas, or all; by default psnr,ssim.", metavar="NAMES"),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="What a group is, with commas; by default category.", metavar="FIELDS"),
    ] = None,
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Draw what `eval` finds: means, distributions and gains by category, and the spectra of the errors."""
    from restorecli.report.chart_style import LOOKS
    from restorecli.report.plots import SPECTRUM, write_plots

    others: Mapping[str, Evaluation] = {}
    if restored is not None and restored.is_file() and restored.suffix.lower() == ".json":
        evaluation = _saved(restored, (reference, degraded, *(against or [])), metrics, by)
    else:
        found = _evaluated(restored, reference, degraded, metrics, by, against, workers)
        evaluation, others = found, {} if found.comparison is None else found.comparison.evaluations
    usual = (ChartFormat.PDF,) if style == ChartStyle.PAPER else (ChartFormat.PNG, ChartFormat.SVG)
    chosen = tuple(dict.fromkeys(formats or usual))
    paths = write_plots(evaluation, output, chosen, look=LOOKS[style], others=others)
    notes = [] if any(path.stem == SPECTRUM for path in paths) else [_NO_SPECTRUM]
    scores.list_unmatched(evaluation)
    render.say(*(f"note: {note}" for note in notes))
    if as_json:
        files = [str(path) for path in paths]
        drawn = {"protocol": evaluation.protocol, "files": files, "notes": notes}
        render.as_json(scores.plotted(evaluation, drawn, notes))
    else:
        render.data("\n".join(render.plain(str(path)) for path in paths))
    if evaluation.unmatched:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _evaluated(
    restored: Path | None,
    reference: Path | None,
    degraded: Path | None,
    metrics: str | None,
    by: str | None,
    against: Sequence[str] | None,
    workers: int | None,
) -> EvalResult:
    """Find and score the images, as `eval` does."""
    options = api.EvalOptions(
        restored,
        reference,
        degraded=degraded,
        by=_names(by) or None,
        metrics=_names(metrics) or None,
        against=eval_words.read_rivals(against or []),
        workers=workers,
        progress=BarProgress(),
    )
    return api.run_evaluate(options)


def _saved(
    file: Path, folders: Sequence[Path | str | None], metrics: str | None, by: str | None
) -> Evaluation:
    """Read what `eval --json` printed; nothing is scored again."""
    from restorecli.evaluation.metrics.catalog import find_metrics
    from restorecli.evaluation.statistics.assembly import assemble
    from restorecli.evaluation.tables.saved import read_evaluation

    if any(folder is not None for folder in folders):
        raise UsageError(
            "Give either a saved evaluation or folders.", expected=str(file), got="further folders"
        )
    evaluation = read_evaluation(file)
    if not metrics and not by:
        return evaluation
    names = _names(metrics)
    wanted = find_metrics(names) if names and names != ("all",) else evaluation.metrics
    known = {metric.name for metric in evaluation.metrics}
    for metric in wanted:
        if metric.name not in known:
            raise UsageError(
                "The saved evaluation does not hold this metric.", expected=", ".join(known), got=metric.name
            )
    return assemble(
        evaluation.images,
        evaluation.unmatched,
        metrics=wanted,
        by=_names(by) or evaluation.by,
        protocol=evaluation.protocol,
    )


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
