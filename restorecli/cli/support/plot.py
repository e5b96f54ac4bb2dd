"""What `plot` does: score as `eval` does, or read what it or `train` saved, and draw the charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from restorecli import api
from restorecli.cli import render
from restorecli.cli.support import scores
from restorecli.errors import ExitCode, UsageError
from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.assembly import assemble
from restorecli.evaluation.tables.saved import read_evaluation
from restorecli.folders.places import refuse_file_name
from restorecli.report.chart_curves import write_curves
from restorecli.report.chart_style import FORMATS, LOOKS
from restorecli.report.plots import SPECTRUM, write_plots
from restorecli.result import CommandResult
from restorecli.training.curves import is_run, read_curves

_NO_SPECTRUM = "no error-spectrum: the images are not found from here, or have no reference"


def draw(asked: api.EvalOptions, output: Path, formats: Sequence[str], *, style: str, as_json: bool) -> None:
    """Draw charts, and leave with exit code 3 where images were not scored.

    Args:
        asked: What to score; `restored` may be a file that `eval --json` printed, or the folder of a run.
        output: Folder to write into.
        formats: What each chart is written as.
        style: A name of `LOOKS`.
        as_json: Print as JSON what was written.
    """
    refuse_file_name(output, [f".{name}" for name in FORMATS])
    if asked.restored is not None and is_run(Path(asked.restored)):
        _draw_curves(asked, Path(asked.restored), output, formats, style=style, as_json=as_json)
        return
    others: Mapping[str, Evaluation] = {}
    file = None if asked.restored is None else Path(asked.restored)
    if file is not None and file.is_file() and file.suffix.lower() == ".json":
        evaluation = _saved(file, asked)
    else:
        evaluation = found = api.run_evaluate(asked)
        others = {} if found.comparison is None else found.comparison.evaluations
    paths = write_plots(evaluation, output, formats, look=LOOKS[style], others=others)
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


def _draw_curves(
    asked: api.EvalOptions, run: Path, output: Path, formats: Sequence[str], *, style: str, as_json: bool
) -> None:
    """Draw the learning curves of a run, and of those to compare with."""
    if asked.reference is not None or asked.degraded is not None or asked.metrics or asked.by:
        raise UsageError(
            "The curves of a training are those of its own validation.",
            expected="a run folder, and --against NAME=RUN for others",
            got="images, --metrics or --by beside it",
        )
    places = {run.resolve().name: run, **{name: Path(place) for name, place in asked.against.items()}}
    runs = {name: read_curves(place) for name, place in places.items()}
    paths = write_curves(runs, output, formats, look=LOOKS[style])
    files = [str(path) for path in paths]
    if as_json:
        render.as_json(CommandResult("plot", {"files": files}))
    else:
        render.data("\n".join(render.plain(file) for file in files))


def _saved(file: Path, asked: api.EvalOptions) -> Evaluation:
    """Read what `eval --json` printed; nothing is scored again."""
    if asked.reference is not None or asked.degraded is not None or asked.against:
        raise UsageError(
            "Give either a saved evaluation or folders.", expected=str(file), got="further folders"
        )
    evaluation = read_evaluation(file)
    if not asked.metrics and not asked.by:
        return evaluation
    names = asked.metrics
    wanted = find_metrics(names) if names and tuple(names) != ("all",) else evaluation.metrics
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
        by=asked.by or evaluation.by,
        protocol=evaluation.protocol,
    )
