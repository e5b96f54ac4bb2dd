"""Coarse-to-fine training: a network's outputs at several scales are each compared with the reference there.

As in LCDNet (Gao, Dang, arXiv:2504.10558) and MIMO-UNet (Cho et al., ICCV 2021), whose losses are L1 and 0.1
times the frequency loss, both averaged over the scales: `loss: {l1: 1, frequency: 0.1}`.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.losses.weighted import WeightedSum
from restorecli.errors import UsageError
from restorecli.training.batches import Batch
from restorecli.training.strategies.base import Losses, compare


class CoarseToFine:
    """Batch to losses: the mean over the scales of the recipe's weighted sum.

    References are made smaller bilinearly and, as published, without antialiasing. Each part is logged as its
    mean over the scales, and by scale: `l1_4` is L1 at a quarter of the sides.

    Args:
        loss: The losses and their weights, the same at every scale.
    """

    needs: frozenset[str] = frozenset()
    steady_from = 0

    def __init__(self, loss: WeightedSum) -> None:
        self._loss = loss
        self.discriminators: dict[str, nn.Module] = {}

    def losses(self, network: nn.Module, batch: Batch, step: int) -> Losses:  # noqa: ARG002
        """Return the mean over the scales, and its parts by scale.

        Raises:
            UsageError: The network has no outputs at several scales, or they are too small for a loss.
        """
        if not hasattr(network, "outputs"):
            raise UsageError(
                "This network has one output; coarse-to-fine training compares several.",
                expected="a network with outputs at several scales, such as lcdnet",
                got=type(network).__name__,
                hint="strategy: supervised",
            )
        outputs: list[Tensor] = network.outputs(batch.degraded)  # type: ignore[operator]
        self._check_size(outputs[-1])
        parts: dict[str, list[Tensor]] = {name: [] for name in self._loss.names}
        logged: dict[str, Tensor] = {}
        for output in outputs:
            scale = outputs[0].shape[-1] // output.shape[-1]
            compared = compare(self._loss, output, _smaller(batch.reference, output))
            for name, part in compared.parts.items():
                parts[name].append(part)
                logged[f"{name}_{scale}"] = part
        means = {name: sum(each[1:], start=each[0]) / len(each) for name, each in parts.items()}
        return Losses(self._loss.total(means), {**means, **logged}, outputs[0])

    def _check_size(self, coarsest: Tensor) -> None:
        least = max((getattr(loss, "window", 0) for loss in self._loss.losses), default=0)
        if min(coarsest.shape[-2:]) < least:
            raise UsageError(
                "The coarsest output is smaller than a loss's window.",
                expected=f"sides of at least {least} pixels",
                got=" x ".join(str(side) for side in coarsest.shape[-2:]),
                hint="a larger data.crop, or a loss without a window",
            )


def _smaller(reference: Tensor, output: Tensor) -> Tensor:
    if reference.shape == output.shape:
        return reference
    return F.interpolate(reference, size=output.shape[-2:], mode="bilinear", align_corners=False)
