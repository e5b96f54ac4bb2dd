"""`restorecli bench weights`: the scores of the shipped weights, measured again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli.cli import options, render, tables
from restorecli.cli.progress import BarProgress
from restorecli.result import CommandResult

if TYPE_CHECKING:
    from restorecli.bench.weights import Row

WEIGHTS_EXAMPLES = (
    "restorecli bench weights --data ./data --pictures 4",
    "restorecli bench weights --data ./data --only sca-unet.jpeg,resnet.dither --markdown scores.md",
    "restorecli bench weights --data ./data --json",
)

HEADERS = ("weights", "measured on", "degraded", "PSNR", "95%", "SSIM", "card", "difference")


def weights(
    data: Annotated[
        Path,
        typer.Option("--data", help="Folder with the test sets that the cards name, such as cbsd68."),
    ],
    only: Annotated[str, typer.Option("--only", help="Names of weights, by commas; by default all.")] = "",
    images: Annotated[
        int | None,
        typer.Option("--pictures", min=1, help="Only scores that were measured on at most so many."),
    ] = None,
    markdown: tables.Markdown = None,
    as_json: options.Json = False,
) -> None:
    """Measure the scores on the cards of the shipped weights again, and show both.

    In fp32 on the CPU, by the protocol of `eval`. All of them take hours; those on 4 images, minutes.
    """
    from restorecli.bench.weights import TOLERANCE, bench_weights

    rows = bench_weights(data, only=options.names(only), images=images, progress=BarProgress())
    result = CommandResult("bench weights", [row.to_dict() for row in rows])
    tables.show(HEADERS, [_cells(row) for row in rows], result, markdown, as_json=as_json, names=2)
    other = sum(row.differs for row in rows)
    render.say(f"{other or 'none'} of {len(rows)} differ from their card by more than {TOLERANCE:g} dB.")


def _cells(row: Row) -> tuple[str, ...]:
    found = row.measured
    low, high = found.interval or (found.psnr, found.psnr)
    return (
        row.weights,
        row.label,
        f"{found.degraded_psnr:.2f}",
        f"{found.psnr:.3f}",
        f"{low:.2f} to {high:.2f}",
        f"{found.ssim:.4f}",
        f"{row.card:.3f}",
        f"{row.difference:+.3f}",
    )
