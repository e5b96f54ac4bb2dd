"""What a way of training is: it says how a batch becomes losses, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from restorecli.core.losses.weighted import WeightedSum
from restorecli.training.batches import Batch


@dataclass(frozen=True, slots=True)
class Losses:
    """What a strategy makes of a batch.

    Attributes:
        total: What the network's optimizer makes smaller.
        parts: Its parts before weighting, for the log.
        output: The restored batch (N, C, H, W), for the log; its graph may still be attached.
        discriminators: Loss of each discriminator by name; its graph must not reach the network.
    """

    total: Tensor
    parts: Mapping[str, Tensor]
    output: Tensor
    discriminators: Mapping[str, Tensor] = field(default_factory=dict)

    def detached(self) -> Losses:
        """Return the values without their graphs, and without what was only there to be trained on."""
        parts = {name: part.detach() for name, part in self.parts.items()}
        return Losses(self.total.detach(), parts, self.output.detach())


class Strategy(Protocol):
    """How a batch becomes losses.

    Attributes:
        needs: What it needs of a batch beside degraded and reference: "second" or "mask".
        discriminators: Networks that are trained beside the main one, by optimizers of their own.
        steady_from: The first step (from 0) from which on losses do not depend on the step's number.
    """

    @property
    def needs(self) -> frozenset[str]:
        """What it needs of a batch beside degraded and reference."""

    @property
    def discriminators(self) -> Mapping[str, nn.Module]:
        """Networks with an optimizer of their own, by name."""

    @property
    def steady_from(self) -> int:
        """The first step from which on losses do not depend on the step's number."""

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:
        """Return the losses of a batch at a step (from 0)."""


def compare(loss: WeightedSum, restored: Tensor, target: Tensor) -> Losses:
    """Return a weighted sum of losses between two (N, C, H, W) batches, in float32.

    The filters of SSIM and edge losses would else run in bfloat16, whose rounding drowns variances.
    """
    with torch.autocast(restored.device.type, enabled=False):
        parts = loss.parts(restored.float(), target)
        return Losses(loss.total(parts), parts, restored)


def forward_with_sigma(network: nn.Module, batch: Batch) -> Tensor:
    """Restore a batch; a network with `takes_sigma` is told how strong the noise of each crop is.

    The strength is the root mean square of degraded - reference per crop, on the 0-255 scale.
    """
    if not getattr(network, "takes_sigma", False):
        restored: Tensor = network(batch.degraded)
        return restored
    sigma = 255 * (batch.degraded - batch.reference).square().mean(dim=(1, 2, 3)).sqrt()
    told: Tensor = network(batch.degraded, sigma)
    return told
