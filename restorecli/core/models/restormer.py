"""Restormer: a U-shaped transformer whose attention is between channels.

Zamir, Arora, Khan, Hayat, Khan, Yang, "Restormer: Efficient Transformer for High-Resolution Image
Restoration", CVPR 2022, arXiv:2111.09881.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.transposed_attention import TransformerBlock

LEVELS = 4


class Restormer(nn.Module):
    """Restormer; its output is a residual added to the input.

    3x3 convolutions with pixel unshuffle and shuffle change the resolution. Skips are concatenated, then
    reduced by a 1x1 convolution; but the first level's decoder and the refinement keep twice the width. No
    convolution has a bias. The defaults have 26,126,644 parameters (26,111,668 with the bias-free norm).

    Its attention normalizes and compares channels over the whole image, so every output pixel depends on
    every input pixel and tiles change the result; nothing bounds the field.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first level, an even number; each of the three levels below has twice as many.
        blocks: Blocks on each of the four levels, the same on the way up as on the way down.
        refinement: Blocks at full resolution after the decoder.
        heads: Of the attention, on each level.
        factor: Inner width of the feed-forward networks in relation to the outer one.
        norm: "with-bias" is ordinary layer normalization; "bias-free" neither subtracts the mean nor adds a
            bias, as in the published denoisers.

    Raises:
        ValueError: The width, the numbers of blocks or heads, the factor or the norm are not possible.
    """

    scale = 1
    multiple = 2 ** (LEVELS - 1)
    receptive_field: int | None = None

    def __init__(
        self,
        channels: int = 3,
        width: int = 48,
        blocks: Sequence[int] = (4, 6, 6, 8),
        refinement: int = 4,
        heads: Sequence[int] = (1, 2, 4, 8),
        factor: float = 2.66,
        norm: Literal["with-bias", "bias-free"] = "with-bias",
    ) -> None:
        super().__init__()
        limits.restormer(width, blocks, refinement, heads, factor, norm)
        self.channels = channels
        widths = [width * 2**level for level in range(LEVELS)]

        def stack(depth: int, wide: int, count: int) -> nn.Sequential:
            free = norm == "bias-free"
            return nn.Sequential(
                *(TransformerBlock(wide, count, factor=factor, bias_free=free) for _ in range(depth))
            )

        self.first = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.encoder = nn.ModuleList(
            stack(*level) for level in zip(blocks[:-1], widths[:-1], heads[:-1], strict=True)
        )
        self.down = nn.ModuleList(_down(w) for w in widths[:-1])
        self.latent = stack(blocks[-1], widths[-1], heads[-1])
        self.up = nn.ModuleList(_up(w) for w in widths[:0:-1])
        self.reduce = nn.ModuleList(nn.Conv2d(2 * w, w, 1, bias=False) for w in widths[2:0:-1])
        self.reduce.append(nn.Identity())
        self.decoder = nn.ModuleList(
            stack(*level)
            for level in zip(blocks[2::-1], (widths[2], widths[1], widths[1]), heads[2::-1], strict=True)
        )
        self.refinement = stack(refinement, widths[1], heads[0])
        self.last = nn.Conv2d(widths[1], channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], H and W multiples of 8, to restored of the same shape."""
        y = self.first(x)
        skips: list[Tensor] = []
        for encode, down in zip(self.encoder, self.down, strict=True):
            y = encode(y)
            skips.append(y)
            y = down(y)
        y = self.latent(y)
        for up, reduce, decode in zip(self.up, self.reduce, self.decoder, strict=True):
            y = decode(reduce(torch.cat([up(y), skips.pop()], dim=1)))
        restored: Tensor = x + self.last(self.refinement(y))
        return restored


def _down(width: int) -> nn.Sequential:
    """Halve the sides and double the channels."""
    return nn.Sequential(nn.Conv2d(width, width // 2, 3, padding=1, bias=False), nn.PixelUnshuffle(2))


def _up(width: int) -> nn.Sequential:
    """Double the sides and halve the channels."""
    return nn.Sequential(nn.Conv2d(width, 2 * width, 3, padding=1, bias=False), nn.PixelShuffle(2))
