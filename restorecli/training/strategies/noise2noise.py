"""Noise2Noise: the target is a second, independent corruption of the same image; no clean one is needed.

Lehtinen, Munkberg, Hasselgren, Laine, Karras, Aittala, Aila, "Noise2Noise: Learning Image Restoration without
Clean Data", ICML 2018. The loss must have its optimum where the corruption leaves it: mse for noise of mean
zero, l1 for outliers that leave the median.
"""

from __future__ import annotations

from torch import nn

from restorecli.core.losses.weighted import WeightedSum
from restorecli.errors import DataError
from restorecli.training.batches import Batch
from restorecli.training.strategies.base import Losses, compare


class Noise2Noise:
    """Batch to losses: the restored batch is compared with a second corruption of the same crops.

    Args:
        loss: The losses and their weights.
    """

    needs = frozenset({"second"})
    steady_from = 0

    def __init__(self, loss: WeightedSum) -> None:
        self._loss = loss
        self.discriminators: dict[str, nn.Module] = {}

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:  # noqa: ARG002
        """Return the weighted sum between the restored batch and the second corruption."""
        if batch.second is None:
            raise DataError("Noise2Noise needs a second corruption of every image.", got="none")
        restored = network(batch.degraded)
        return compare(self._loss, restored, batch.second)
