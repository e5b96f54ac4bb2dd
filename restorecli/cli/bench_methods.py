"""`restorecli bench methods`: what needs no weights, next to the trained networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli.cli import options, render

if TYPE_CHECKING:
    from restorecli.bench.methods import Row

METHODS_EXAMPLES = (
    "restorecli bench methods",
    "restorecli bench methods --methods dip,nlm --side 128",
)


def methods(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder with RGB pictures; by default four built-in photographs."),
    ] = None,
    names: Annotated[
        str, typer.Option("--methods", help="Only these, by commas; slow ones are measured only so.")
    ] = "",
    side: Annotated[
        int, typer.Option("--side", min=4, help="Side of the central crop, a multiple of 4.")
    ] = 256,
    as_json: options.Json = False,
) -> None:
    """Restore the same pictures with every method that needs no weights, next to the trained networks.

    Noise, a known blur, reductions by 2 and 4, lost pixels: PSNR in dB, and seconds for a megapixel.
    """
    from restorecli.bench.methods import PUBLISHED, SLOW, bench_methods
    from restorecli.restore.methods import METHODS

    chosen = [name.strip() for name in names.split(",") if name.strip()]
    rows = bench_methods(data, names=chosen, side=side, tell=None if as_json else _tell_row)
    if as_json:
        render.data_json([row.to_dict() for row in rows])
        return
    cells = [
        (
            row.task,
            row.method,
            "yes" if row.trained else "",
            _number(row.psnr, 2),
            _number(row.seconds, 2),
        )
        for row in rows
    ]
    render.table(("task", "method", "trained", "PSNR", "s per megapixel"), cells)
    render.say(f"{PUBLISHED}.")
    if not chosen:
        render.say(f"Not measured, since they take minutes: {', '.join(sorted(SLOW & set(METHODS)))}.")


def _tell_row(row: Row) -> None:
    render.say(f"{row.task}: {row.method}{f': {row.note}' if row.note else ''}")


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"
