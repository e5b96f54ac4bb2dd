"""Training CVAE-GAN: an encoder, a generator, and two networks by whose features images are compared.

Bao et al., "CVAE-GAN", ICCV 2017. Their losses are sums over pixels and features; here those of single
images are means, so that weights do not depend on the size of the crops.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.losses.adversarial import discriminator_loss
from restorecli.core.losses.variational import kl_divergence, reparameterize
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.cvae_gan import CvaeGan
from restorecli.core.ops.constants import constant
from restorecli.core.recognizer import Recognizer
from restorecli.training.batches import Batch
from restorecli.training.strategies import limits
from restorecli.training.strategies.base import Losses, compare
from restorecli.training.strategies.discriminators import frozen

LEVELS = (10.0, 20.0, 30.0, 40.0)
"""Between the five levels of degradation: root mean square of degraded - reference, on the 0-255 scale."""


class Variational:
    """Batch to losses, with x the reference, y degraded, x' = G(y, E([x, y])) and x" = G(y, N(0, 1)).

    total = recipe's losses between x' and x + `pair` * half the mean squared distances of D's and C's
    features of x' and x + `kl` * warm-up * KL + `matching` * half the squared distances of mean features:
    D's of x" to those of all x (moving averages), and C's, level by level.
    Discriminator and classifier learn by cross-entropy: D, `discriminator`, tells x from x' and x"; C,
    `classifier`, tells in which of five levels of degradation (`LEVELS`) a degraded crop is.

    Args:
        loss: The recipe's losses and their weights.
        channels: Of the images.
        pair: Weight of the features of x' against those of x.
        kl: Weight of the divergence of the code.
        warmup: Steps over which that weight rises from 0.
        free: Nats of each dimension of the code that cost nothing.
        matching: Weight of the mean features.
        width: Channels of the first layers of discriminator and classifier.

    Raises:
        ValueError: A negative value, or a width that is not possible.
    """

    needs: frozenset[str] = frozenset()

    def __init__(
        self,
        loss: WeightedSum,
        channels: int,
        pair: float = 1.0,
        kl: float = 1e-2,
        warmup: int = 1000,
        free: float = 0.1,
        matching: float = 1e-3,
        width: int = 32,
    ) -> None:
        limits.variational(pair, kl, warmup, free, matching, width)
        self._loss, self._pair, self._kl, self._matching = loss, pair, kl, matching
        self._warmup, self._free = warmup, free
        self.steady_from = warmup
        self._discriminator = Recognizer(channels, 1, width)
        self._classifier = Recognizer(channels, len(LEVELS) + 1, width, classes=len(LEVELS) + 1)
        self.discriminators: dict[str, nn.Module] = {
            "discriminator": self._discriminator,
            "classifier": self._classifier,
        }

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:
        """Return the recipe's parts and `pair`, `kl`, `matching`; discriminators are logged by their names.

        The output is x', which was told the reference by the code: the PSNR in the log is not that of use.
        """
        if not isinstance(network, CvaeGan):
            raise TypeError("this strategy trains the network cvae-gan")
        mean, logvar = network.encode(batch.reference, batch.degraded)
        code = reparameterize(mean, logvar, torch.randn_like(mean))
        free = network.decode(batch.degraded, torch.randn_like(mean))
        whole = compare(self._loss, network.decode(batch.degraded, code), batch.reference)
        levels = levels_of(batch)
        with frozen(*self.discriminators.values()):
            pair, matching = self._features(whole.output, free, batch.reference, levels)
        kl = kl_divergence(mean, logvar, free=self._free)
        rising = min(1.0, (step + 1) / self._warmup) if self._warmup else 1.0
        total = whole.total + self._pair * pair + self._kl * rising * kl + self._matching * matching
        discriminators = self._judged(whole.output.detach(), free.detach(), batch, levels)
        parts = {**whole.parts, "pair": pair, "kl": kl, "matching": matching, **discriminators}
        return Losses(total, parts, whole.output, discriminators)

    def _features(
        self, restored: Tensor, free: Tensor, reference: Tensor, levels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return how far features of x' are from those of x, and mean features of x" from the remembered."""
        pair, matching = reference.new_zeros(()), reference.new_zeros(())
        for discriminator, labels in (
            (self._discriminator, torch.zeros_like(levels)),
            (self._classifier, levels),
        ):
            with torch.no_grad():
                true = discriminator.features(reference)
            discriminator.remember(true.mean((2, 3)), labels)
            pair = pair + 0.5 * (discriminator.features(restored) - true).float().square().mean()
            matching = matching + discriminator.distance(discriminator.features(free).mean((2, 3)), labels)
        return pair, matching

    def _judged(self, restored: Tensor, free: Tensor, batch: Batch, levels: Tensor) -> dict[str, Tensor]:
        made = self._discriminator(torch.cat([restored, free]))
        return {
            "discriminator": discriminator_loss(self._discriminator(batch.reference), made),
            "classifier": F.cross_entropy(self._classifier(batch.degraded).float(), levels),
        }


def levels_of(batch: Batch) -> Tensor:
    """Return the level of degradation, 0 to 4, of every crop of a batch: (N,), by `LEVELS`."""
    strength = 255 * (batch.degraded - batch.reference).square().mean((1, 2, 3)).sqrt()
    return torch.bucketize(strength, constant(LEVELS, strength))
