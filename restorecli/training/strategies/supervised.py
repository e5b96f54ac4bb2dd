"""The supervised strategy: the network's output is compared with the reference."""

from __future__ import annotations

from torch import nn

from restorecli.core.losses.weighted import WeightedSum
from restorecli.training.batches import Batch
from restorecli.training.strategies.base import Losses, compare, forward_with_sigma


class Supervised:
    """Batch to losses: a weighted sum between the restored and the reference crops.

    A network that takes the strength of the noise beside the image (DRUNet) is told the true one.

    Args:
        loss: The losses and their weights.
    """

    needs: frozenset[str] = frozenset()
    steady_from = 0

    def __init__(self, loss: WeightedSum) -> None:
        self._loss = loss
        self.discriminators: dict[str, nn.Module] = {}

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:  # noqa: ARG002
        """Return the weighted sum between the restored and the reference batch."""
        return compare(self._loss, forward_with_sigma(network, batch), batch.reference)
