"""What `eval` and `demo` show of an evaluation, and the files they write of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.cli import render
from restorecli.errors import GateError

if TYPE_CHECKING:
    from restorecli.evaluate.result import Evaluation

_SHOWN_UNMATCHED = 20
_SHOWN_STRIPS = 24


def show(evaluation: Evaluation, *, by_category: bool) -> None:
    """Print the table, by category or of everything together; how it was computed goes to stderr."""
    from restorecli.evaluate.tables import table

    cells = table(evaluation)
    if not render.fits(cells.headers, cells.rows):
        cells = table(evaluation, spread=False)
    render.table(cells.headers, cells.rows if by_category else cells.rows[-1:])
    render.say(f"{evaluation.protocol}.", *(f"Note: {note}." for note in evaluation.notes))


def write_files(evaluation: Evaluation, *, csv: Path | None, markdown: Path | None) -> None:
    """Write the scores picture by picture as CSV, and the table by category as Markdown."""
    from restorecli.evaluate.tables import images_to_csv, to_markdown
    from restorecli.images.atomic import atomic_write

    for path, text in ((csv, images_to_csv), (markdown, to_markdown)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as temporary:
                temporary.write_text(text(evaluation), encoding="utf-8")
            render.say(f"wrote {path}")


def write_report(evaluation: Evaluation, folder: Path, *, title: str, about: Sequence[str] = ()) -> None:
    """Write `index.html` and side-by-side pictures, of every category the median one and the lowest one."""
    from restorecli.report.choice import choose
    from restorecli.report.page import write_page
    from restorecli.report.strips import write_strips

    strips = write_strips([choice.score for choice in choose(evaluation, _SHOWN_STRIPS)], folder / "pictures")
    write_page(evaluation, folder / "index.html", title=title, about=about)
    render.say(
        f"wrote {folder / 'index.html'} and {len(strips)} side-by-side pictures in {folder / 'pictures'}"
    )


def list_unmatched(evaluation: Evaluation) -> None:
    """Name the pictures that were not scored, and why."""
    for entry in evaluation.unmatched[:_SHOWN_UNMATCHED]:
        render.say(f"not scored: {entry.side} {entry.path}: {entry.reason}")
    hidden = len(evaluation.unmatched) - _SHOWN_UNMATCHED
    if hidden > 0:
        render.say(f"... and {hidden} more; --json lists them all")


def gate(evaluation: Evaluation, least: float) -> GateError | None:
    """Return the error of a mean PSNR below `least` dB over all pictures, or None where it is reached."""
    mean = evaluation.overall.final["psnr"].mean
    if mean is not None and mean >= least:
        return None
    return GateError(
        "The mean PSNR is below the gate.",
        expected=f"at least {least:g} dB",
        came="no score" if mean is None else f"{mean:.4f} dB over {evaluation.overall.n} pictures",
    )
