"""Optimizers, and the learning rate as a function of how far the budget is used up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from restorecli.training.muon import Muon
from restorecli.training.recipe import Budget, OptimizerSection, ScheduleSection


def make_optimizer(parameters: Iterable[nn.Parameter], section: OptimizerSection) -> torch.optim.Optimizer:
    """Return the optimizer that a recipe asks for; Adam and SGD in their fused form.

    Weight decay spares what has one dimension: biases and the gains of normalizations are meant to be large.
    """
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    groups: list[dict[str, Any]] = [{"params": trainable}]
    if section.weight_decay:
        groups = [
            {"params": [p for p in trainable if p.ndim > 1], "weight_decay": section.weight_decay},
            {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
        ]
    if section.name == "sgd":
        sgd = torch.optim.SGD(groups, lr=section.lr, momentum=section.momentum, fused=True)
        if section.momentum:  # else torch begins with memory as it is, and keeps that if the step is skipped
            for parameter in trainable:
                sgd.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return sgd
    first, second = section.betas
    if section.name == "muon":
        return Muon(groups, section.lr, betas=(first, second))
    kind = torch.optim.Adam if section.name == "adam" else torch.optim.AdamW
    return kind(groups, lr=section.lr, betas=(first, second), weight_decay=0.0, fused=True)


def step_if(finite: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Take an optimizer's step where `finite`, a bool on the device, is true; else leave all as it is.

    The device decides, and nobody waits for it: torch's fused optimizers and Muon read the flag that its
    gradient scaler sets for them.
    """
    optimizer.grad_scale = None  # type: ignore[attr-defined]
    optimizer.found_inf = (~finite).float()  # type: ignore[attr-defined]
    optimizer.step()


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameters, where it lies."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def rate_of(optimizer: torch.optim.Optimizer) -> float:
    """Return the learning rate, with the digits that float32 holds; a tensor's is waited for."""
    rate = optimizer.param_groups[0]["lr"]
    return float(f"{rate.item():.7g}") if isinstance(rate, Tensor) else float(rate)


def keep_rate_on(optimizer: torch.optim.Optimizer, device: torch.device | None) -> None:
    """Keep the learning rate in a tensor on a device, which a graph reads; with None in Python."""
    for group in optimizer.param_groups:
        rate = float(group["lr"])
        group["lr"] = rate if device is None else torch.tensor(rate, device=device)
        if "capturable" in group:
            group["capturable"] = device is not None and device.type == "cuda"
    # A few steps are taken before the graph is recorded; torch need not warn of them.
    optimizer._warned_capturable_if_run_uncaptured = True


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a run is: steps done and seconds trained, over all its parts."""

    step: int = 0
    seconds: float = 0.0

    def fraction(self, budget: Budget) -> float:
        """Return the used share of the budget, 0 to 1; of two limits the one that is nearer its end."""
        shares = []
        if budget.steps is not None:
            shares.append(self.step / budget.steps)
        if budget.hours is not None:
            shares.append(self.seconds / (3600 * budget.hours))
        return min(1.0, max(shares))


def learning_rate(base: float, schedule: ScheduleSection, step: int, fraction: float) -> float:
    """Return the learning rate of a step.

    Args:
        base: The optimizer's rate.
        schedule: Its course.
        step: Steps done, for the warm-up.
        fraction: Used share of the budget, 0 to 1.
    """
    warm = min(1.0, (step + 1) / schedule.warmup) if schedule.warmup else 1.0
    if schedule.name == "cosine":
        rate = schedule.final + (base - schedule.final) * (1 + math.cos(math.pi * fraction)) / 2
    elif schedule.name == "exponential":
        rate = base * (schedule.final / base) ** fraction
    elif schedule.name == "steps":
        rate = base * schedule.factor ** sum(fraction >= milestone for milestone in schedule.milestones)
    else:
        rate = base
    return warm * rate


class MovingAverage:
    """The exponential moving average of a network's numbers; what is whole, as counters, is copied.

    Early on the decay is (1 + t) / (10 + t), so that the random start is soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        state = network.state_dict()
        self.values = {name: tensor.detach().clone() for name, tensor in state.items()}
        floating = [name for name, tensor in state.items() if tensor.is_floating_point()]
        self._moved = [self.values[name] for name in floating]
        self._toward = [state[name] for name in floating]
        self._copies = [(self.values[name], state[name]) for name in state.keys() - set(floating)]
        self._weight: float | Tensor = 1 - decay

    def turn(self, step: int) -> None:
        """Set the weight with which `update` takes in the network after step `step` (from 1)."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        if isinstance(self._weight, Tensor):
            self._weight.fill_(weight)
        else:
            self._weight = weight

    def keep_weight_on(self, device: torch.device | None) -> None:
        """Keep the weight in a tensor on a device, which a graph reads; with None in Python."""
        weight = float(self._weight)
        self._weight = weight if device is None else torch.tensor(weight, device=device)

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network's weights."""
        if isinstance(self._weight, Tensor):
            steps = torch._foreach_sub(self._toward, self._moved)
            torch._foreach_mul_(steps, self._weight)
            torch._foreach_add_(self._moved, steps)
        else:
            torch._foreach_lerp_(self._moved, self._toward, self._weight)
        for value, now in self._copies:
            value.copy_(now)
