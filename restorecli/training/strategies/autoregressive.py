"""Autoregressive likelihood: every color of every pixel is predicted from those before it and the degraded.

Van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", NeurIPS 2016; the part of A(x)
alone after Dahl, Norouzi, Shlens, "Pixel Recursive Super Resolution", ICCV 2017.
"""

from __future__ import annotations

from torch import nn

from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.blocks.levels import bits, to_levels
from restorecli.core.models.pixelcnn import PixelCnn
from restorecli.errors import UsageError
from restorecli.training.batches import Batch
from restorecli.training.strategies import limits
from restorecli.training.strategies.base import Losses, compare


class Autoregressive:
    """Batch to losses: bits per dimension of the reference, and the recipe's losses on a mean.

    total = bits of p(y_i | y_<i, x) + auxiliary * bits of p(y_i | x) + the recipe's losses between the mean
    of p(y_i | x) and the reference. The auxiliary part makes the network use x early on, and is what its
    restoration is made of; the recipe's losses, with small weights, pull on the same mean. The output, for
    the log, is the mean of p(y_i | y_<i, x) with the reference before each pixel: its PSNR is far better than
    that of a restoration, which has no reference to look at.

    Args:
        loss: The losses on the mean and their weights.
        auxiliary: Weight of the bits of p(y_i | x).
    """

    needs: frozenset[str] = frozenset()
    steady_from = 0

    def __init__(self, loss: WeightedSum, auxiliary: float = 1.0) -> None:
        limits.autoregressive(auxiliary)
        self._loss = loss
        self._auxiliary = auxiliary
        self.discriminators: dict[str, nn.Module] = {}

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:  # noqa: ARG002
        """Return the bits per dimension and the weighted sum; the reference is rounded to 8 bits.

        Raises:
            UsageError: The network gives no likelihoods.
        """
        if not isinstance(network, PixelCnn):
            raise UsageError(
                "The strategy autoregressive needs a network that gives likelihoods.",
                expected="model: pixelcnn",
                got=type(network).__name__,
            )
        y = to_levels(batch.reference).to(batch.reference.dtype) / 255
        prediction = network.predict(y, batch.degraded)
        joint = bits(network.log_probability(prediction.joint, y)).mean()
        alone = bits(network.log_probability(prediction.alone, y)).mean()
        means = compare(self._loss, network.mean(prediction.alone), batch.reference)
        total = joint + self._auxiliary * alone + means.total
        parts = {"bits": joint, "bits_alone": alone, **means.parts}
        return Losses(total, parts, network.mean(prediction.joint).detach())
