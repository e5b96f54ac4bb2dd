"""Everything that is shown: data to stdout, words to stderr. Nothing else in the package prints.

What is needed to show it is imported then: completion runs at every key press, and shows nothing.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

import typer

from restorecli.counting import counted
from restorecli.errors import ExitCode, InterruptedRunError, RestorecliError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from restorecli.folders.jobs import FolderSummary
    from restorecli.result import CommandResult

_SHOWN_FAILURES = 20
_SHOWN_NOTES = 20
_BETWEEN = 2  # columns between two cells of a table
_NO_WRAP = 1000  # columns of a file or a pipe: lines are never broken there
_PAGE = 120  # columns of it that a reader is likely to see at once


def console(*, stderr: bool = False) -> Console:
    """Return a console on stdout or stderr; as wide as the terminal, or never wrapping outside one."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream is not None and stream.isatty() else _NO_WRAP
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def plain(text: str) -> str:
    """Return `text` with control characters spelled out: no file name steers a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def say(*lines: str) -> None:
    """Write words to stderr."""
    for line in lines:
        console(stderr=True).print(plain(line), markup=False)


def warning(
    message: Warning | str,
    category: type[Warning],  # noqa: ARG001 - the signature of warnings.showwarning
    filename: str,  # noqa: ARG001
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Show a library's warning, such as Pillow's of damaged metadata, as a note without its source line."""
    say(f"note: {' '.join(str(message).split())}")


def data(text: str) -> None:
    """Write data to stdout, exactly as it is."""
    if sys.stdout is not None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")


def as_json(result: CommandResult) -> None:
    """Write a result to stdout as one JSON object (ASCII only, so that any locale can carry it)."""
    import json

    if sys.stdout is not None:
        # In parts: thousands of images in one text would take more memory than they do themselves.
        sys.stdout.writelines(json.JSONEncoder(indent=2, allow_nan=False).iterencode(result.to_dict()))
        sys.stdout.write("\n")


def markdown(text: str) -> None:
    """Write a page in Markdown to stdout: set in a terminal, as it is into a file or a pipe."""
    shown = console()
    if not shown.is_terminal:
        data(text)
        return
    from rich.markdown import Markdown

    shown.print(Markdown(text))


def paragraph(title: str, text: str) -> None:
    """Write words to stdout, broken into lines where they are too long for a reader."""
    import textwrap

    seen = console().width
    width = _PAGE if seen == _NO_WRAP else seen
    data(
        "\n".join(
            textwrap.wrap(plain(f"{title}{text}"), width, subsequent_indent="  ", break_on_hyphens=False)
        )
    )


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, stderr: bool = False) -> None:
    """Write a table to stdout or stderr; columns of numbers, but for the first, are right-aligned."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [[plain(str(cell)) for cell in row] for row in rows]
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    widths = _widths(headers, cells) if fits(headers, cells) else [None] * len(headers)
    for index, header in enumerate(headers):
        numeric = index > 0 and all(_looks_numeric(row[index]) for row in cells)
        shown.add_column(
            header,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=index == 0,
            width=widths[index],
        )
    for row in cells:
        shown.add_row(*(Text(cell) for cell in row))
    _print_trimmed(console(stderr=stderr), shown)


def _print_trimmed(where: Console, shown: Table) -> None:
    """Print a table; into a file or a pipe without the spaces that fill its last column."""
    if where.is_terminal:
        where.print(shown)
        return
    with where.capture() as captured:
        where.print(shown)
    for line in captured.get().splitlines():
        where.out(line.rstrip(), highlight=False)


def fits(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether a table can be read on stdout: no cell broken, and in a file or a pipe 120 columns."""
    widths = _least_widths(headers, rows)
    seen = console().width
    return sum(widths) + _BETWEEN * (len(widths) - 1) <= (_PAGE if seen == _NO_WRAP else seen)


def _widths(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int | None]:
    """Return widths that break headers only; rich itself would break the widest cells before a header."""
    import textwrap

    widths = _least_widths(headers, rows)
    spare = console().width - sum(widths) - _BETWEEN * (len(widths) - 1)
    for _ in range(spare):
        lines = [len(textwrap.wrap(*pair)) for pair in zip(headers, widths, strict=True)]
        tallest = max(range(len(lines)), key=lines.__getitem__)
        if lines[tallest] < 2:
            break
        widths[tallest] += 1
    return list(widths)


