"""Muon: momentum whose matrices are made orthogonal before they are taken as steps.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; the size of a step as in Liu
et al., "Muon is Scalable for LLM Training", 2025. torch has it from 2.9 on, for matrices only: here
convolutions count as matrices (outputs by the rest), and what is none is stepped by AdamW, in one optimiser.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

NARROWEST = 16
"""Matrices with a shorter side are left to Adam: first and last layers, depthwise kernels."""

_ROUNDS = 5
_QUINTIC = (3.4445, -4.7750, 2.0315)
_TINY = 1e-7
_ADAM_EPS = 1e-8


def orthogonalised(matrix: Tensor) -> Tensor:
    """Return nearly U V^T of a matrix U S V^T: its singular values become about 1 (0.7 to 1.2).

    Five rounds of the quintic Newton-Schulz iteration X <- a X + b (X X^T) X + c (X X^T)^2 X, in bfloat16.

    Args:
        matrix: (rows, columns), any scale.

    Returns:
        float32, the same shape.
    """
    a, b, c = _QUINTIC
    wide = matrix.bfloat16() if matrix.shape[0] <= matrix.shape[1] else matrix.bfloat16().T
    x = wide / wide.norm().clamp_min(_TINY)
    for _ in range(_ROUNDS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    steps: Tensor = (x if matrix.shape[0] <= matrix.shape[1] else x.T).float()
    return steps


def is_matrix(parameter: Tensor) -> bool:
    """Tell whether a parameter, as outputs by the rest, is wide enough to be made orthogonal."""
    return parameter.ndim > 1 and min(parameter.shape[0], parameter[0].numel()) >= NARROWEST


class Muon(torch.optim.Optimizer):
    """Nesterov momentum 0.95, made orthogonal, times 0.2 sqrt(longer side); AdamW for what is no matrix.

    With that factor a step has the size of Adam's, so that both share one learning rate.

    Args:
        groups: Parameters, or groups of them with their own `weight_decay` (decoupled).
        lr: Learning rate.
        momentum: Of the matrices.
        betas: Of AdamW.
    """

    def __init__(
        self,
        groups: Iterable[Any],
        lr: float,
        *,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take one step along the gradients."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                step = self._orthogonal_step if is_matrix(parameter) else self._adam_step
                step(parameter, group)

    def _orthogonal_step(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        momentum = state["momentum_buffer"].lerp_(parameter.grad, 1 - group["momentum"])
        ahead = parameter.grad.lerp(momentum, group["momentum"]).flatten(1)  # type: ignore[union-attr]
        length = group["lr"] * 0.2 * math.sqrt(max(ahead.shape))
        parameter.add_(orthogonalised(ahead).view(parameter.shape), alpha=-length)

    def _adam_step(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        first, second = group["betas"]
        state["step"] += 1
        count = float(state["step"])
        mean = state["exp_avg"].lerp_(parameter.grad, 1 - first)
        square = state["exp_avg_sq"].mul_(second).addcmul_(parameter.grad, parameter.grad, value=1 - second)
        spread = (square / (1 - second**count)).sqrt_().add_(_ADAM_EPS)
        parameter.addcdiv_(mean, spread, value=-group["lr"] / (1 - first**count))
