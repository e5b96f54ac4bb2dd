"""Adversarial training: a discriminator learns to tell restored from true images, the network to fool it.

Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014; pix2pix: Isola et al., CVPR 2017; ESRGAN: Wang
et al., ECCV Workshops 2018.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from restorecli.core.discriminators import PatchDiscriminator, VggDiscriminator
from restorecli.core.losses.adversarial import discriminator_loss, generator_loss
from restorecli.core.losses.limits import Kind
from restorecli.core.losses.weighted import WeightedSum
from restorecli.training.batches import Batch
from restorecli.training.strategies import limits
from restorecli.training.strategies.base import Losses, compare, forward_with_sigma
from restorecli.training.strategies.discriminators import frozen


class Adversarial:
    """Batch to losses: the recipe's losses + weight * how badly the discriminator is fooled.

    The recipe's `rivals:` is the optimizer of the discriminator. Both learn from
    every batch, at once.

    Args:
        loss: The losses against the reference and their weights.
        channels: Of the images.
        crop: Side of the reference crops in pixels.
        discriminator: patch (PatchGAN) or vgg (ESRGAN's; for crops whose side is a multiple of 32).
        kind: vanilla, lsgan, hinge, or ESRGAN's relativistic.
        weight: Of the adversarial part.
        conditional: Whether a patch discriminator sees the degraded crop too, as pix2pix's does.
        start: First step with a discriminator; before it the recipe's losses alone train the network.
        width: Channels of the discriminator's first layer; 64 in the papers.
        layers: Strided convolutions of a patch discriminator: 3 judge patches of 70 pixels, 2 of 34, 1 of 16.

    Raises:
        ValueError: Values that do not go together.
    """

    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        loss: WeightedSum,
        channels: int,
        crop: int,
        discriminator: Literal["patch", "vgg"] = "patch",
        kind: Kind = "vanilla",
        weight: float = 0.01,
        conditional: bool = False,
        start: int = 0,
        width: int = 64,
        layers: int = 3,
    ) -> None:
        limits.adversarial(crop, discriminator, kind, weight, start, width, layers, conditional=conditional)
        self._loss, self._kind, self._weight, self._start = loss, kind, weight, start
        self.steady_from = start
        self._conditional = conditional
        self.discriminators: dict[str, nn.Module] = {
            "discriminator": VggDiscriminator(channels, width, crop)
            if discriminator == "vgg"
            else PatchDiscriminator(channels, width, layers, conditional=conditional)
        }

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:
        """Return the recipe's parts and `gan`; the discriminator's loss is logged as `discriminator`."""
        whole = compare(self._loss, forward_with_sigma(network, batch), batch.reference)
        if step < self._start:
            return whole
        restored = whole.output.float()
        relative = self._kind == "relativistic"
        with frozen(self.discriminators["discriminator"]):
            true = self._judge(batch.reference, batch).detach() if relative else None
            gan = generator_loss(self._judge(restored, batch), true, kind=self._kind)
        critic = discriminator_loss(
            self._judge(batch.reference, batch), self._judge(restored.detach(), batch), kind=self._kind
        )
        parts = {**whole.parts, "gan": gan, "discriminator": critic}
        return Losses(whole.total + self._weight * gan, parts, whole.output, {"discriminator": critic})

    def _judge(self, images: Tensor, batch: Batch) -> Tensor:
        seen = (images, batch.degraded) if self._conditional else (images,)
        logits: Tensor = self.discriminators["discriminator"](*seen)
        return logits
