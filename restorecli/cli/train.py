"""`restorecli train`: learn to undo degradations, as a recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import completion, options, render
from restorecli.cli.progress import TrainingBar

EXAMPLES = (
    "restorecli recipes quick > recipe.yaml",
    "restorecli train recipe.yaml --dry-run",
    "restorecli train recipe.yaml",
    "restorecli train recipe.yaml --resume",
)


def command(
    recipe: Annotated[
        str,
        typer.Argument(
            help="YAML file, or the name of a shipped recipe.",
            metavar="RECIPE",
            autocompletion=completion.recipes,
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run folder; by default runs/NAME.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on exactly where the run folder's last checkpoint stopped.")
    ] = False,
    allow_change: Annotated[
        str,
        typer.Option(
            "--allow-change",
            help="What may differ when resuming: pictures, torch, keys of the recipe; by commas.",
            metavar="NAMES",
        ),
    ] = "",
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Folder of clean pictures, in place of the recipe's; may be repeated."),
    ] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0, help="Budget, in place of the recipe's.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Budget, in place of the recipe's.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the recipe, then stop.")] = False,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed, in place of the recipe's.")] = None,
    precision: options.TrainPrecision = None,
    device: options.Device = None,
    as_json: options.Json = False,
) -> None:
    """Train a network by a recipe; Ctrl-C saves, and says how to go on."""
    from restorecli.training.run import check_recipe, train

    if dry_run:
        checked = check_recipe(
            recipe, data=data or (), hours=hours, steps=steps, seed=seed, precision=precision
        )
        if as_json:
            render.data_json(checked.resolved())
        else:
            render.say(f"{recipe}: no fault; nothing was started.")
        return
    result = train(
        recipe,
        output=output,
        resume=resume,
        allow_change=[name.strip() for name in allow_change.split(",") if name.strip()],
        data=data or (),
        hours=hours,
        steps=steps,
        seed=seed,
        device=device,
        precision=precision,
        monitor=TrainingBar(),
    )
    if as_json:
        render.data_json(result.to_dict())
    for picture, reason in result.quarantined.items():
        render.say(f"left out: {picture}: {reason}")
    best = ", ".join(f"{name} {value:.6g}" for name, value in result.best.items())
    render.say(f"{result.steps} steps in {result.hours:.2f} h; best: {best}", f"weights: {result.weights}")
    render.say(f"  restorecli restore FOLDER --model {result.weights}")
