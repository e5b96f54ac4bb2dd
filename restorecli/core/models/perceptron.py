"""The single-layer perceptron: one affine map from a degraded patch to the middle of the restored one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.patches import PatchGrid


class Perceptron(nn.Module):
    """One affine layer, all channels together: a learned linear filter.

    Patches of 17x17 give their middle 9x9, which are joined under a Hann window. The report gives no sizes;
    these are chosen, and so is the start at the identity. With RGB: 210,924 parameters.

    Args:
        channels: 3 for RGB or 1 for gray.
        patch: Side of the patches that are seen.
        out: Side of their restored middles; `patch` less an even number.
        stride: Step between patches; at most `out`.

    Raises:
        ValueError: The sides of the patches do not fit.
    """

    scale = 1

    def __init__(self, channels: int = 3, patch: int = 17, out: int = 9, stride: int = 4) -> None:
        super().__init__()
        limits.perceptron(patch, out, stride)
        self.channels = channels
        self.multiple = stride
        self.grid = PatchGrid(patch, stride, out)
        self.receptive_field: int | None = 2 * self.grid.reach + 1
        self.affine = nn.Linear(channels * patch**2, channels * out**2)
        places = torch.arange(channels * patch**2, dtype=torch.float32).view(channels, patch, patch)
        with torch.no_grad():  # each output starts as the one input at its own place
            target = self.grid.middles(places[None, None]).reshape(-1, 1)
            self.affine.weight.copy_((target == places.reshape(1, -1)).float())
            self.affine.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of the stride, to restored of its shape."""
        patches = self.grid.unfold(x)
        shape = (*patches.shape[:2], self.channels, self.grid.out, self.grid.out)
        middles = self.affine(patches.flatten(2)).reshape(shape)
        return self.grid.fold(middles, *x.shape[-2:])
