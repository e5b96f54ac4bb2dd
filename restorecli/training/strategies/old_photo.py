"""Training the network for old photographs: find the damage, and restore it and everything else."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.old_photo import OldPhoto
from restorecli.training.batches import Batch
from restorecli.training.strategies import limits
from restorecli.training.strategies.base import Losses, compare


class OldPhotoTraining:
    """Batch to losses: L1 that counts more inside the damage, the recipe's losses, and how well it was found.

    total = recipe's losses + mean(w |restored - reference|) / mean(w) with w = `inside` in the damage and 1
    elsewhere + `mask` * BCE(logits, damage) whose positives weigh (1 - p) / p for a share p of damage in the
    batch, but at most `positive`: the full ratio would mark all that may be damage, and so too much for the
    network's threshold of 0.4, under which masks overlap best with a weight of 1.
    The whole painted image is compared, also of a network that only inpaints.

    Args:
        loss: The recipe's losses and their weights.
        inside: Weight of a damaged pixel against a whole one, from 1.
        mask: Weight of the mask's cross-entropy.
        positive: Greatest weight of a damaged pixel in it, from 1.

    Raises:
        ValueError: A weight that is too small.
    """

    needs = frozenset({"mask"})
    steady_from = 0

    def __init__(
        self, loss: WeightedSum, inside: float = 6.0, mask: float = 0.5, positive: float = 1.0
    ) -> None:
        limits.old_photo(inside, mask, positive)
        self._loss, self._inside, self._mask, self._positive = loss, inside, mask, positive
        self.discriminators: dict[str, nn.Module] = {}

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:  # noqa: ARG002
        """Return the recipe's parts and the parts `damage` (weighted L1) and `mask` (cross-entropy)."""
        if not isinstance(network, OldPhoto) or batch.mask is None:
            raise TypeError("this strategy trains the network old-photo, on batches with masks")
        logits = network.mask_logits(batch.degraded)
        whole = compare(self._loss, network.paint(batch.degraded, logits.sigmoid()), batch.reference)
        damage = weighted_l1(whole.output.float(), batch.reference, batch.mask, self._inside)
        found = mask_loss(logits.float(), batch.mask, limit=self._positive)
        total = whole.total + damage + self._mask * found
        return Losses(total, {**whole.parts, "damage": damage, "mask": found}, whole.output)


def weighted_l1(restored: Tensor, reference: Tensor, mask: Tensor, inside: float) -> Tensor:
    """Return the mean absolute difference in which pixels under the mask count `inside` times.

    Args:
        restored: (N, C, H, W).
        reference: The same shape.
        mask: (N, 1, H, W) of 0 and 1.
        inside: Weight of a pixel under the mask.
    """
    weight = (1 + (inside - 1) * mask).expand_as(reference)
    return (weight * (restored - reference).abs()).sum() / weight.sum()


def mask_loss(logits: Tensor, mask: Tensor, *, limit: float) -> Tensor:
    """Return the binary cross-entropy in which both kinds of pixel weigh alike, whatever their share.

    Positives weigh (1 - p) / p for a share p of positives, from 1 to `limit`; all weights sum to 1.

    Args:
        logits: (N, 1, H, W).
        mask: The same shape, 0 and 1.
        limit: Greatest weight of a positive.
    """
    share = mask.mean()
    positive = ((1 - share) / share.clamp_min(1e-6)).clamp(1, limit)
    weight = torch.where(mask > 0.5, positive, torch.ones_like(mask))
    loss = F.binary_cross_entropy_with_logits(logits, mask, reduction="none")
    return (weight * loss).sum() / weight.sum()
