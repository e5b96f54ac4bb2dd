"""`restorecli bench methods`: what needs no weights, next to the trained networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli.cli import options, render, tables
from restorecli.result import CommandResult

if TYPE_CHECKING:
    from restorecli.bench.methods import Row

METHODS_EXAMPLES = (
    "restorecli bench methods",
    "restorecli bench methods --methods dip,nlm --side 128",
    "restorecli bench methods --data ./photos --pictures 8 --markdown methods.md",
)

HEADERS = ("task", "method", "trained", "PSNR", "s per megapixel")


def methods(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder with RGB images; by default four built-in photographs."),
    ] = None,
    names: Annotated[
        str, typer.Option("--methods", help="Only these, by commas; slow ones are measured only so.")
    ] = "",
    side: Annotated[
        int, typer.Option("--side", min=4, help="Side of the central crop, a multiple of 4.")
    ] = 256,
    images: Annotated[
        int, typer.Option("--pictures", min=1, help="How many, taken evenly over the sorted folder.")
    ] = 4,
    markdown: tables.Markdown = None,
    as_json: options.Json = False,
) -> None:
    """Restore the same images with every method that needs no weights, next to the trained networks.

    Noise, blur, reductions, lost pixels, impulses, JPEG, dithering, moire, haze and dust: for each what is
    meant for it, with PSNR in dB and seconds for a megapixel.
    """
    from restorecli.bench.methods import PUBLISHED, SLOW, bench_methods

    chosen = options.names(names)
    rows = bench_methods(data, names=chosen, side=side, images=images, on_row=None if as_json else _print_row)
    cells = [_cells(row) for row in rows]
    result = CommandResult("bench methods", [row.to_dict() for row in rows])
    tables.show(HEADERS, cells, result, markdown, as_json=as_json, names=3)
    render.say(f"{PUBLISHED}.")
    if not chosen:
        render.say(f"Not measured, since they take minutes: {', '.join(sorted(SLOW))}.")


def _print_row(row: Row) -> None:
    render.say(f"{row.task}: {row.method}{f': {row.note}' if row.note else ''}")


def _cells(row: Row) -> tuple[str, ...]:
    trained = "yes" if row.trained else ""
    return row.task, row.method, trained, _number(row.psnr, 2), _number(row.seconds, 2)


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"
