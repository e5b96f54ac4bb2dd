"""The supervised strategy: the network's output is compared with the reference."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from restorecli.core.losses.catalog import WeightedSum
from restorecli.train.data import Batch


class Supervised:
    """Batch to losses: a weighted sum between the restored and the reference crops.

    Args:
        loss: The losses and their weights.
    """

    def __init__(self, loss: WeightedSum) -> None:
        self._loss = loss

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor], Tensor]:
        """Return the total loss, its parts before weighting, and the restored batch (for the log)."""
        restored = network(batch.degraded)
        # The filters of SSIM and edge losses would else run in bfloat16, whose rounding drowns variances.
        with torch.autocast(restored.device.type, enabled=False):
            parts = self._loss.parts(restored.float(), batch.reference)
            return self._loss.total(parts), parts, restored.detach()
