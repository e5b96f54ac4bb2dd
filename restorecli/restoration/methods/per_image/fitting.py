"""Fitting a network to one degraded image, from noise, with a guard against blow-ups."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from restorecli.degradation.operators import Operator
from restorecli.errors import ImageError
from restorecli.restoration.methods.per_image.stopping import Rule

_NOISE = 0.1  # the input is uniform in [0, 0.1]
_DIVERGED = 5.0  # times the usual loss
_KEEP_EVERY = 50
_DECAY = 0.9


class _Through(torch.autograd.Function):
    """A linear operator of NumPy arrays, differentiated by its adjoint."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, operator: Operator) -> Tensor:  # noqa: ANN401 - PyTorch's own
        ctx.operator = operator
        seen = operator.forward(image[0].detach().cpu().numpy())
        return torch.from_numpy(np.ascontiguousarray(seen))[None].to(image.device)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - PyTorch's own
        back = ctx.operator.adjoint(slope[0].cpu().numpy())
        return torch.from_numpy(np.ascontiguousarray(back))[None].to(slope.device), None


@dataclass(frozen=True, slots=True)
class Target:
    """What the network's output must look like.

    Attributes:
        image: (1, C, h, w), the degraded image.
        weight: (h, w), 1 where it is fitted, else 0.
        operator: What the output passes before it is compared, or None.
        size: Height and width of the output.
    """

    image: Tensor
    weight: Tensor
    operator: Operator | None
    size: tuple[int, int]

    def error(self, output: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean squared error of an output (1, C, H, W) where a weight, by default ours, is 1."""
        seen = output if self.operator is None else _through(output, self.operator)
        chosen = self.weight if weight is None else weight
        total = (torch.square(seen - self.image) * chosen).sum()
        return total / (chosen.sum() * self.image.shape[1]).clamp(min=1)


def _through(image: Tensor, operator: Operator) -> Tensor:
    seen: Tensor = _Through.apply(image, operator)  # type: ignore[no-untyped-call]
    return seen


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to fit.

    Attributes:
        steps: Steps at most.
        rate: Learning rate of Adam.
        jitter: Standard deviation of the noise that the input gets anew at every step.
        average: Weight of the past in the running average of outputs, less in the first steps.
        patience: Steps without a better score after which to stop.
    """

    steps: int
    rate: float
    jitter: float
    average: float
    patience: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came out.

    Attributes:
        image: (1, C, H, W), the average of outputs at the step with the best score, or at the last one.
        step: That step.
        steps: Steps done.
        losses: Of each step.
        blown: How often the last good weights were taken again.
    """

    image: Tensor
    step: int
    steps: int
    losses: tuple[float, ...]
    blown: int


class Guard:
    """Keeps the last good weights and goes back to them where the loss jumps, with half the learning rate."""

    def __init__(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.network = network
        self.optimizer = optimizer
        self.blown = 0
        self._usual = math.nan
        self._good = 0
        self._kept = self._copies()

    def passes(self, loss: float) -> bool:
        """Tell whether a step with this loss may be taken; if not, the last good weights are back."""
        if not math.isfinite(loss) or loss > _DIVERGED * self._usual:
            self._go_back()
            return False
        if self._good % _KEEP_EVERY == 0:
            self._kept = self._copies()
        self._good += 1
        self._usual = loss if math.isnan(self._usual) else _DECAY * self._usual + (1 - _DECAY) * loss
        return True

    def _copies(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return copy.deepcopy(self.network.state_dict()), copy.deepcopy(self.optimizer.state_dict())

    def _go_back(self) -> None:
        self.blown += 1
        self._usual = math.nan
        weights, state = self._kept
        self.network.load_state_dict(weights)
        self.optimizer.load_state_dict(copy.deepcopy(state))
        for group in self.optimizer.param_groups:
            group["lr"] *= 0.5**self.blown


def fit(
    network: nn.Module,
    noise: Tensor,
    target: Target,
    schedule: Schedule,
    rule: Rule,
    generator: torch.Generator,
    on_progress: Callable[[int, int], None] | None = None,
) -> Fitted:
    """Fit a network's output to a target.

    Args:
        network: Maps `noise` to (1, C, H', W') with H' and W' of the target's size at least; the top left
            part counts. Its weights are changed.
        noise: (1, inputs, H', W').
        target: What to fit.
        schedule: How.
        rule: Says which step is best.
        generator: Draws the jitter, on the CPU.
        on_progress: Called with steps done and steps in all.

    Returns:
        The averaged image and what is known about the way to it.

    Raises:
        ImageError: No step had a finite loss.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=schedule.rate)
    guard = Guard(network, optimizer)
    rows, columns = target.size
    average: Tensor | None = None
    best: tuple[float, int, Tensor] | None = None
    losses: list[float] = []
    for step in range(schedule.steps):
        if on_progress is not None:
            on_progress(step, schedule.steps)
        jitter = schedule.jitter * torch.randn(noise.shape, generator=generator)
        optimizer.zero_grad(set_to_none=True)
        output = network(noise + jitter.to(noise.device))[..., :rows, :columns]
        loss = target.error(output)
        losses.append(float(loss.detach()))
        if not guard.passes(losses[-1]):
            continue
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        shown = output.detach()
        # A young average forgets faster, so that the first outputs do not haunt it.
        past = min(schedule.average, (1 + step) / (10 + step))
        average = shown if average is None else torch.lerp(shown, average, past)
        score = rule.score(step, shown, average)
        if score is not None and (best is None or score < best[0]):
            best = (score, step, average)
        if best is not None and step - best[1] >= schedule.patience:
            break
    if average is None:
        raise ImageError("Fitting this image did not converge.", expected="finite losses", got="none")
    last = len(losses)
    _, step, image = (0.0, last - 1, average) if best is None else best
    return Fitted(image, step + 1, last, tuple(losses), guard.blown)


def input_noise(channels: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Return what the network starts from: (1, channels, H, W), uniform in [0, 0.1]."""
    return _NOISE * torch.rand((1, channels, *size), generator=generator)
