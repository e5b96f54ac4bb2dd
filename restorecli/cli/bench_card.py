"""`restorecli bench card`: scores measured on the weights of a training, written on their card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import options, render
from restorecli.cli.progress import BarProgress
from restorecli.errors import UsageError
from restorecli.result import CommandResult

CARD_EXAMPLES = (
    "restorecli bench card runs/my-net/best.safetensors -o ./weights --data ./data --measure "
    '"cbsd68, gaussian sigma 25, 8 bits, seed 0, 68 images"',
    "restorecli bench card runs/my-net/best.safetensors -o ./weights --data ./data --measure "
    '"cbsd68, jpeg quality 20, 8 bits, seed 0, 23 images (every 3rd)" --against deblock',
)


def card(
    weights: Annotated[Path, typer.Argument(help="A file that `restorecli train` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for weights, page and image.")],
    data: Annotated[Path, typer.Option("--data", help="Folder with the test sets that the labels name.")],
    measure: Annotated[
        list[str],
        typer.Option(
            "--measure", metavar="LABEL", help="A score, as cards tell what was measured; may be repeated."
        ),
    ],
    against: Annotated[
        str, typer.Option("--against", help="Methods to measure on the same images, by commas.")
    ] = "",
    failures: Annotated[str, typer.Option("--failures", help="What the weights are known to do badly.")] = "",
    failure: Annotated[
        str, typer.Option("--failure", metavar="LABEL", help="Images one of which shows that.")
    ] = "",
    image: Annotated[
        str, typer.Option("--image", metavar="NAME", help="Its name; by default the first.")
    ] = "",
    training: Annotated[
        list[str] | None,
        typer.Option(
            "--training", metavar="NAME=TEXT", help="What the training could not know; may be repeated."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: options.Json = False,
) -> None:
    """Measure what weights reach, and write them with their scores, as a page, and with a failure to see.

    They are stored in 16 bits where that loses less than 0.01 dB on the labels of fewer than 8 images; those
    with damage also tell what bfloat16 loses, labels of more images get an interval. `restorecli models FILE`
    shows the card, and `restorecli bench weights` measures those of shipped weights again.
    """
    from restorecli.bench.publishing import Plan, publish, refuse_to_replace

    plan = Plan(
        labels=measure,
        rivals=options.names(against),
        failures=failures,
        failure=failure,
        image=image,
        training=dict(_named(word) for word in training or ()),
    )
    if not overwrite:
        refuse_to_replace(weights, output)
    published = publish(weights, data, plan, BarProgress())
    paths = published.write(output)
    if as_json:
        content = {
            "weights": published.name,
            "files": [str(path) for path in paths],
            "scores": dict(published.card.scores),
            "precision_loss": dict(published.card.precision_loss),
        }
        render.as_json(CommandResult("bench card", content))
        return
    for label in measure:
        score = published.card.scores[label]
        before = f"{score['degraded_psnr']:.2f} -> " if "degraded_psnr" in score else ""
        render.data(f"{label}: {before}{score['psnr']:.2f} dB")
    render.say(f"written: {', '.join(str(path) for path in paths)}")


def _named(word: str) -> tuple[str, str]:
    name, sign, text = word.partition("=")
    if not (name and sign and text):
        raise UsageError("--training cannot be read.", expected="NAME=TEXT", got=word)
    return name, text
