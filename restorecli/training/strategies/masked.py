"""Losses that weigh the pixels of defects more, so that a network does not learn to wash them out."""

from __future__ import annotations

import torch
from torch import nn

from restorecli.core.losses.weighted import WeightedSum
from restorecli.training.batches import Batch
from restorecli.training.strategies import limits
from restorecli.training.strategies.base import Losses, compare, forward_with_sigma


class Masked:
    """Batch to losses: the supervised ones, and beside them the mean absolute error inside the defects alone.

    The second part is divided by the defects' area and not the image's, else a defect of a hundred pixels
    would hardly be heard; a batch without a defect has none of it.

    Args:
        loss: The losses over the whole crops and their weights.
        inside: Weight of the mean absolute error inside the masks.
    """

    needs = frozenset({"mask"})
    steady_from = 0

    def __init__(self, loss: WeightedSum, inside: float = 1.0) -> None:
        limits.masked(inside)
        self._loss = loss
        self._inside = inside
        self.discriminators: dict[str, nn.Module] = {}

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:  # noqa: ARG002
        """Return the weighted sum, and the part `inside`."""
        whole = compare(self._loss, forward_with_sigma(network, batch), batch.reference)
        if batch.mask is None:
            return whole
        error = (whole.output.float() - batch.reference).abs() * batch.mask
        area = batch.mask.sum() * batch.reference.shape[1]
        inside = torch.sum(error) / area.clamp_min(1)  # 0 where nothing is marked
        return Losses(
            whole.total + self._inside * inside, {**whole.parts, "inside": inside}, whole.output, {}
        )
