"""`restorecli eval`: by how much, picture by picture and by category."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import options, render, scores
from restorecli.cli.progress import BarProgress
from restorecli.errors import ExitCode

EXAMPLES = (
    "restorecli eval --by-category",
    "restorecli eval ./restored ./photos --json",
    "restorecli eval ./restored ./photos --csv scores.csv --markdown scores.md",
    "restorecli eval -o ./report",
    "restorecli eval --min-psnr 28",
)


def command(
    restored: Annotated[
        Path | None,
        typer.Argument(help="By default ./restored, else ./degraded.", metavar="RESTORED"),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Argument(help="Clean originals; by default what the manifest names.", metavar="REFERENCE"),
    ] = None,
    degraded: Annotated[
        Path | None, typer.Option("--degraded", help="Degraded pictures; by default what the manifest names.")
    ] = None,
    by_category: Annotated[
        bool, typer.Option("--by-category", help="One line for each category, then all together.")
    ] = False,
    min_psnr: Annotated[
        float | None,
        typer.Option("--min-psnr", help="Exit with 9 when the mean PSNR is below it.", metavar="DB"),
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="File for one line per picture.")] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="File for the table as Markdown.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for an HTML page and side-by-side pictures.")
    ] = None,
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Score pictures against their references: PSNR and SSIM, degraded against restored.

    Pictures that find no mate are listed, never dropped in silence, and give exit code 3.
    """
    from restorecli.evaluate.folder import evaluate_folders

    evaluation = evaluate_folders(
        restored, reference, degraded=degraded, workers=workers, progress=BarProgress()
    )
    scores.write_files(evaluation, csv=csv, markdown=markdown)
    if output is not None:
        scores.write_report(evaluation, output, title="Evaluation")
    refused = None if min_psnr is None else scores.gate(evaluation, min_psnr)
    if as_json:
        gate = {} if refused is None else {"error": render.error_document(refused)}
        render.data_json({**evaluation.to_dict(), **gate})
    else:
        scores.show(evaluation, by_category=by_category)
    scores.list_unmatched(evaluation)
    if refused is not None:
        render.error_panel(refused)
        raise typer.Exit(refused.exit_code)
    if evaluation.unmatched:
        raise typer.Exit(ExitCode.SOME_FAILED)
