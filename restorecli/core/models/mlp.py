"""A multi-layer perceptron on patches.

Burger, Schuler, Harmeling, "Image denoising: Can plain neural networks compete with BM3D?", CVPR 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.patches import PatchGrid


class Mlp(nn.Module):
    """Patches through tanh layers to their restored middles, joined under a Hann window.

    Pixels enter as (x - 0.5) / 0.2, as in the paper; patches of 39x39 give 17x17 through layers of 3072,
    3072, 2559 and 2047. The paper is gray and predicts the pixels; here all channels go together, and what is
    predicted is added to the patch's middle (chosen: it is learned sooner). The window is chosen too.

    Args:
        channels: 3 for RGB or 1 for gray.
        patch: Side of the patches that are seen.
        out: Side of their restored middles; `patch` less an even number.
        hidden: Widths of the hidden layers.
        stride: Step between patches; at most `out`. The paper's is 3; 4 divides usual crops.

    Raises:
        ValueError: No hidden layer, more than 8, or a width that is not a whole number from 1 to 4096.
    """

    scale = 1

    def __init__(
        self,
        channels: int = 3,
        patch: int = 39,
        out: int = 17,
        hidden: Sequence[int] = (3072, 3072, 2559, 2047),
        stride: int = 4,
    ) -> None:
        super().__init__()
        limits.mlp(patch, out, hidden, stride)
        self.channels = channels
        self.multiple = stride
        self.grid = PatchGrid(patch, stride, out)
        self.receptive_field: int | None = 2 * self.grid.reach + 1
        layers: list[nn.Module] = []
        for before, after in pairwise([channels * patch**2, *hidden]):
            layers += [nn.Linear(before, after), nn.Tanh()]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden[-1], channels * out**2))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of the stride, to restored of its shape."""
        patches = (self.grid.unfold(x) - 0.5) / 0.2
        middles = self.grid.middles(patches)
        restored = middles + self.layers(patches.flatten(2)).reshape(middles.shape)
        return self.grid.fold(0.2 * restored + 0.5, *x.shape[-2:])
