"""The training loop: batch, losses, step; validate, save, log. One loop for every strategy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from restorecli.core.device import autocast
from restorecli.errors import DivergedError
from restorecli.training.batches import Batch
from restorecli.training.captured import Outcome, Stepping
from restorecli.training.checkpoint import RunState
from restorecli.training.guard import BufferGuard, StepRecord
from restorecli.training.interruption import StopRequest
from restorecli.training.logbook import Logbook
from restorecli.training.monitor import Monitor
from restorecli.training.optimization import Clock, learning_rate, rate_of, set_rate, step_if
from restorecli.training.recipe import OptimizerSection, Recipe
from restorecli.training.strategies.base import Losses, Strategy
from restorecli.training.validation import ValidationScores

PATIENCE = 10  # steps in a row that may be skipped for a loss that is not finite
LOG_EVERY = 20


@dataclass(frozen=True, slots=True)
class Loop:
    """Everything the loop needs, built before it starts.

    Attributes:
        recipe: The recipe.
        state: Network, optimizer, average and counters; changed by the loop.
        strategy: How a batch becomes losses.
        device: Where to compute.
        dtype: Of autocast; float32 for none.
        validate: Scores the network as it stands.
        save: Writes the state and the `last` weights; with scores, also the `best` ones.
        logbook: The run's log; None writes none.
        monitor: Progress callbacks.
        stepping: In which way steps are taken.
    """

    recipe: Recipe
    state: RunState
    strategy: Strategy
    device: torch.device
    dtype: torch.dtype
    validate: Callable[[], ValidationScores]
    save: Callable[[ValidationScores | None], None]
    logbook: Logbook | None
    monitor: Monitor
    stepping: Stepping

    def run(self, batches: Iterator[Batch], stop: StopRequest) -> None:
        """Train until the budget is used up or a stop is asked for; the state is saved in both cases.

        While steps are skipped nothing is saved, so that checkpoints from before the trouble stay.

        Args:
            batches: On the device; see `device_batches`.
            stop: Whether to stop.

        Raises:
            DivergedError: The loss was not finite `PATIENCE` steps in a row.
        """
        state, recipe = self.state, self.recipe
        record, buffers = self._guards()
        # At a multiple of `every` a saved state was validated; elsewhere it may have stopped just before.
        saved = state.clock.step or None
        validated = saved if state.clock.step % recipe.validation.every == 0 else None
        while state.clock.fraction(recipe.budget) < 1 and stop.received is None:
            started = time.monotonic()
            losses, batch = self._step(next(batches), record, buffers)
            state.clock = Clock(state.clock.step + 1, state.clock.seconds + time.monotonic() - started)
            validates = state.clock.step % recipe.validation.every == 0
            saves = state.clock.step % recipe.save_every == 0
            if validates or saves or state.clock.step % LOG_EVERY == 0:
                self._read(record)
            self._report(record, losses, batch, started)
            if validates:
                self._validate()
                validated = saved = state.clock.step
            elif saves and not record.failures:
                self.save(None)
                saved = state.clock.step
        self._read(record)
        if stop.received is None and validated != state.clock.step:
            self._validate()
        elif saved != state.clock.step:
            self.save(None)

    def stepper(self) -> Callable[[Batch], None]:
        """Return what takes one step on a batch and, every `LOG_EVERY` steps, reads how they went."""
        state, (record, buffers) = self.state, self._guards()

        def step(batch: Batch) -> None:
            self._step(batch, record, buffers)
            state.clock = Clock(state.clock.step + 1, state.clock.seconds)
            if state.clock.step % LOG_EVERY == 0:
                self._read(record)

        return step

    def _guards(self) -> tuple[StepRecord, BufferGuard]:
        """Return what notes how steps went, and what takes back the buffers of bad ones."""
        state = self.state
        networks = (state.network, *(each.network for each in state.discriminators.values()))
        return StepRecord(PATIENCE, state.skipped), BufferGuard(networks)

    def _read(self, record: StepRecord) -> None:
        """Learn of the steps since the last reading.

        Raises:
            DivergedError: `PATIENCE` of them in a row were not finite.
        """
        record.read()
        self.state.skipped = record.skipped
        if record.worst is not None:
            raise diverged(f"The loss was not finite {PATIENCE} steps in a row.", f"at step {record.worst}")

    def _step(self, batch: Batch, record: StepRecord, buffers: BufferGuard) -> tuple[Losses, Batch]:
        """Take one step; where a number of it is not finite, the device takes it back.

        Nothing here asks the device for a value, so that it never has to be waited for.
        """
        self._turn()
        work = partial(self._work, buffers)
        # What depends on the step's number cannot be recorded.
        steady = self.state.clock.step >= self.strategy.steady_from
        outcome = self.stepping.take(work, batch) if steady else work(batch)
        record.add(self.state.clock.step + 1, outcome.losses.total, outcome.finite)
        return outcome.losses, batch

    def _turn(self) -> None:
        """Set what changes from step to step: the learning rates, and the weight of the moving average."""
        state, recipe = self.state, self.recipe
        set_rate(state.optimizer, self._rate(recipe.optimizer))
        for discriminator in state.discriminators.values():
            set_rate(discriminator.optimizer, self._rate(recipe.rivals or recipe.optimizer))
        if state.average is not None:
            state.average.turn(state.clock.step + 1)

    def _work(self, buffers: BufferGuard, batch: Batch) -> Outcome:
        """Do what the device does in a step: the same for every batch, so that it can be recorded."""
        state, recipe = self.state, self.recipe
        with autocast(self.device, self.dtype):
            losses = self.strategy.losses(state.network, batch, state.clock.step)
        finite = _backward(losses.total, state.network, state.optimizer, recipe.optimizer)
        for name, loss in losses.discriminators.items():
            discriminator = state.discriminators[name]
            section = recipe.rivals or recipe.optimizer
            finite = finite & _backward(loss, discriminator.network, discriminator.optimizer, section)
        buffers.settle(finite)
        step_if(finite, state.optimizer)
        for name in losses.discriminators:
            step_if(finite, state.discriminators[name].optimizer)
        if state.average is not None:
            state.average.update()
        return Outcome(losses.detached(), finite)

    def _rate(self, section: OptimizerSection) -> float:
        clock, recipe = self.state.clock, self.recipe
        return learning_rate(section.lr, recipe.schedule, clock.step, clock.fraction(recipe.budget))

    def _report(self, record: StepRecord, losses: Losses, batch: Batch, started: float) -> None:
        clock = self.state.clock
        fraction = clock.fraction(self.recipe.budget)
        if clock.step % LOG_EVERY == 0 and record.loss is not None:
            psnr = _psnr(losses, batch)
            self.monitor.measured(record.loss, psnr)
            values = {"loss": record.loss, "psnr": psnr, "lr": rate_of(self.state.optimizer)}
            values |= {f"loss_{name}": float(part) for name, part in losses.parts.items()}
            values |= {"seconds": clock.seconds, "step_seconds": time.monotonic() - started}
            self._write("train", clock.step, values | {"skipped": record.skipped})
        self.monitor.step(clock.step, fraction)

    def _write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        if self.logbook is not None:
            self.logbook.write(kind, step, values)

    def _validate(self) -> None:
        scores = self.validate()
        step, metric = self.state.clock.step, self.recipe.validation.metric
        numbers = scores.numbers()
        better = not self.state.best or numbers[metric] > self.state.best[metric]
        if better:
            self.state.best = {**numbers, "step": step}
        self.save(scores if better else None)
        self._write("validation", step, numbers | scores.level_numbers())
        if self.logbook is not None:
            self.logbook.samples(scores)
        self.monitor.validated(step, scores, better)


def diverged(problem: str, got: str) -> DivergedError:
    """Return the error that ends a run whose numbers have left all bounds."""
    return DivergedError(
        problem,
        expected="finite numbers",
        got=got,
        unchanged="the last checkpoint, which is from before",
        hint="a smaller optimizer.lr, optimizer.clip_norm: 1, or precision: fp32",
    )


def _backward(
    loss: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer, section: OptimizerSection
) -> Tensor:
    """Compute and clip the gradients of a loss; return whether it and they are finite, on the device."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    parameters = [parameter for parameter in network.parameters() if parameter.grad is not None]
    norm = nn.utils.get_total_norm([parameter.grad for parameter in parameters])  # type: ignore[misc]
    if section.clip_norm is not None:
        nn.utils.clip_grads_with_norm_(parameters, section.clip_norm, norm)
    return torch.isfinite(loss.detach()) & torch.isfinite(norm)


def _psnr(losses: Losses, batch: Batch) -> float:
    """Return the PSNR of a training batch against its clean crops, for the log."""
    with torch.no_grad():
        error = (losses.output.float() - batch.reference).square().mean()
    return float(-10 * torch.log10(error))
