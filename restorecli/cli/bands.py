"""`restorecli bands`: what a frequency selection sees in an image, and what it takes out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import completion, options, support

EXAMPLES = (
    "restorecli bands dusty.png",
    "restorecli bands dusty.png --lambda 3 --side 512 -o ./bands",
    "restorecli bands dusty.png --model runs/quick-sand-dust/best.safetensors",
)


def command(
    image: Annotated[Path, typer.Argument(help="The image to look at.", metavar="IMAGE")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Network with frequency selection; by default one untrained layer, on the image itself.",
            autocompletion=completion.models,
        ),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the PNGs.")] = Path("bands"),
    side: Annotated[
        int, typer.Option("--side", min=32, max=1024, help="Pixels of the central part that is looked at.")
    ] = 256,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--lambda", min=0.01, max=100, help="Deviations that the untrained layer tolerates; 2 by default."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show the bands of an image's spectrum, their thresholds, and what a selection takes out.

    One PNG, or with --model one for each selecting layer, and a table: mean, sigma and limit are of the
    log-magnitudes, bins and energy the shares that are suppressed.
    """
    support.bands.show(image, model, output, side=side, tolerance=tolerance, as_json=as_json)
