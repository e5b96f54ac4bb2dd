"""`restorecli train`: learn to undo degradations, as a recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from restorecli import api
from restorecli.cli import completion, options, render
from restorecli.cli.progress import TrainingBar, scores_line
from restorecli.cores import keep_to_free_cores
from restorecli.counting import counted
from restorecli.result import CommandResult
from restorecli.training.overrides import read_overrides

if TYPE_CHECKING:
    from restorecli.training.run import TrainResult

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
        typer.Option("--data", help="Folder of clean images, in place of the recipe's; may be repeated."),
    ] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0, help="Budget, in place of the recipe's.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Budget, in place of the recipe's.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any other value in place of the recipe's, such as optimizer.lr=2e-3.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the recipe, then stop.")] = False,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed, in place of the recipe's.")] = None,
    precision: options.TrainPrecision = None,
    device: options.Device = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            min=0,
            help="Processes that make batches, else a thread; any number gives the same training.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = 0,
    compile: Annotated[  # noqa: A002 - the name of the option
        Literal["auto", "off", "graph", "compile"],
        typer.Option(
            "--compile",
            help="Steps as a CUDA graph, or that of a compiled network; auto measures.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = "auto",
    as_json: options.Json = False,
) -> None:
    """Train a network by a recipe; Ctrl-C saves, and says how to go on."""
    bar = TrainingBar()
    asked = api.TrainOptions(
        recipe,
        output=output,
        resume=resume,
        allow_change=options.names(allow_change),
        data=data or (),
        seed=seed,
        device=device,
        precision=precision,
        hours=hours,
        steps=steps,
        overrides=read_overrides(overrides or ()),
        workers=workers,
        compile=compile,
        progress=bar,
    )
    if dry_run:
        checked = api.check_train(asked)
        if as_json:
            render.as_json(CommandResult("train", checked.resolved(), notes=bar.notes))
        else:
            render.say(f"{recipe}: no fault; nothing was started.")
        return
    keep_to_free_cores(busy=False)  # nor shall the same training differ in its last digits from day to day
    result = api.run_train(asked)
    left_out = _left_out(result)
    if as_json:
        render.as_json(CommandResult("train", result.to_dict(), notes=[*bar.notes, *left_out]))
    render.say(*left_out)
    render.say(
        f"{counted(result.steps, 'step')} in {result.hours:.2f} h; best: {scores_line(result.best)}",
        f"weights: {result.weights}",
    )
    render.say(f"  restorecli restore FOLDER --model {result.weights}")


def _left_out(result: TrainResult) -> list[str]:
    return [f"left out: {image}: {reason}" for image, reason in result.quarantined.items()]
