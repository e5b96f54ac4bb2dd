"""The weighted sum of several losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class WeightedSum(nn.Module):
    """The sum of several losses, each times its weight; SCA-UNet's is charbonnier 1, edge 0.1, ssim 0.3.

    Args:
        terms: (name, weight, loss) triples; names must differ, since the parts are logged under them.
    """

    def __init__(self, terms: Sequence[tuple[str, float, nn.Module]]) -> None:
        super().__init__()
        self.names = tuple(name for name, _, _ in terms)
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"loss names must differ, got {', '.join(self.names)}")
        self.weights = tuple(weight for _, weight, _ in terms)
        self.losses = nn.ModuleList(loss for _, _, loss in terms)

    def parts(self, restored: Tensor, reference: Tensor) -> dict[str, Tensor]:
        """Return each loss before weighting, by name."""
        return {name: loss(restored, reference) for name, loss in zip(self.names, self.losses, strict=True)}

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of what `parts` gave."""
        terms = [weight * parts[name] for name, weight in zip(self.names, self.weights, strict=True)]
        return sum(terms[1:], start=terms[0])

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the weighted sum of the losses between two (N, C, H, W) batches."""
        return self.total(self.parts(restored, reference))
