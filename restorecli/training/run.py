"""Runs a recipe from its file to its weights: check, then build and train.

Nothing here imports torch: a recipe with a slip is refused before that takes seconds.
"""

from __future__ import annotations

import dataclasses
import math
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

from restorecli.errors import InterruptedRunError, TerminatedRunError, UsageError
from restorecli.folders.lock import output_lock
from restorecli.training.check import check_content, load_recipe
from restorecli.training.interruption import stop_requests
from restorecli.training.monitor import Monitor, SilentMonitor
from restorecli.training.overrides import words_of
from restorecli.training.places import BEST, nothing_to_resume
from restorecli.training.recipe import Recipe
from restorecli.training.shelf import data_base, find_recipe
from restorecli.training.strategies.catalog import STRATEGIES

COMPILE_CHOICES = ("auto", "off", "graph", "compile")
"""How steps can be taken; see `train`."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a finished run left.

    Attributes:
        folder: The run folder.
        steps: Steps done in all.
        hours: Hours of training in all.
        best: Best validation scores and their step.
        weights: The best weights' file, ready for `restore --model`.
        skipped: Steps left out because their loss or gradient was not finite.
        quarantined: Training images that could not be read, with the reason.
    """

    folder: Path
    steps: int
    hours: float
    best: dict[str, float]
    weights: Path
    skipped: int
    quarantined: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for `--json`; what is infinite, as the PSNR of equal images, is None."""
        best = {name: value if math.isfinite(value) else None for name, value in self.best.items()}
        places = {"folder": str(self.folder), "weights": str(self.weights)}
        return {**dataclasses.asdict(self), **places, "best": best}


RecipeSource = str | Path | Mapping[str, Any] | Recipe
"""A YAML file, the name of a shipped recipe, a mapping with a recipe's keys, or a recipe."""


def train(
    recipe: RecipeSource,
    *,
    output: Path | None = None,
    resume: bool = False,
    allow_change: Sequence[str] = (),
    data: Sequence[Path] = (),
    hours: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    overrides: Mapping[str, object] | None = None,
    workers: int = 0,
    compile: str = "auto",  # noqa: A002 - the word of the command line
    monitor: Monitor | None = None,
) -> TrainResult:
    """Train a network by a recipe; see `restorecli.train`.

    Args:
        recipe: A YAML file, the name of a shipped recipe, or a mapping or recipe whose relative data folders
            start from the current folder.
        output: The run folder; by default `runs/NAME`.
        resume: Go on from the run folder's newest whole checkpoint.
        allow_change: What may differ from the run that is resumed; see `refuse_changes`.
        data: Folders of clean images in place of the recipe's sources.
        hours: Budget in place of the recipe's.
        steps: Budget in place of the recipe's.
        seed: In place of the recipe's.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: In place of the recipe's.
        overrides: Other values in place of the recipe's, by dotted keys; see `overridden`.
        workers: Processes that make batches; with 0 a thread does. Any number gives the same training.
        compile: How steps are taken: off, one kernel after another; graph, as one CUDA graph; compile, as
            that of a network compiled by torch; auto tries all three on the first steps of CUDA.
        monitor: Progress callbacks.

    Raises:
        RecipeError: The recipe, or what it names, is wrong; nothing was started.
        UsageError: The run folder holds a run already and `resume` was not asked for, or the other way round.
        InterruptedRunError: A signal asked to stop; the run was saved and the hint resumes it.
        DivergedError: The loss was not finite several times in a row, or the weights are not.
    """
    _refuse_many_processes()
    _refuse_unknown_way(compile)
    changes = _overrides(data, hours, steps, seed, precision, overrides)
    given = {
        "--hours": hours,
        "--steps": steps,
        "--seed": seed,
        "--device": device,
        "--precision": precision,
        "--workers": workers or None,
        "--compile": None if compile == "auto" else compile,
    }
    with stop_requests() as stop:
        checked, base = _load(recipe, changes)
        folder = output if output is not None else Path("runs") / checked.name
        if resume and not folder.is_dir():
            raise nothing_to_resume(folder)
        from restorecli.training.memory import check_memory
        from restorecli.training.session import Session
        from restorecli.training.start import forget_weights

        check_memory(checked, device)
        _refuse_workers(checked, workers)
        again = resume_command(recipe, folder, data=data, given=given, overrides=overrides)
        with output_lock(folder):
            session = Session(
                checked,
                base,
                folder,
                resume=resume,
                allow_change=allow_change,
                device=device,
                monitor=monitor or SilentMonitor(),
                workers=workers,
                compile=compile,
            )
            forget_weights()
            session.go(stop)
    if stop.received is not None:
        raise _interrupted(stop.received, folder, again)
    clock = session.state.clock
    return TrainResult(
        folder,
        clock.step,
        clock.seconds / 3600,
        session.state.best,
        folder / BEST,
        session.state.skipped,
        session.maker.quarantine,
    )


