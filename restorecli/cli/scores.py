"""What `eval` and `demo` show of an evaluation, and the files they write of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.cli import render

if TYPE_CHECKING:
    from restorecli.errors import GateError
    from restorecli.evaluation.result import Evaluation
    from restorecli.evaluation.statistics.comparison import Comparison
    from restorecli.evaluation.tables.cells import Table

_SHOWN_UNMATCHED = 20
_SHOWN_STRIPS = 24
_TITLE = "Evaluation"
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


def _tables(evaluation: Evaluation) -> Iterator[Table]:
    """Yield one table for all metrics if it fits, else one for each; a wide one shows more about each."""
    from restorecli.evaluation.tables.cells import DETAILS, table

    if len(evaluation.metrics) <= _SIDE_BY_SIDE:
        joint = _widest(partial(table, evaluation), DETAILS)
        if len(evaluation.metrics) == 1 or render.fits(joint.headers, joint.rows):
            yield joint
            return
    for metric in evaluation.metrics:
        yield _widest(partial(table, evaluation, metrics=[metric]), DETAILS)


def _compared(comparison: Comparison) -> Iterator[Table]:
    from restorecli.evaluation.tables.cells import COMPARED, comparison_table

    for metric in comparison.metrics:
        yield _widest(partial(comparison_table, comparison, metric), COMPARED)


def _widest(make: Callable[..., Table], details: Sequence[str]) -> Table:
    """Return the table with as many details as fit, the first ones first."""
    for count in range(len(details), 0, -1):
        cells = make(details=details[:count])
        if render.fits(cells.headers, cells.rows):
            return cells
    return make(details=())


def check_targets(
    evaluation: Evaluation,
    others: Iterable[Path],
    folders: Iterable[Path],
    *,
    csv: Path | None,
    markdown: Path | None,
    latex: Path | None,
    page: Path | None,
    folder: Path | None,
) -> None:
    """Check that nothing that is asked for would overwrite what was read.

    Args:
        evaluation: Its pictures and masks were read.
        others: Further files that were read.
        folders: Where pictures were looked for: what found no mate there is kept as well.
        csv: See `write_files`.
        markdown: See `write_files`.
        latex: See `write_files`.
        page: See `write_pages`.
        folder: See `write_pages`.

    Raises:
        UsageError: A file would be overwritten, or two outputs are one file.
    """
    from restorecli.folders.protect import keep_folder_apart, keep_inputs, refuse_picture_names
    from restorecli.folders.walking import walk

    tables = [] if csv is None else [csv, _groups_file(csv)]
    texts = [*tables, *(path for path in (markdown, latex, page) if path is not None)]
    if not texts and folder is None:
        return
    found = [file.path for place in folders for file in walk(place)]
    inputs = [*evaluation.files, *evaluation.unscored_files, *others, *found]
    refuse_picture_names(texts)
    keep_inputs(texts if folder is None else [*texts, folder / "index.html"], inputs)
    if folder is not None:
        keep_folder_apart(folder / "pictures", inputs)


def _groups_file(csv: Path) -> Path:
    return csv.with_name(f"{csv.stem}.groups{csv.suffix}")


def write_files(
    evaluation: Evaluation,
    comparison: Comparison | None = None,
    *,
    csv: Path | None = None,
    markdown: Path | None = None,
    latex: Path | None = None,
) -> None:
    """Write the scores picture by picture and by group as CSV, and the tables as Markdown and LaTeX."""
    from restorecli.evaluation.tables.latex import to_latex
    from restorecli.evaluation.tables.markdown import to_markdown
    from restorecli.evaluation.tables.spreadsheet import groups_to_csv, images_to_csv

    if csv is not None:
        _write(csv, images_to_csv(evaluation))
        _write(_groups_file(csv), groups_to_csv(evaluation))
    if markdown is not None:
        _write(markdown, to_markdown(evaluation, comparison))
    if latex is not None:
        _write(latex, to_latex(evaluation, comparison))


def _write(path: Path, text: str) -> None:
    from restorecli.folders.places import make_folder
    from restorecli.images.atomic import write_file

    make_folder(path.parent, path.parent)
    write_file(path, text)
    render.say(f"wrote {path}")


def write_pages(
    evaluation: Evaluation,
    comparison: Comparison | None = None,
    *,
    page: Path | None = None,
    folder: Path | None = None,
) -> None:
    """Write the report as one page, and as a folder with a page and pictures, where asked for."""
    if page is not None:
        from restorecli.report.page import write_page

        write_page(evaluation, page, title=_TITLE, comparison=comparison)
        render.say(f"wrote {page}")
    if folder is not None:
        write_report(evaluation, folder, title=_TITLE, comparison=comparison)


def write_report(
    evaluation: Evaluation,
    folder: Path,
    *,
    title: str,
    about: Sequence[str] = (),
    comparison: Comparison | None = None,
) -> None:
    """Write `index.html` and the side-by-side pictures that `report.choice.RULE` chooses."""
    from restorecli.report.choice import choose
    from restorecli.report.page import write_page
    from restorecli.report.strips import write_strips

    chosen = [choice.score for choice in choose(evaluation, _SHOWN_STRIPS)]
    strips = write_strips(chosen, folder / "pictures", within=folder)
    write_page(evaluation, folder / "index.html", title=title, about=about, comparison=comparison)
    render.say(
        f"wrote {folder / 'index.html'} and {len(strips)} side-by-side pictures in {folder / 'pictures'}"
    )


def document(
    evaluation: Evaluation, comparison: Comparison | None, refused: Sequence[GateError]
) -> dict[str, object]:
    """Return the one object that `eval --json` prints: the evaluation, the comparison, the first refusal."""
    whole = evaluation.to_dict()
    if comparison is not None:
        whole["comparison"] = comparison.to_dict()
    return {**whole, "error": render.error_document(refused[0])} if refused else whole


def list_unmatched(evaluation: Evaluation, comparison: Comparison | None = None) -> None:
    """Name the pictures that were not scored or not compared, and why."""
    missing = () if comparison is None else comparison.missing
    _list([f"not scored: {entry.side} {entry.path}: {entry.reason}" for entry in evaluation.unmatched])
    _list([f"not compared: {entry.rival}: {entry.path}: {entry.reason}" for entry in missing])


def _list(lines: Sequence[str]) -> None:
    render.say(*lines[:_SHOWN_UNMATCHED])
    hidden = len(lines) - _SHOWN_UNMATCHED
    if hidden > 0:
        render.say(f"... and {hidden} more; --json lists them all")
