"""The training loop: batch, losses, step; validate, save, log. One loop for every strategy."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from restorecli.core.device import autocast
from restorecli.errors import DivergedError
from restorecli.train.checkpoint import RunState
from restorecli.train.data import Batch
from restorecli.train.interruption import StopRequest
from restorecli.train.logbook import Logbook
from restorecli.train.optimisation import Clock, learning_rate
from restorecli.train.recipe import Recipe
from restorecli.train.validation import ValidationScores

PATIENCE = 10  # steps in a row that may be skipped for a loss that is not finite
LOG_EVERY = 20


class Strategy(Protocol):
    """How a batch becomes losses."""

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor], Tensor]:
        """Return the total loss, its parts, and the restored batch."""


class Monitor(Protocol):
    """Who watches a run; the command line shows a progress bar."""

    def begin(self, step: int, fraction: float) -> None:
        """Training begins, or goes on from a step."""

    def step(self, step: int, fraction: float, loss: float, psnr: float) -> None:
        """A step is done; `fraction` of the budget is used up."""

    def validated(self, step: int, scores: ValidationScores, best: bool) -> None:
        """A validation is done; `best` tells whether it is the best so far."""

    def end(self) -> None:
        """Training has ended, for whatever reason."""


class SilentMonitor:
    """Watches nothing."""

    def begin(self, step: int, fraction: float) -> None:
        """Do nothing."""

    def step(self, step: int, fraction: float, loss: float, psnr: float) -> None:
        """Do nothing."""

    def validated(self, step: int, scores: ValidationScores, best: bool) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Everything the loop needs, built before it starts.

    Attributes:
        recipe: The recipe.
        state: Network, optimiser, average and counters; changed by the loop.
        strategy: How a batch becomes losses.
        device: Where to compute.
        dtype: Of autocast; float32 for none.
        validate: Scores the network as it stands.
        save: Writes the state and the `last` weights; with scores, also the `best` ones.
        logbook: The run's log.
        monitor: Who watches.
    """

    recipe: Recipe
    state: RunState
    strategy: Strategy
    device: torch.device
    dtype: torch.dtype
    validate: Callable[[], ValidationScores]
    save: Callable[[ValidationScores | None], None]
    logbook: Logbook
    monitor: Monitor

    def run(self, batches: Iterator[Batch], stop: StopRequest) -> None:
        """Train until the budget is used up or a stop is asked for; the state is saved in both cases.

        While steps are skipped nothing is saved, so that checkpoints from before the trouble stay.

        Raises:
            DivergedError: The loss was not finite `PATIENCE` steps in a row.
        """
        state, recipe = self.state, self.recipe
        failures = 0
        # At a multiple of `every` a saved state was validated; elsewhere it may have stopped just before.
        saved = state.clock.step or None
        validated = saved if state.clock.step % recipe.validation.every == 0 else None
        while state.clock.fraction(recipe.budget) < 1 and stop.received is None:
            started = time.monotonic()
            loss, parts, psnr = self._step(_moved(next(batches), self.device))
            failures = 0 if loss is not None else failures + 1
            state.clock = Clock(state.clock.step + 1, state.clock.seconds + time.monotonic() - started)
            if failures >= PATIENCE:
                raise diverged(
                    f"The loss was not finite {PATIENCE} steps in a row.", f"at step {state.clock.step}"
                )
            self._report(loss, parts, psnr, started)
            if state.clock.step % recipe.validation.every == 0:
                self._validate()
                validated = saved = state.clock.step
            elif state.clock.step % recipe.save_every == 0 and not failures:
                self.save(None)
                saved = state.clock.step
        if stop.received is None and validated != state.clock.step:
            self._validate()
        elif saved != state.clock.step:
            self.save(None)

    def _step(self, batch: Batch) -> tuple[float | None, Mapping[str, Tensor], float]:
        """Take one step; the loss is None when it (or the gradient) was not finite: the step is left out."""
        state, recipe = self.state, self.recipe
        rate = learning_rate(
            recipe.optimizer.lr, recipe.schedule, state.clock.step, state.clock.fraction(recipe.budget)
        )
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        buffers = [buffer.clone() for buffer in state.network.buffers()]
        with autocast(self.device, self.dtype):
            total, parts, restored = self.strategy.losses(state.network, batch)
        state.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        parameters = [p for p in state.network.parameters() if p.grad is not None]
        limit = recipe.optimizer.clip_norm or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        if not bool(torch.isfinite(total)) or not bool(torch.isfinite(norm)):
            state.skipped += 1
            for buffer, before in zip(state.network.buffers(), buffers, strict=True):
                buffer.copy_(before)  # batch norm has taken the bad batch into its statistics
            return None, parts, float("nan")
        state.optimizer.step()
        if state.average is not None:
            state.average.update(state.network, state.clock.step + 1)
        error = (restored.float() - batch.reference).square().mean()
        return float(total.detach()), parts, float(-10 * torch.log10(error))

    def _report(self, loss: float | None, parts: Mapping[str, Tensor], psnr: float, started: float) -> None:
        clock = self.state.clock
        fraction = clock.fraction(self.recipe.budget)
        if loss is not None:
            self.monitor.step(clock.step, fraction, loss, psnr)
        if clock.step % LOG_EVERY == 0 and loss is not None:
            values = {"loss": loss, "psnr": psnr, "lr": self.state.optimizer.param_groups[0]["lr"]}
            values |= {f"loss_{name}": float(part.detach()) for name, part in parts.items()}
            values |= {"seconds": clock.seconds, "step_seconds": time.monotonic() - started}
            self.logbook.write("train", clock.step, values | {"skipped": self.state.skipped})

    def _validate(self) -> None:
        scores = self.validate()
        step, metric = self.state.clock.step, self.recipe.validation.metric
        numbers = scores.numbers()
        better = not self.state.best or numbers[metric] > self.state.best[metric]
        if better:
            self.state.best = {**numbers, "step": step}
        self.save(scores if better else None)
        self.logbook.write("validation", step, numbers)
        self.logbook.samples(scores)
        self.monitor.validated(step, scores, better)


def diverged(problem: str, came: str) -> DivergedError:
    """Return the error that ends a run whose numbers have left all bounds."""
    return DivergedError(
        problem,
        expected="finite numbers",
        came=came,
        unchanged="the last checkpoint, which is from before",
        hint="a smaller optimizer.lr, optimizer.clip_norm: 1, or precision: fp32",
    )


def _moved(batch: Batch, device: torch.device) -> Batch:
    return replace(
        batch,
        degraded=batch.degraded.to(device, memory_format=torch.channels_last, non_blocking=True),
        reference=batch.reference.to(device, memory_format=torch.channels_last, non_blocking=True),
    )


def resume_command(
    recipe: Path | str, folder: Path, *, data: Sequence[Path] = (), given: Mapping[str, object] | None = None
) -> str:
    """Return the command that goes on with a run.

    Args:
        recipe: As the run was started.
        folder: The run folder.
        data: Folders that were given in place of the recipe's.
        given: Further options and their values; None for those that were not given.
    """
    words = ["restorecli", "train", str(recipe), "-o", str(folder)]
    words += [word for each in data for word in ("--data", str(each))]
    words += [
        word for name, value in (given or {}).items() if value is not None for word in (name, str(value))
    ]
    return shlex.join([*words, "--resume"])
