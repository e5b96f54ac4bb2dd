"""A table that a command shows: on stdout, as JSON, or as Markdown in a file besides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import render
from restorecli.result import CommandResult

Markdown = Annotated[Path | None, typer.Option("--markdown", help="Write the table as Markdown, too.")]


def show(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    result: CommandResult,
    markdown: Path | None,
    *,
    as_json: bool,
    names: int = 1,
) -> None:
    """Show a table, and write it where it is wanted.

    Args:
        headers: Of the columns.
        rows: Cells as text.
        result: The same for programs.
        markdown: A file to write, or None.
        as_json: Print the result in place of the table.
        names: How many columns, from the first, hold words and not numbers.

    Raises:
        DataError: The file cannot be written.
        ResourceError: The disk is full or failing.
    """
    from restorecli.bench.models import markdown as to_markdown
    from restorecli.images.atomic import write_file

    if as_json:
        render.as_json(result)
    else:
        render.table(headers, rows)
    if markdown is not None:
        write_file(markdown, to_markdown(headers, rows, names=names))
