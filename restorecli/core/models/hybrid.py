"""The report's own combination: CBAM, MLP blocks, input and pre-normalisation, separable convolutions.

The report names the parts (its "requirements") and no layers; how they are put together is chosen here.
"""

from __future__ import annotations

from torch import Tensor, nn

from restorecli.core.models.blocks.attention import SpatialChannelAttention
from restorecli.core.models.blocks.convolution import DepthwiseSeparable
from restorecli.core.models.blocks.gates import Cbam
from restorecli.core.models.blocks.wrapping import InputNorm, PreNorm, mlp_block


class Hybrid(nn.Module):
    """Blocks of separable convolutions with CBAM, each followed by an MLP block, on standardised pictures.

    y = x + std * (last(attend(body(first(z))) + first(z))), z being the standardised input. A block is
    x + CBAM(separable(GELU(separable(LN(x))))) and then x + MLP(LN(x)). CBAM and the standardisation look at
    the whole picture, so tiles change the result a little.

    Args:
        channels: 3 for RGB or 1 for gray.
        blocks: How many.
        width: Channels inside; at least 16.
    """

    scale = 1
    multiple = 1
    receptive_field: int | None = None

    def __init__(self, channels: int = 3, blocks: int = 8, width: int = 64) -> None:
        super().__init__()
        self.channels = channels
        self.normalised = InputNorm(_Residual(channels, blocks, width))

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1] to restored of the same shape."""
        restored: Tensor = self.normalised(x)
        return restored


class _Residual(nn.Module):
    """What `Hybrid` does to standardised pictures."""

    def __init__(self, channels: int, blocks: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.body = nn.Sequential(*(layer for _ in range(blocks) for layer in _block(width)))
        self.attend = SpatialChannelAttention(width)
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        y = self.first(z)
        restored: Tensor = z + self.last(y + self.attend(self.body(y)))
        return restored


def _block(width: int) -> tuple[nn.Module, nn.Module]:
    mixing = nn.Sequential(
        DepthwiseSeparable(width, width), nn.GELU(), DepthwiseSeparable(width, width), Cbam(width)
    )
    return PreNorm(width, mixing), mlp_block(width)
