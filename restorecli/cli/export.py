"""`restorecli export`: a trained network as an ONNX file, checked against torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import completion, options, render
from restorecli.result import CommandResult

EXAMPLES = (
    "restorecli export sca-unet",
    "restorecli export dncnn.gray-blind -o denoiser.onnx",
    "restorecli restore ./degraded --model denoiser.onnx",
)


def command(
    model: Annotated[
        str,
        typer.Argument(
            help="Name of `restorecli models`, NAME.TAG, or a .safetensors file.",
            metavar="MODEL",
            autocompletion=completion.models,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write; by default NAME.onnx here.", metavar="FILE.onnx"),
    ] = None,
    weights: options.Weights = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    as_json: options.Json = False,
) -> None:
    """Write a trained network as one ONNX file, in float32, for images of any number and size.

    The file describes itself, so that `restore --model FILE.onnx` needs nothing else; other programs must pad
    to multiples of what its metadata says. It is compared with torch before it gets its name.
    """
    from restorecli.restoration.export import export_model

    exported = export_model(model, output, weights=weights, overwrite=overwrite)
    if as_json:
        render.as_json(CommandResult("export", exported.to_dict()))
    render.say(
        f"{exported.model} -> {exported.output} ({exported.bytes / 1e6:.1f} MB); "
        f"largest difference to torch {exported.difference:.1e}"
    )
