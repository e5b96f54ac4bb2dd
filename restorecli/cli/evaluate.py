"""`restorecli eval`: by how much, picture by picture, by category, and against other methods."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import completion, gates, methods, options, render, scores
from restorecli.cli.progress import BarProgress
from restorecli.errors import ExitCode

EXAMPLES = (
    "restorecli eval --by-category",
    "restorecli eval --by category,sigma --metrics psnr,ssim,gmsd",
    "restorecli eval ./restored ./photos --json > scores.json",
    "restorecli eval ./restored ./photos --csv scores.csv --markdown scores.md",
    "restorecli eval ./restored --against median=./median --latex table.tex",
    "restorecli eval --report report.html",
    "restorecli eval --min-psnr 28",
    "restorecli eval --baseline scores.json",
)

_MEASURED = "What is measured"
_COMPARED = "What it is compared with"
_FILES = "Files"
_GATES = "Gates (exit code 9)"


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
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="One line for each value of fields of the manifest, crossed: category, defect, degradation, "
            "severity, model, seed, or a drawn value such as sigma.",
            metavar="FIELD,...",
            autocompletion=completion.fields,
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            help="Names with commas between them, or all; by default psnr,ssim.",
            metavar="NAME,...",
            autocompletion=completion.metrics,
            rich_help_panel=_MEASURED,
        ),
    ] = None,
    list_metrics: Annotated[
        bool, typer.Option("--list-metrics", help="Show all metrics and stop.", rich_help_panel=_MEASURED)
    ] = False,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            help="Whose convention PSNR and SSIM follow.",
            metavar="NAME",
            autocompletion=completion.protocols,
            rich_help_panel=_MEASURED,
        ),
    ] = "rgb",
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Show one pair (two files, else the first pair) under every protocol and stop.",
            rich_help_panel=_MEASURED,
        ),
    ] = False,
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks",
            help="Masks of the defects; those of an MVTec-style tree are found by themselves.",
            rich_help_panel=_MEASURED,
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            help="Another method's pictures, compared picture by picture; may be repeated.",
            metavar="NAME=DIR",
            rich_help_panel=_COMPARED,
        ),
    ] = None,
    min_psnr: Annotated[
        float | None,
        typer.Option("--min-psnr", help="The least mean PSNR.", metavar="DB", rich_help_panel=_GATES),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            help="Earlier scores (--json): no mean may be worse, also by category, and no picture missing.",
            metavar="FILE",
            rich_help_panel=_GATES,
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            help="By how much a mean may be worse; by default 0.01 dB, and 0.0005 where there is no dB.",
            min=0,
            rich_help_panel=_GATES,
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            help="File for one line per picture; beside it NAME.groups.csv with one per group.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", help="File for the tables as Markdown.", rich_help_panel=_FILES),
    ] = None,
    latex: Annotated[
        Path | None,
        typer.Option("--latex", help="File for the means as a LaTeX table.", rich_help_panel=_FILES),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", help="One HTML page that opens offline.", metavar="FILE.html", rich_help_panel=_FILES
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Folder for an HTML page and side-by-side pictures.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Score pictures against their references, degraded against restored, and against other methods.

    Pictures that find no mate are listed, never dropped in silence, and give exit code 3.
    """
    if list_metrics:
        methods.list_metrics(as_json=as_json)
        return
    if explain:
        methods.explain(restored, reference, as_json=as_json)
        return
    from restorecli.degradation.again import degrade_again
    from restorecli.evaluation.folder import default_folder, evaluate_folders

    folder = restored or degraded or default_folder()
    name = folder.resolve().name
    rivals = methods.read_rivals(against or [], name)
    gate = gates.read(min_psnr, baseline, tolerance, protocol)
    fields = [*(["category"] if by_category or by is None else []), *_words(by)]
    evaluation = evaluate_folders(
        restored,
        reference,
        degraded=degraded,
        by=fields,
        metrics=_words(metrics) or gate.metrics,
        protocol=protocol,
        masks=masks,
        redegrade=degrade_again,
        workers=workers,
        progress=BarProgress(),
    )
    by_group = by_category or by is not None
    evaluation, comparison = methods.compare_with(
        evaluation,
        rivals,
        name=name,
        groups=by_group,
        protocol=protocol,
        redegrade=degrade_again,
        workers=workers,
    )
    refused = gate.refusals(evaluation)
    evaluation = gate.noted(evaluation)
    scores.check_targets(
        evaluation,
        [] if baseline is None else [baseline],
        [place for place in (folder, reference, degraded, masks, *rivals.values()) if place is not None],
        csv=csv,
        markdown=markdown,
        latex=latex,
        page=report,
        folder=output,
    )
    scores.write_files(evaluation, comparison, csv=csv, markdown=markdown, latex=latex)
    scores.write_pages(evaluation, comparison, page=report, folder=output)
    if as_json:
        render.data_json(scores.document(evaluation, comparison, refused))
    else:
        scores.show(evaluation, comparison, by_group=by_group)
    scores.list_unmatched(evaluation, comparison)
    for error in refused:
        render.show_error(error)
    if refused:
        raise typer.Exit(ExitCode.GATE)
    if evaluation.unmatched or (comparison is not None and comparison.missing):
        raise typer.Exit(ExitCode.SOME_FAILED)


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]
