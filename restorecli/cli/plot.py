"""`restorecli plot`: the charts of an evaluation."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from restorecli import api
from restorecli.cli import options, support
from restorecli.cli.progress import BarProgress

EXAMPLES = (
    "restorecli plot",
    "restorecli plot scores.json -o ./figures --style paper",
    "restorecli plot --against median=./median",
    "restorecli plot ./restored ./photos --metrics psnr,ssim --by category",
)


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
            help="By default ./restored, else ./degraded; or a file of `eval --json`, or a run of `train`.",
            metavar="RESTORED",
        ),
    ] = None,
    reference: options.Reference = None,
    degraded: options.Degraded = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")] = Path("plots"),
    formats: Annotated[
        list[ChartFormat] | None,
        typer.Option("--format", help="May be repeated; by default png and svg, and pdf with --style paper."),
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
            "--against", help="Another method's images, or another run; may be repeated.", metavar="NAME=DIR"
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
    """Draw what `eval` finds (means, distributions, gains, error spectra), or learning curves of `train`."""
    usual = (ChartFormat.PDF,) if style == ChartStyle.PAPER else (ChartFormat.PNG, ChartFormat.SVG)
    asked = api.EvalOptions(
        restored,
        reference,
        degraded=degraded,
        by=options.names(by) or None,
        metrics=options.names(metrics) or None,
        against=support.eval_words.read_rivals(against or []),
        workers=workers,
        progress=BarProgress(),
    )
    support.plot.draw(asked, output, tuple(dict.fromkeys(formats or usual)), style=style, as_json=as_json)
