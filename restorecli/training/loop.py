"""The training loop: batch, losses, step; validate, save, log. One loop for every strategy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from restorecli.core.device import autocast
from restorecli.errors import DivergedError
from restorecli.training.batches import Batch
from restorecli.training.checkpoint import RunState
from restorecli.training.interruption import StopRequest
from restorecli.training.logbook import Logbook
from restorecli.training.monitor import Monitor
from restorecli.training.optimisation import Clock, learning_rate
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
        self._set_rate(state.optimizer, recipe.optimizer)
        trained = (state.network, *(rival.network for rival in state.rivals.values()))
        buffers = [(buffer, buffer.clone()) for network in trained for buffer in network.buffers()]
        with autocast(self.device, self.dtype):
            losses = self.strategy.losses(state.network, batch, state.clock.step)
        finite = _backward(losses.total, state.network, state.optimizer, recipe.optimizer)
        for name, loss in losses.rivals.items():
            rival = state.rivals[name]
            section = recipe.rivals or recipe.optimizer
            self._set_rate(rival.optimizer, section)
            finite = _backward(loss, rival.network, rival.optimizer, section) and finite
        if not finite:
            state.skipped += 1
            for buffer, before in buffers:
                buffer.copy_(before)  # batch norm has taken the bad batch into its statistics
            return None, losses.parts, float("nan")
        state.optimizer.step()
        for name in losses.rivals:
            state.rivals[name].optimizer.step()
        if state.average is not None:
            state.average.update(state.network, state.clock.step + 1)
        return float(losses.total.detach()), losses.parts, _psnr(losses, batch)

    def _set_rate(self, optimizer: torch.optim.Optimizer, section: OptimizerSection) -> None:
        clock, recipe = self.state.clock, self.recipe
        rate = learning_rate(section.lr, recipe.schedule, clock.step, clock.fraction(recipe.budget))
        for group in optimizer.param_groups:
            group["lr"] = rate

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
        self.logbook.write("validation", step, numbers | scores.level_numbers())
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


def _backward(
    loss: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer, section: OptimizerSection
) -> bool:
    """Compute and clip the gradients of a loss; return whether it and they are finite."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    parameters = [parameter for parameter in network.parameters() if parameter.grad is not None]
    norm = torch.nn.utils.clip_grad_norm_(parameters, section.clip_norm or float("inf"))
    return bool(torch.isfinite(loss)) and bool(torch.isfinite(norm))


def _psnr(losses: Losses, batch: Batch) -> float:
    """Return the PSNR of a training batch against its clean crops, for the log."""
    with torch.no_grad():
        error = (losses.output.float() - batch.reference).square().mean()
    return float(-10 * torch.log10(error))


def _moved(batch: Batch, device: torch.device) -> Batch:
    def there(crops: Tensor) -> Tensor:
        return crops.to(device, memory_format=torch.channels_last, non_blocking=True)

    return Batch(
        there(batch.degraded),
        there(batch.reference),
        None if batch.second is None else there(batch.second),
        None if batch.mask is None else there(batch.mask),
    )
