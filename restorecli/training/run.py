"""Runs a recipe from its file to its weights: check, build, train, save."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

import torch
import yaml
from torch import nn

from restorecli.core.device import keep_large_blocks, pick_device, training_precision
from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.catalog import create_model
from restorecli.core.restorer import NonFiniteError
from restorecli.core.weights import Card, pack
from restorecli.errors import InterruptedRunError, TerminatedRunError, UsageError
from restorecli.folders.lock import output_lock
from restorecli.folders.places import make_folder
from restorecli.images.atomic import write_file
from restorecli.training.batches import BatchMaker
from restorecli.training.changes import refuse_changes
from restorecli.training.check import load_recipe
from restorecli.training.checkpoint import (
    BEST,
    DAMAGED,
    LAST,
    Rival,
    RunState,
    read_state,
    restore_state,
    save_state,
    set_aside_damaged,
)
from restorecli.training.interruption import StopRequest, stop_requests
from restorecli.training.logbook import Logbook
from restorecli.training.loop import Loop, Monitor, SilentMonitor, diverged, resume_command
from restorecli.training.optimisation import MovingAverage, make_optimizer
from restorecli.training.pairs import Pair, find_pairs, hold_out, pictures_digest
from restorecli.training.read_ahead import NOT_BEGUN, read_ahead
from restorecli.training.recipe import Recipe
from restorecli.training.shelf import data_base, find_recipe
from restorecli.training.start import freeze, start_from
from restorecli.training.strategies.base import Strategy
from restorecli.training.strategies.catalog import create_strategy
from restorecli.training.validation import Example, ValidationScores, make_examples, validate
from restorecli.version import __version__

RESOLVED = "recipe.resolved.yaml"


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
        quarantined: Training pictures that could not be read, with the reason.
    """

    folder: Path
    steps: int
    hours: float
    best: dict[str, float]
    weights: Path
    skipped: int
    quarantined: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for `--json`; what is infinite, as the PSNR of equal pictures, is None."""
        best = {name: value if math.isfinite(value) else None for name, value in self.best.items()}
        places = {"folder": str(self.folder), "weights": str(self.weights)}
        return {**dataclasses.asdict(self), **places, "best": best}


def train(
    recipe: str | Path,
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
    monitor: Monitor | None = None,
) -> TrainResult:
    """Train a network by a recipe; see `restorecli.train`.

    Args:
        recipe: A YAML file or the name of a shipped recipe.
        output: The run folder; by default `runs/NAME`.
        resume: Go on from the run folder's newest whole checkpoint.
        allow_change: What may differ from the run that is resumed; see `refuse_changes`.
        data: Folders of clean pictures in place of the recipe's sources.
        hours: Budget in place of the recipe's.
        steps: Budget in place of the recipe's.
        seed: In place of the recipe's.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: In place of the recipe's.
        monitor: Who watches.

    Raises:
        RecipeError: The recipe, or what it names, is wrong; nothing was started.
        UsageError: The run folder holds a run already and `resume` was not asked for, or the other way round.
        InterruptedRunError: A signal asked to stop; the run was saved and the hint resumes it.
        DivergedError: The loss was not finite several times in a row, or the weights are not.
    """
    path = find_recipe(recipe)
    overrides = _overrides(data, hours, steps, seed, precision)
    base = data_base(recipe, path)
    checked = load_recipe(path, overrides=overrides, base=base)
    folder = output if output is not None else Path("runs") / checked.name
    if resume and not folder.is_dir():
        raise _nothing_to_resume(folder)
    with output_lock(folder), stop_requests() as stop:
        run = _Run(
            checked,
            base,
            folder,
            resume=resume,
            allow_change=allow_change,
            device=device,
            monitor=monitor or SilentMonitor(),
        )
        run.go(stop)
    if stop.received is not None:
        given = {
            "--hours": hours,
            "--steps": steps,
            "--seed": seed,
            "--device": device,
            "--precision": precision,
        }
        again = resume_command(recipe, folder, data=data, given=given)
        raise _interrupted(stop.received, folder, again)
    return run.result()


def check_recipe(
    recipe: str | Path,
    *,
    data: Sequence[Path] = (),
    hours: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    precision: str | None = None,
) -> Recipe:
    """Check a recipe whole, as `train` does before anything is loaded, and start nothing.

    Raises:
        RecipeError: With every fault.
    """
    path = find_recipe(recipe)
    overrides = _overrides(data, hours, steps, seed, precision)
    return load_recipe(path, overrides=overrides, base=data_base(recipe, path))


def _overrides(
    data: Sequence[Path], hours: float | None, steps: int | None, seed: int | None, precision: str | None
) -> dict[str, Any]:
    overrides: dict[str, Any] = {}
    if data:
        overrides["data"] = {"train": [{"clean": str(folder.resolve())} for folder in data]}
    if hours is not None or steps is not None:
        overrides["budget"] = {"hours": hours, "steps": steps}
    if seed is not None:
        overrides["seed"] = seed
    if precision is not None:
        overrides["precision"] = precision
    return overrides


def _nothing_to_resume(folder: Path) -> UsageError:
    return UsageError("There is no run to resume.", file=folder, hint="leave --resume out to start it")


class _Run:
    """One run: everything built from the recipe, in order, before the loop starts."""

    def __init__(
        self,
        recipe: Recipe,
        base: Path,
        folder: Path,
        *,
        resume: bool,
        allow_change: Sequence[str],
        device: str | None,
        monitor: Monitor,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.base = base
        self.monitor = monitor
        self.device = pick_device(device)
        self.dtype = training_precision(recipe.precision, self.device)
        if self.device.type == "cpu":
            keep_large_blocks()
        saved = read_state(folder)
        if saved is None and resume:
            raise _nothing_to_resume(folder)
        if saved is not None and not resume:
            raise UsageError(
                "This folder holds a run already.",
                file=folder,
                unchanged="the run folder",
                hint="--resume goes on with it; another -o/--output starts a new one",
            )
        pairs, held = self._pictures()
        if saved is not None:
            refuse_changes(saved, recipe.resolved(), self.pictures_digest, allow_change)
            if set_aside_damaged(folder, saved):
                monitor.note(
                    f"the newest checkpoint is damaged and now called {DAMAGED}; what came after step "
                    f"{saved.facts['step']} is lost and trained again"
                )
        torch.manual_seed(recipe.seed)
        network = create_model(recipe.model.name, **recipe.model.arguments)
        self.validator = create_model(recipe.model.name, **recipe.model.arguments)
        if recipe.init is not None and saved is None:
            start_from(network, recipe.init, base)
        network = network.to(self.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        freeze(network, recipe.freeze)
        channels, scale = int(network.channels), int(network.scale)
        self.strategy = self._make_strategy(channels)
        average = MovingAverage(network, recipe.ema) if recipe.ema is not None else None
        self.state = RunState(network, make_optimizer(network.parameters(), recipe.optimizer), average)
        self.state.rivals = {name: self._rival(module) for name, module in self.strategy.rivals.items()}
        if saved is not None:
            restore_state(saved, self.state)
        needs = self.strategy.needs
        self.maker = BatchMaker(pairs, recipe, channels=channels, scale=scale, needs=needs)
        self.examples = make_examples(held, recipe.validation, channels=channels, scale=scale)
        self.pictures = len(pairs)
        self.levels: list[list[Example]] = []
        if self.maker.plan is not None and recipe.curriculum is not None:
            self.maker.plan.lessons = self.state.lessons or self.maker.plan.lessons
            self.levels = [
                make_examples(held, recipe.validation, channels=channels, scale=scale, level=level)
                for level in recipe.curriculum.levels
            ]

    def _pictures(self) -> tuple[list[Pair], list[Pair]]:
        """Return what is trained on and what is validated on."""
        recipe = self.recipe
        pairs = find_pairs(recipe.data.train, recipe, self.base, self.monitor.note)
        if recipe.validation.sources:
            held = find_pairs(recipe.validation.sources, recipe, self.base, self.monitor.note)
        else:
            pairs, held = hold_out(pairs, recipe.validation.holdout)
        self.pictures_digest = pictures_digest((*pairs, *held))
        return pairs, held

    def _make_strategy(self, channels: int) -> Strategy:
        terms = [
            (name, weight, create_loss(name, **arguments))
            for name, weight, arguments in self.recipe.loss_terms()
        ]
        name, arguments = self.recipe.strategy_choice()
        loss = WeightedSum(terms).to(self.device)
        return create_strategy(name, loss, channels, self.recipe.data.crop, **arguments)

    def _rival(self, module: nn.Module) -> Rival:
        network = module.to(self.device).train()
        section = self.recipe.rivals or self.recipe.optimizer
        return Rival(network, make_optimizer(network.parameters(), section))

    def go(self, stop: StopRequest) -> None:
        """Train; the log is closed whatever happens."""
        make_folder(self.folder, self.folder)
        content = yaml.safe_dump(self.recipe.resolved(), sort_keys=False, allow_unicode=True)
        write_file(self.folder / RESOLVED, content)
        logbook = Logbook(self.folder, self.state.clock.step)
        loop = Loop(
            self.recipe,
            self.state,
            self.strategy,
            self.device,
            self.dtype,
            self.validate,
            self.save,
            logbook,
            self.monitor,
        )
        batches = read_ahead(self.maker, self.state.clock.step)
        self.monitor.begin(self.state.clock.step, self.state.clock.fraction(self.recipe.budget))
        try:
            loop.run(batches, stop)
        finally:
            self.monitor.end()
            batches.close()  # type: ignore[attr-defined]
            logbook.close()

    def validate(self) -> ValidationScores:
        """Score the weights that would be saved, in a network of their own: training is not touched."""
        self.validator.load_state_dict(self.state.weights())
        samples = self.recipe.validation.samples
        try:
            scores = validate(self.validator, self.examples, self.device, samples=samples)
            self._learn()
            return scores
        except NonFiniteError as error:
            raise diverged(
                "A validation picture came out with values that are not finite.", self._step()
            ) from error

    def _learn(self) -> None:
        """Let the curriculum see how well every level is restored."""
        if self.maker.plan is None:
            return
        scores = [validate(self.validator, level, self.device, samples=0).psnr for level in self.levels]
        self.maker.plan.learn(self.state.clock.step + NOT_BEGUN, scores)
        self.state.lessons = self.maker.plan.lessons

    def _step(self) -> str:
        return f"at step {self.state.clock.step}"

    def save(self, scores: ValidationScores | None) -> None:
        """Write the state and `last`; with the scores of a new best, `best` too.

        Raises:
            DivergedError: A weight is not finite; the checkpoint from before stays.
        """
        tensors = (*self.state.weights().values(), *self.state.network.state_dict().values())
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors):
            raise diverged("The network's weights are not finite any more.", self._step())
        content = pack(self.state.weights(), self._card(scores))
        if scores is not None:
            write_file(self.folder / BEST, content)
        write_file(self.folder / LAST, content)
        save_state(self.folder, self.state, self.recipe.resolved(), self.pictures_digest)

    def _card(self, scores: ValidationScores | None) -> Card:
        recipe, state = self.recipe, self.state
        return Card(
            model=recipe.model.name,
            arguments=dict(recipe.model.arguments),
            tag=recipe.card.tag,
            channels=int(state.network.channels),  # type: ignore[arg-type]
            summary=recipe.card.summary,
            data=recipe.card.data,
            recipe=recipe.published(self.base),
            scores={} if scores is None else {"validation": scores.numbers()},
            training={
                "steps": state.clock.step,
                "hours": round(state.clock.seconds / 3600, 3),
                "pictures": self.pictures,
                "device": _device_name(self.device),
                "precision": str(self.dtype).removeprefix("torch."),
                "torch": torch.__version__,
            },
            licence=recipe.card.licence,
            version=__version__,
        )

    def result(self) -> TrainResult:
        """Return what the run left."""
        clock = self.state.clock
        return TrainResult(
            self.folder,
            clock.step,
            clock.seconds / 3600,
            self.state.best,
            self.folder / BEST,
            self.state.skipped,
            self.maker.quarantine,
        )


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"


def _interrupted(received: Signals, folder: Path, again: str) -> InterruptedRunError:
    kind = InterruptedRunError if received == Signals.SIGINT else TerminatedRunError
    return kind(
        f"Training was stopped by {received.name} and saved.",
        file=folder,
        unchanged="nothing is lost",
        hint=again,
    )
