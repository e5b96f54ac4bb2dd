"""Muon: momentum whose matrices are made orthogonal before they are taken as steps.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; the size of a step as in Liu
et al., "Muon is Scalable for LLM Training", 2025. torch has it from 2.9 on, for matrices only: here
convolutions count as matrices (outputs by the rest), and what is none is stepped by AdamW, in one optimizer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

MIN_MATRIX_SIDE = 16
"""Matrices with a shorter side are left to Adam: first and last layers, depthwise kernels."""

_ROUNDS = 5
_QUINTIC = (3.4445, -4.7750, 2.0315)
_TINY = 1e-7
_ADAM_EPS = 1e-8


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return nearly U V^T of every matrix U S V^T: its singular values become about 1 (0.7 to 1.2).

    Five rounds of the quintic Newton-Schulz iteration X <- a X + b (X X^T) X + c (X X^T)^2 X, in bfloat16.

    Args:
        matrices: (..., rows, columns), any scale.

    Returns:
        float32, the same shape.
    """
    a, b, c = _QUINTIC
    tall = matrices.shape[-2] > matrices.shape[-1]
    wide = matrices.bfloat16().reshape(-1, *matrices.shape[-2:])
    wide = wide.mT if tall else wide
    x = wide / wide.norm(dim=(-2, -1), keepdim=True).clamp_min(_TINY)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    steps: Tensor = (x.mT if tall else x).float()
    return steps.reshape(matrices.shape)


def is_matrix(parameter: Tensor) -> bool:
    """Tell whether a parameter, as outputs by the rest, is wide enough to be made orthogonal."""
    return parameter.ndim > 1 and min(parameter.shape[0], parameter[0].numel()) >= MIN_MATRIX_SIDE


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
        settings = {"lr": lr, "momentum": momentum, "betas": betas, "weight_decay": 0.0}
        # Of steps that are fused torch restores the counts to the device, too.
        super().__init__(groups, {**settings, "fused": True})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take one step along the gradients; none where the attribute `found_inf`, a tensor, is 1."""
        del closure
        found_inf: Tensor | None = getattr(self, "found_inf", None)
        for group in self.param_groups:
            alive = [parameter for parameter in group["params"] if parameter.grad is not None]
            shapes: dict[tuple[int, int], list[Tensor]] = {}
            for parameter in filter(is_matrix, alive):
                shapes.setdefault((parameter.shape[0], parameter[0].numel()), []).append(parameter)
            for shape, parameters in shapes.items():
                self._orthogonal_step(parameters, shape, group, found_inf)
            self._adam_step([p for p in alive if not is_matrix(p)], group, found_inf)

    def _orthogonal_step(
        self,
        parameters: list[Tensor],
        shape: tuple[int, int],
        group: dict[str, Any],
        found_inf: Tensor | None,
    ) -> None:
        """Step all matrices of one shape together."""
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        momenta = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if found_inf is not None:  # toward itself a momentum does not move
            finite = found_inf == 0
            gradients = [torch.where(finite, g, m) for g, m in zip(gradients, momenta, strict=True)]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])
        steps = orthogonalised(torch.stack([each.flatten(1) for each in ahead]))
        kept: float | Tensor = 1.0 if found_inf is None else 1 - found_inf
        torch._foreach_mul_(parameters, 1 - kept * (group["lr"] * group["weight_decay"]))
        steps *= kept * (-group["lr"] * 0.2 * math.sqrt(max(shape)))
        views = [step.view(parameter.shape) for step, parameter in zip(steps, parameters, strict=True)]
        torch._foreach_add_(parameters, views)

    def _adam_step(self, parameters: list[Tensor], group: dict[str, Any], found_inf: Tensor | None) -> None:
        """Step what is no matrix as AdamW does, fused."""
        if not parameters:
            return
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["step"] = torch.zeros((), device=parameter.device)
                self.state[parameter]["exp_avg"] = torch.zeros_like(parameter)
                self.state[parameter]["exp_avg_sq"] = torch.zeros_like(parameter)
        states = [self.state[parameter] for parameter in parameters]
        first, second = group["betas"]
        adamw(
            parameters,
            [parameter.grad for parameter in parameters],  # type: ignore[misc]
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            found_inf=found_inf,
            amsgrad=False,
            beta1=first,
            beta2=second,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=_ADAM_EPS,
            maximize=False,
        )
