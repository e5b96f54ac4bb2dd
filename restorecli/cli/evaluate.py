"""`restorecli eval`: by how much, image by image, by category, and against other methods."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli import api
from restorecli.cli import completion, options, support
from restorecli.cli.progress import BarProgress
from restorecli.heap import give_back_large_blocks

EXAMPLES = (
    "restorecli eval --by-category",
    "restorecli eval --by category,sigma --metrics psnr,ssim,gmsd",
    "restorecli eval ./restored ./photos --json > scores.json",
    "restorecli eval ./restored ./photos --csv scores.csv --markdown scores.md",
    "restorecli eval ./restored --against median=./median --latex table.tex",
    "restorecli eval --report report.html --open",
    "restorecli eval --min-psnr 28",
    "restorecli eval --baseline scores.json",
    "restorecli eval ./restored --shard 1/4 --json > parts/1.json",
    "restorecli eval --join parts --by-category",
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
    reference: options.Reference = None,
    degraded: options.Degraded = None,
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
            help="Names with commas between them, or all; by default psnr,ssim, with masks defect-score.",
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
    value_range: Annotated[
        str,
        typer.Option(
            "--range",
            help="Values that are black and white in the references: auto, file, type, or 0..4095.",
            metavar="RANGE",
            rich_help_panel=_MEASURED,
        ),
    ] = "auto",
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
    strip_suffix: options.StripSuffix = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            help="Another method's images, compared image by image; may be repeated.",
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
            help="Earlier scores (--json): no mean may be worse, also by category, and no image missing.",
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
            help="File for one line per image; beside it NAME.groups.csv with one per group.",
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
            help="Folder for an HTML page and side-by-side images.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    opens: options.Open = False,
    shard: options.Shard = None,
    cluster: options.Cluster = None,
    join: Annotated[
        Path | None,
        typer.Option(
            "--join",
            help="Folder with the JSON of all parts (--shard I/N --json): make one evaluation of them.",
            metavar="FOLDER",
            rich_help_panel=options.COMPUTING,
        ),
    ] = None,
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Score images against their references, degraded against restored, and against other methods.

    Images without a reference are listed, never dropped in silence, and give exit code 3.
    """
    if list_metrics:
        support.eval_words.list_metrics(as_json=as_json)
        return
    if explain:
        support.eval_words.explain(restored, reference, as_json=as_json)
        return
    support.scores.check_open(report, output, opens=opens)
    by_group = by_category or by is not None
    fields = [*(["category"] if by_category else []), *options.names(by)]
    give_back_large_blocks()
    found = api.run_evaluate(
        api.EvalOptions(
            restored,
            reference,
            degraded=degraded,
            by=fields or None,
            metrics=options.names(metrics) or None,
            protocol=protocol,
            range=value_range,
            masks=masks,
            strip_suffix=strip_suffix or (),
            shard=shard,
            cluster=cluster,
            join=join,
            workers=workers,
            against=support.eval_words.read_rivals(against or []),
            min_psnr=min_psnr,
            baseline=baseline,
            tolerance=tolerance,
            csv=csv,
            markdown=markdown,
            latex=latex,
            report=report,
            output=output,
            progress=BarProgress(),
        )
    )
    support.scores.render_result("eval", found, as_json=as_json, by_group=by_group, opens=opens)
