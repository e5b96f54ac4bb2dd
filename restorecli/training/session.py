"""One training run, built from a checked recipe: images, networks, optimizers; then the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
import yaml
from torch import nn

from restorecli.core.card_reading import Card
from restorecli.core.device import pick_device, training_precision
from restorecli.core.learned import structure_of
from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.catalog import create_model
from restorecli.core.restorer import NonFiniteError
from restorecli.core.weights import pack
from restorecli.counting import counted
from restorecli.errors import UsageError
from restorecli.folders.places import make_folder
from restorecli.heap import keep_large_blocks
from restorecli.images.atomic import write_file
from restorecli.training import captured
from restorecli.training.advice import notes_on_images
from restorecli.training.batches import Batch, BatchMaker
from restorecli.training.captured import Stepping
from restorecli.training.changes import refuse_changes
from restorecli.training.checkpoint import (
    Discriminator,
    RunState,
    SavedState,
    read_state,
    restore_state,
    save_state,
    set_aside_damaged,
)
from restorecli.training.clean_batches import CleanBatch, CleanMaker, Degrader
from restorecli.training.device_batches import device_batches
from restorecli.training.interruption import StopRequest
from restorecli.training.logbook import Logbook
from restorecli.training.loop import Loop, diverged
from restorecli.training.monitor import Monitor
from restorecli.training.optimization import MovingAverage, make_optimizer
from restorecli.training.pairs import (
    Pair,
    images_digest,
    images_of,
    list_images,
    write_listing,
)
from restorecli.training.places import BEST, IMAGES_LIST, LAST, RESOLVED, nothing_to_resume
from restorecli.training.read_ahead import PIPELINE_DEPTH, read_ahead
from restorecli.training.recipe import Recipe
from restorecli.training.replay_check import ReplayCheck
from restorecli.training.start import freeze, notes_on_start, start_from
from restorecli.training.strategies.base import Strategy
from restorecli.training.strategies.catalog import create_strategy
from restorecli.training.validation import (
    Example,
    LevelScore,
    ValidationScores,
    make_examples,
    validate,
)
from restorecli.training.worker_batches import worker_batches
from restorecli.version import __version__


class Session:
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
        workers: int = 0,
        compile: str = "off",  # noqa: A002 - the word of the command line
    ) -> None:
        self.recipe = recipe
        self.workers = workers
        self.compile = compile
        self.folder = folder
        self.base = base
        self.monitor = monitor
        self.device = pick_device(device)
        self.dtype = training_precision(recipe.precision, self.device)
        if self.device.type == "cpu":
            keep_large_blocks()
        saved = _saved_in(folder, resume=resume)
        pairs, held = self._images()
        if saved is not None:
            refuse_changes(saved, recipe.resolved(), self.listing, allow_change)
            lost = set_aside_damaged(folder, saved)
            if lost is not None:
                monitor.note(
                    f"{lost}; what came after step {saved.metadata['step']} is lost and trained again"
                )
        torch.manual_seed(recipe.seed)
        network = create_model(recipe.model.name, **recipe.model.arguments)
        self.validator = create_model(recipe.model.name, **recipe.model.arguments)
        if recipe.init is not None and saved is None:
            self._start(network, recipe.init)
        network = network.to(self.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        freeze(network, recipe.freeze)
        channels, scale = int(network.channels), int(network.scale)
        self.strategy = self._make_strategy(channels)
        for note in notes_on_images(recipe, pairs, held, self.strategy.needs):
            monitor.note(note)
        average = MovingAverage(network, recipe.ema) if recipe.ema is not None else None
        self.state = RunState(network, make_optimizer(network.parameters(), recipe.optimizer), average)
        self.state.discriminators = {
            name: self._discriminator(module) for name, module in self.strategy.discriminators.items()
        }
        if saved is not None:
            restore_state(saved, self.state)
        self.maker: BatchMaker | CleanMaker
        self.maker, self.degrader = _making(pairs, recipe, channels, scale, self.strategy.needs)
        self.examples = make_examples(held, recipe.validation, channels=channels, scale=scale)
        self.images = len(pairs)
        self.levels: list[list[Example]] = []
        if self.maker.plan is not None and recipe.curriculum is not None:
            self.maker.plan.lessons = self.state.lessons or self.maker.plan.lessons
            self.levels = [
                make_examples(held, recipe.validation, channels=channels, scale=scale, level=level)
                for level in recipe.curriculum.levels
            ]

    def _images(self) -> tuple[list[Pair], list[Pair]]:
        """Return what is trained on and what is validated on."""
        pairs, held = images_of(self.recipe, self.base, self.monitor.note)
        self.listing = list_images((*pairs, *held))
        return pairs, held

    def _start(self, network: nn.Module, init: str) -> None:
        """Fill the network with the weights that the recipe starts from."""
        for note in notes_on_start(start_from(network, init, self.base)):
            self.monitor.note(note)

    def _make_strategy(self, channels: int) -> Strategy:
        terms = [
            (name, weight, create_loss(name, **arguments))
            for name, weight, arguments in self.recipe.loss_terms()
        ]
        name, arguments = self.recipe.strategy_choice()
        loss = WeightedSum(terms).to(self.device)
        return create_strategy(name, loss, channels, self.recipe.data.crop, **arguments)

    def _discriminator(self, module: nn.Module) -> Discriminator:
        network = module.to(self.device).train()
        section = self.recipe.rivals or self.recipe.optimizer
        return Discriminator(network, make_optimizer(network.parameters(), section))

    def go(self, stop: StopRequest) -> None:
        """Train; the log is closed whatever happens."""
        make_folder(self.folder, self.folder)
        content = yaml.safe_dump(self.recipe.resolved(), sort_keys=False, allow_unicode=True)
        write_file(self.folder / RESOLVED, content)
        write_listing(self.folder / IMAGES_LIST, self.listing)
        logbook = Logbook(self.folder, self.state.clock.step)
        loop = self._loop(logbook)
        batches = self.batches()
        self.monitor.begin(self.state.clock.step, self.state.clock.fraction(self.recipe.budget))
        try:
            loop.run(batches, stop)
        finally:
            self.monitor.end()
            batches.close()  # type: ignore[attr-defined]
            logbook.close()

    def batches(self) -> Iterator[Batch]:
        """Yield the batches of this step and those after it, on the device."""
        step, pinned = self.state.clock.step, self.device.type == "cuda"
        made: Iterator[Batch | CleanBatch]
        if self.workers:
            made = worker_batches(self.maker, step, workers=self.workers, pinned=pinned)
        else:
            made = read_ahead(self.maker, step, pinned=pinned)
        return device_batches(made, self.device, self.degrader)

    def _loop(self, logbook: Logbook | None) -> Loop:
        return Loop(
            self.recipe,
            self.state,
            self.strategy,
            self.device,
            self.dtype,
            self.validate,
            self.save,
            logbook,
            self.monitor,
            self._stepping(),
        )

    def _stepping(self) -> Stepping:
        state, make_graph = self.state, captured.graph_maker(self.device)
        optimizers = [state.optimizer, *(each.optimizer for each in state.discriminators.values())]
        recipe = self.recipe
        about = (recipe.strategy, recipe.loss, recipe.optimizer, recipe.rivals, recipe.ema, recipe.data.crop)
        key = "" if make_graph is None else f"{structure_of(state.network)} {about} {recipe.data.batch}"
        return Stepping(
            self.compile,
            state.network,
            captured.ChangingNumbers(optimizers, state.average, self.device),
            key=f"{_device_name(self.device)} {self.dtype} {key}",
            note=self.monitor.note,
            make_graph=make_graph,
            check=ReplayCheck(state.tensors, self.device),
            wait=partial(captured.wait_for, self.device),
        )

    def stepper(self) -> Callable[[Batch], None]:
        """Return what trains on one batch, as the loop does between validations; nothing is written."""
        return self._loop(None).stepper()

    def validate(self) -> ValidationScores:
        """Score the weights that would be saved, in a network of their own: training is not touched."""
        self.validator.load_state_dict(self.state.weights())
        samples = self.recipe.validation.samples
        try:
            scores = validate(self.validator, self.examples, self.device, samples=samples)
            return replace(scores, levels=self._learn())
        except NonFiniteError as error:
            raise diverged(
                "A validation image came out with values that are not finite.", self._step()
            ) from error

    def _learn(self) -> tuple[LevelScore, ...]:
        """Let the curriculum see how well every level is restored; return what it makes of that."""
        if self.maker.plan is None:
            return ()
        psnrs = [validate(self.validator, level, self.device, samples=0).psnr for level in self.levels]
        begins = self.state.clock.step + PIPELINE_DEPTH
        self.maker.plan.learn(begins, psnrs)
        self.state.lessons = self.maker.plan.lessons
        shares = self.maker.plan.shares(begins)
        return tuple(LevelScore(psnr, share) for psnr, share in zip(psnrs, shares, strict=True))

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
        save_state(self.folder, self.state, self.recipe.resolved(), images_digest(self.listing))

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
                "pictures": self.images,
                "device": _device_name(self.device),
                "precision": str(self.dtype).removeprefix("torch."),
                "torch": torch.__version__,
            },
            side=recipe.card.side,
            licence=recipe.card.licence,
            version=__version__,
        )


def _saved_in(folder: Path, *, resume: bool) -> SavedState | None:
    """Return the state to go on from; None for a new run.

    Raises:
        UsageError: There is a run and `resume` was not asked for, or the other way round.
    """
    saved = read_state(folder)
    if saved is None and resume:
        raise nothing_to_resume(folder)
    if saved is not None and not resume:
        raise UsageError(
            "This folder holds a run already.",
            file=folder,
            unchanged="the run folder",
            hint="--resume goes on with it; another -o/--output starts a new one",
        )
    return saved


def _making(
    pairs: list[Pair], recipe: Recipe, channels: int, scale: int, needs: frozenset[str]
) -> tuple[BatchMaker | CleanMaker, Degrader | None]:
    """Return what makes batches on the host, and what degrades them on the device where that is asked for."""
    if recipe.data.degrade_on == "device":
        return CleanMaker(pairs, recipe, channels=channels, needs=needs), Degrader(recipe, channels)
    return BatchMaker(pairs, recipe, channels=channels, scale=scale, needs=needs), None


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {counted(torch.get_num_threads(), 'thread')}"
