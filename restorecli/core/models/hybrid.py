"""The report's own combination of attention, MLP blocks, normalization and separable convolutions.

The report names the parts (its "requirements") and no layers; how they are put together is chosen here.
"""

from __future__ import annotations

from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.attention import SpatialChannelAttention
from restorecli.core.models.blocks.convolution import DepthwiseSeparable
from restorecli.core.models.blocks.convolutional_attention import CvtBlock
from restorecli.core.models.blocks.gates import Cbam
from restorecli.core.models.blocks.wrapping import InputNorm, PreNorm


class Hybrid(nn.Module):
    """Blocks of separable convolutions with CBAM, each followed by multi-head attention and an MLP block.

    y = x + std * (last(attend(body(first(z))) + first(z))), z being the standardized input. A block is
    x + CBAM(separable(GELU(separable(LN(x))))), then x + MHSA(LN(x)) in windows (convolutional projections
    tell places apart), then x + MLP(LN(x)). CBAM and the standardization look at the whole image, so tiles
    change the result a little.

    Args:
        channels: 3 for RGB or 1 for gray.
        blocks: How many.
        width: Channels inside; at least 16.
        heads: Of the multi-head attention; must divide `width`.
        window: Side of its windows in pixels, an even number.

    Raises:
        ValueError: The width is below 16, or the heads or the window do not fit.
    """

    scale = 1
    receptive_field: int | None = None

    def __init__(
        self, channels: int = 3, blocks: int = 8, width: int = 64, heads: int = 4, window: int = 8
    ) -> None:
        super().__init__()
        limits.hybrid(width, heads, window)
        self.channels = channels
        self.multiple = window
        body = nn.Sequential(*(layer for _ in range(blocks) for layer in _block(width, heads, window)))
        self.normalised = InputNorm(_Residual(channels, width, body))

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of `multiple`, to restored of its shape."""
        restored: Tensor = self.normalised(x)
        return restored


class _Residual(nn.Module):
    """What `Hybrid` does to standardized images."""

    def __init__(self, channels: int, width: int, body: nn.Module) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.body = body
        self.attend = SpatialChannelAttention(width)
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        y = self.first(z)
        restored: Tensor = z + self.last(y + self.attend(self.body(y)))
        return restored


def _block(width: int, heads: int, window: int) -> tuple[nn.Module, nn.Module]:
    mixing = nn.Sequential(
        DepthwiseSeparable(width, width), nn.GELU(), DepthwiseSeparable(width, width), Cbam(width)
    )
    return PreNorm(width, mixing), CvtBlock(width, heads, window=window)