def check_recipe(
    recipe: RecipeSource,
    *,
    data: Sequence[Path] = (),
    hours: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    precision: str | None = None,
    overrides: Mapping[str, object] | None = None,
    device: str | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Recipe:
    """Check a recipe whole, as `train` does before anything is loaded, and start nothing.

    Args:
        recipe: As of `train`, and so are the others.
        data: Folders in place of the recipe's sources.
        hours: Budget.
        steps: Budget.
        seed: Seed.
        precision: Precision.
        overrides: Other values.
        device: Device.
        on_note: Is told what `train` would say before its first step; None leaves that out.

    Raises:
        RecipeError: With every fault.
        ResourceError: It takes more memory than there is.
    """
    of_weights: list[str] = []
    changes = _overrides(data, hours, steps, seed, precision, overrides)
    checked, base = _load(recipe, changes, of_weights.append)
    from restorecli.training.memory import check_memory

    check_memory(checked, device)
    if on_note is not None:
        for note in _notes(checked, base, of_weights, on_note):
            on_note(note)
    return checked


def _notes(
    recipe: Recipe, base: Path, of_weights: Sequence[str], on_note: Callable[[str], None]
) -> Iterator[str]:
    """Yield what `train` would say, in its order; of folders `on_note` is told while they are listed."""
    from restorecli.training.advice import notes_on_images
    from restorecli.training.pairs import images_of

    pairs, held = images_of(recipe, base, on_note)
    yield from of_weights
    name, _ = recipe.strategy_choice()
    strategy = STRATEGIES[STRATEGIES.resolve(name) or name].load()
    yield from notes_on_images(recipe, pairs, held, getattr(strategy, "needs", frozenset()))


def _load(
    recipe: RecipeSource, overrides: Mapping[str, Any], on_note: Callable[[str], None] | None = None
) -> tuple[Recipe, Path]:
    """Return a recipe, checked, and the folder that its relative data folders start from."""
    if isinstance(recipe, Recipe):
        recipe = recipe.resolved()
    if isinstance(recipe, Mapping):
        base = Path.cwd()
        return check_content(recipe, overrides=overrides, base=base, on_note=on_note), base
    path = find_recipe(recipe)
    base = data_base(recipe, path)
    return load_recipe(path, overrides=overrides, base=base, on_note=on_note), base


def _overrides(
    data: Sequence[Path],
    hours: float | None,
    steps: int | None,
    seed: int | None,
    precision: str | None,
    others: Mapping[str, object] | None,
) -> dict[str, object]:
    """Return all values in place of the recipe's, by dotted keys; `others` last, so that they count."""
    overrides: dict[str, object] = {}
    if data:
        overrides["data.train"] = [{"clean": str(folder.resolve())} for folder in data]
    if hours is not None or steps is not None:
        overrides.update({"budget.hours": hours, "budget.steps": steps})
    if seed is not None:
        overrides["seed"] = seed
    if precision is not None:
        overrides["precision"] = precision
    return {**overrides, **(others or {})}


def _interrupted(received: Signals, folder: Path, again: str) -> InterruptedRunError:
    kind = InterruptedRunError if received == Signals.SIGINT else TerminatedRunError
    return kind(
        f"Training was stopped by {received.name} and saved.",
        file=folder,
        unchanged="nothing is lost",
        hint=again,
    )


def _refuse_unknown_way(way: str) -> None:
    """Refuse a way of taking steps that there is not.

    Raises:
        UsageError: With those that there are.
    """
    if way not in COMPILE_CHOICES:
        raise UsageError(
            "There is no such way of taking steps.",
            expected=", ".join(COMPILE_CHOICES),
            got=repr(way),
            unchanged="nothing was started",
        )


def _refuse_workers(recipe: Recipe, workers: int) -> None:
    """Refuse processes that make batches where these depend on what the training learned.

    Raises:
        UsageError: The recipe has such a curriculum.
    """
    if workers and recipe.curriculum is not None:
        raise UsageError(
            "A curriculum learns what its batches hold while it trains; processes would not hear of it.",
            expected="no --workers",
            got=f"--workers {workers}",
            unchanged="nothing was started",
        )


def _refuse_many_processes() -> None:
    """Refuse to be one of several processes of `torchrun`, which would all train the same run.

    Raises:
        UsageError: The environment says that there are several.
    """
    world = os.environ.get("WORLD_SIZE", "1")
    if world != "1":
        raise UsageError(
            "Training in several processes is not supported yet.",
            expected="one process; one device is used",
            got=f"WORLD_SIZE={world}, as torchrun and srun set it",
            unchanged="nothing was started",
            hint="start `restorecli train` without torchrun, or with --nproc-per-node 1",
        )


def resume_command(
    recipe: RecipeSource,
    folder: Path,
    *,
    data: Sequence[Path] = (),
    given: Mapping[str, object] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> str:
    """Return the command that goes on with a run; of a recipe that is no file, the call of Python.

    Args:
        recipe: As the run was started.
        folder: The run folder.
        data: Folders that were given in place of the recipe's.
        given: Further options and their values; None for those that were not given.
        overrides: Values of `--set` by their keys.
    """
    if not isinstance(recipe, str | Path):
        changed = f", overrides={dict(overrides)!r}" if overrides else ""
        return f"restorecli.train(recipe, output={str(folder)!r}{changed}, resume=True)"
    words = ["restorecli", "train", str(recipe), "-o", str(folder)]
    words += [word for each in data for word in ("--data", str(each))]
    words += [
        word for name, value in (given or {}).items() if value is not None for word in (name, str(value))
    ]
    words += [word for each in words_of(overrides or {}) for word in ("--set", each)]
    return shlex.join([*words, "--resume"])
