"""Training by a recipe: the options, and the one implementation behind Python and command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from restorecli.api.keywords import from_keywords
from restorecli.training.monitor import Monitor
from restorecli.training.recipe import Recipe
from restorecli.training.run import TrainResult, check_recipe
from restorecli.training.run import train as run_training


@dataclass(frozen=True)
class TrainOptions:
    """By which recipe to train, and what to change of it.

    Attributes:
        recipe: A YAML file, or the name of a shipped recipe (`restorecli recipes`); or a mapping with the
            same keys, or a `Recipe`, whose relative data folders start from the current folder.
        output: The run folder; by default `runs/NAME`.
        resume: Continue exactly where the run folder's last checkpoint stopped.
        allow_change: What may differ when resuming: "pictures", "torch", or keys of the recipe.
        data: Folders of clean images, in place of the recipe's.
        seed: In place of the recipe's.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32" or "bf16", in place of the recipe's.
        hours: Budget, in place of the recipe's.
        steps: Budget, in place of the recipe's.
        overrides: Any other value in place of the recipe's, by its dotted key: {"optimizer.lr": 2e-3,
            "data.degrade.0.sigma": "5..30", "name": "twice"}.
        workers: Processes that make batches; with 0 a thread does. Any number gives the same training.
        compile: How steps are taken: "off", one kernel after another; "graph", as one CUDA graph; "compile",
            as that of a network compiled by torch; "auto" tries all three on the first steps of CUDA.
        progress: Progress callbacks of the training.
    """

    recipe: str | Path | Mapping[str, object] | Recipe
    _: KW_ONLY
    output: str | Path | None = None
    resume: bool = False
    allow_change: Sequence[str] = ()
    data: Sequence[str | Path] = ()
    seed: int | None = None
    device: str | None = None
    precision: str | None = None
    hours: float | None = None
    steps: int | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    workers: int = 0
    compile: str = "auto"
    progress: Monitor | None = None


def run_train(options: TrainOptions) -> TrainResult:
    """Train a network by a recipe.

    Args:
        options: See the class.

    Returns:
        The run folder, the steps done and the best validation scores.

    Raises:
        RecipeError: The recipe is wrong; every fault is listed and nothing was started.
        UsageError: The run folder holds a run already and `resume` was not asked for, or the other way round.
        InterruptedRunError: A signal asked to stop; the run was saved.
        DivergedError: The loss was not finite several times in a row; the last good checkpoint is kept.

    Example:
        >>> import restorecli
        >>> restorecli.train("no-such-recipe")  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        restorecli.errors.RecipeError: There is no recipe 'no-such-recipe'.
    """
    return run_training(
        options.recipe,
        output=None if options.output is None else Path(options.output),
        resume=options.resume,
        allow_change=options.allow_change,
        data=[Path(folder) for folder in options.data],
        hours=options.hours,
        steps=options.steps,
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        overrides=options.overrides,
        workers=options.workers,
        compile=options.compile,
        monitor=options.progress,
    )


train = from_keywords("train", TrainOptions, run_train)


def check_train(options: TrainOptions) -> Recipe:
    """Check a recipe as a training would, whole and before anything is loaded, and start nothing.

    `options.progress` is told what the training would say of the images before its first step.

    Raises:
        RecipeError: With every fault.
    """
    return check_recipe(
        options.recipe,
        data=[Path(folder) for folder in options.data],
        hours=options.hours,
        steps=options.steps,
        seed=options.seed,
        precision=options.precision,
        overrides=options.overrides,
        device=options.device,
        on_note=None if options.progress is None else options.progress.note,
    )