def _least_widths(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    words = [max((len(word) for word in header.split()), default=0) for header in headers]
    lines = [[len(line) for row in rows for line in row[index].splitlines()] for index in range(len(words))]
    return [max([word, *lengths]) for word, lengths in zip(words, lines, strict=True)]


def _looks_numeric(cell: str) -> bool:
    return cell in ("", "-", "inf") or cell[0] in "+-.0123456789["


def show_error(error: RestorecliError) -> None:
    """Show an error on stderr: the problem, then each known part of it; boxed in a terminal only."""
    stopped = isinstance(error, InterruptedRunError)
    title = f"{'Stopped' if stopped else 'Error'} (exit code {int(error.exit_code)})"
    if console(stderr=True).is_terminal:
        _error_panel(error, title, "yellow" if stopped else "red")
    else:
        say(f"{title}: {error!s}")


def _error_panel(error: RestorecliError, title: str, color: str) -> None:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    body = Table.grid(padding=(0, 1))
    body.add_column(style="bold", no_wrap=True)
    body.add_column(overflow="fold")
    for label, text in error.details().items():
        body.add_row(f"{label}:", Text(plain(text)))
    whole = Table.grid()
    whole.add_row(Text(plain(error.problem)))
    if error.details():
        whole.add_row(body)
    console(stderr=True).print(
        Panel(whole, title=title, title_align="left", border_style=color, expand=False)
    )


def folder_summary(summary: FolderSummary, *, json_wanted: bool, quiet: bool = False) -> None:
    """Tell what a folder job did, and leave with exit code 3 when some of its items failed.

    Args:
        summary: Of the job.
        json_wanted: Print it as JSON, too.
        quiet: Name what failed, and nothing else.
    """
    if json_wanted:
        as_json(folder_result(summary))
    if quiet:
        failures(summary)
        leave_if_failed(summary)
        return
    for line in note_lines(summary, _SHOWN_NOTES):
        say(f"note: {line}")
    hidden = len(summary.notes) - _SHOWN_NOTES
    if hidden > 0:
        say(f"... and {counted(hidden, 'more note')}; the manifest has them all")
    failures(summary)
    say(totals(summary))
    leave_if_failed(summary)


def folder_result(summary: FolderSummary) -> CommandResult:
    """Return what a folder job did as the result of its command."""
    from restorecli.result import CommandResult

    return CommandResult(
        summary.command,
        summary.to_dict(),
        notes=note_lines(summary),
        errors=[failure.error for failure in summary.failures],
        exit_code=ExitCode.SOME_FAILED if summary.failures else ExitCode.DONE,
    )


def note_lines(summary: FolderSummary, most: int | None = None) -> list[str]:
    """Return what was done to images that their readers should know; the manifest says it of each."""
    return [str(note) for note in summary.notes[:most]]


def failures(summary: FolderSummary) -> None:
    """Name the items that failed, and why; a fault that stopped every one of them is said once."""
    shared = _shared_fault(summary)
    if shared is not None:
        first = summary.failures[0].path
        say(f"failed: all {counted(len(summary.failures), 'image')}, first {first}: {shared!s}")
        return
    for failure in summary.failures[:_SHOWN_FAILURES]:
        say(f"failed: {failure.path}: {failure.error!s}")
    hidden = len(summary.failures) - _SHOWN_FAILURES
    if hidden > 0:
        say(f"... and {hidden} more; --json lists them all")


def _shared_fault(summary: FolderSummary) -> RestorecliError | None:
    """Return the one error, without its file, that every image of a job failed by: a fault of the call."""
    errors = [failure.error for failure in summary.failures]
    told = {(error.problem, error.expected, error.got, error.hint) for error in errors}
    if summary.written or summary.skipped or len(errors) < 2 or len(told) > 1:
        return None
    shared = copy.copy(errors[0])
    shared.file = None
    return shared


def leave_if_failed(*summaries: FolderSummary) -> None:
    """Leave with exit code 3 when some items of a job failed."""
    if any(summary.failures for summary in summaries):
        raise typer.Exit(ExitCode.SOME_FAILED)


def duration(seconds: float) -> str:
    """Return a time in a person's words: "8 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def totals(summary: FolderSummary) -> str:
    """Return the line of totals of a folder job."""
    parts = [f"{summary.written} written"]
    if summary.skipped:
        parts.append(f"{summary.skipped} already there")
    if summary.failures:
        parts.append(f"{len(summary.failures)} failed")
    if summary.hidden:
        parts.append(f"{summary.hidden} hidden files left out")
    told = f"{', '.join(parts)} -> {summary.output}"
    if not summary.written:
        return told
    size, speed = summary.megapixels, summary.megapixels_per_second
    sized, fast = f"{size:.{4 if size < 0.1 else 1}f} MP", f"{speed:.{4 if speed < 0.1 else 2}f} MP/s"
    return f"{told} ({sized}, {fast}, {summary.seconds:.1f} s)"
