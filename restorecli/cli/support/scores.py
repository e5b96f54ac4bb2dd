"""What `eval` and `demo` show of an evaluation."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import typer

from restorecli.api.files import STRIPS
from restorecli.api.results import EvalResult
from restorecli.cli import render
from restorecli.errors import ExitCode, ImageError, RestorecliError, UsageError
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.comparison import Comparison
from restorecli.evaluation.statistics.lost_defects import lost_defects
from restorecli.evaluation.tables.cells import COMPARED, DETAILS, Table, comparison_table, table
from restorecli.folders.jobs import Failure
from restorecli.result import CommandResult

_SHOWN_UNMATCHED = 20
_SIDE_BY_SIDE = 4  # more metrics than these have a table each, also where a line has no end


def show(evaluation: Evaluation, comparison: Comparison | None = None, *, by_group: bool) -> None:
    """Print the tables, by group or of everything together; how they were computed goes to stderr."""
    shown = [*_tables(evaluation), *(_compared(comparison) if comparison else ())]
    for number, cells in enumerate(shown):
        if number:
            render.data("")
        own = number < len(shown) - (len(comparison.metrics) if comparison else 0)
        render.table(cells.headers, cells.rows if by_group or not own else cells.rows[-1:])
    render.say(f"{evaluation.protocol}.", *(f"Note: {note}." for note in evaluation.notes))
    if comparison is not None:
        render.say(comparison.policy)
    _print_lost_defects(evaluation)


def _print_lost_defects(evaluation: Evaluation) -> None:
    lost = lost_defects(evaluation.images)
    if lost is not None:
        render.say(lost.sentence)
        _list([f"  {entry.path}: {entry.degraded:.1f} -> {entry.restored:.1f}" for entry in lost.entries])


def _tables(evaluation: Evaluation) -> Iterator[Table]:
    """Yield one table for all metrics if it fits, else one for each; a wide one shows more about each."""
    if len(evaluation.metrics) <= _SIDE_BY_SIDE:
        joint = _widest(partial(table, evaluation), DETAILS)
        if len(evaluation.metrics) == 1 or render.fits(joint.headers, joint.rows):
            yield joint
            return
    for metric in evaluation.metrics:
        yield _widest(partial(table, evaluation, metrics=[metric]), DETAILS)


def _compared(comparison: Comparison) -> Iterator[Table]:
    for metric in comparison.metrics:
        yield _widest(partial(comparison_table, comparison, metric), COMPARED)


def _widest(make: Callable[..., Table], details: Sequence[str]) -> Table:
    """Return the table with as many details as fit, the first ones first."""
    for count in range(len(details), 0, -1):
        cells = make(details=details[:count])
        if render.fits(cells.headers, cells.rows):
            return cells
    return make(details=())


def render_result(
    command: str,
    found: EvalResult,
    *,
    as_json: bool,
    by_group: bool,
    more: Sequence[Failure] = (),
    opens: bool = False,
) -> None:
    """Show what an evaluation found, and leave with the exit code of what failed.

    Args:
        command: The command that evaluated.
        found: What it found.
        as_json: Print it as JSON in place of the tables.
        by_group: Show the groups, not only the last line over all images.
        more: Images that failed before they could be scored.
        opens: Open the page that was written in the browser.
    """
    _print_files(found.written)
    if opens:
        _open_page(found.written)
    failed = _failed(found, more)
    code = ExitCode.GATE if found.refused else ExitCode.SOME_FAILED if failed else ExitCode.DONE
    if as_json:
        render.as_json(
            CommandResult(command, found.to_dict(), notes=found.notes, errors=failed, exit_code=code)
        )
    else:
        show(found, found.comparison, by_group=by_group)
    list_unmatched(found, found.comparison)
    for error in found.refused:
        render.show_error(error)
    if code:
        raise typer.Exit(code)


def _failed(found: EvalResult, more: Sequence[Failure]) -> list[RestorecliError]:
    return [
        *found.refused,
        *(failure.error for failure in more),
        *(ImageError(f"not scored: {line}") for line in _unmatched(found)),
        *(ImageError(f"not compared: {line}") for line in _uncompared(found.comparison)),
    ]


def plotted(evaluation: Evaluation, found: object, notes: Sequence[str]) -> CommandResult:
    """Return what `plot` drew as its result."""
    errors = [ImageError(f"not scored: {line}") for line in _unmatched(evaluation)]
    code = ExitCode.SOME_FAILED if errors else ExitCode.DONE
    return CommandResult("plot", found, notes=notes, errors=errors, exit_code=code)


def _print_files(written: Sequence[Path]) -> None:
    """Name the files that were written; of side-by-side images only how many, and where."""
    pages = [path for path in written if path.name == "index.html"]
    folders = [page.parent / STRIPS for page in pages]
    for path in written:
        strips = path.parent / STRIPS
        if path in pages:
            count = sum(other.is_relative_to(strips) for other in written)
            render.say(f"wrote {path} and {count} side-by-side images in {strips}")
        elif not any(path.is_relative_to(folder) for folder in folders):
            render.say(f"wrote {path}")


def _open_page(written: Sequence[Path]) -> None:
    pages = [path for path in written if path.suffix.lower() in (".html", ".htm")]
    address = pages[-1].resolve().as_uri()
    if not webbrowser.open(address):
        render.say(f"No browser opened; the page is {address}")


def check_open(report: Path | None, output: Path | None, *, opens: bool) -> None:
    """Refuse `--open` where no page is written.

    Raises:
        UsageError: Neither `--report` nor `-o` was given.
    """
    if opens and report is None and output is None:
        raise UsageError(
            "There is no page to open.",
            expected="--report FILE.html or -o FOLDER beside --open",
            got="neither of them",
            hint="restorecli eval --report report.html --open",
        )


def list_unmatched(evaluation: Evaluation, comparison: Comparison | None = None) -> None:
    """Name the images that were not scored or not compared, and why."""
    _list([f"not scored: {line}" for line in _unmatched(evaluation)])
    _list([f"not compared: {line}" for line in _uncompared(comparison)])


def _unmatched(evaluation: Evaluation) -> list[str]:
    return [f"{entry.side} {entry.path}: {entry.reason}" for entry in evaluation.unmatched]


def _uncompared(comparison: Comparison | None) -> list[str]:
    missing = () if comparison is None else comparison.missing
    return [f"{entry.rival}: {entry.path}: {entry.reason}" for entry in missing]


def _list(lines: Sequence[str]) -> None:
    render.say(*lines[:_SHOWN_UNMATCHED])
    hidden = len(lines) - _SHOWN_UNMATCHED
    if hidden > 0:
        render.say(f"... and {hidden} more; --json lists them all")
