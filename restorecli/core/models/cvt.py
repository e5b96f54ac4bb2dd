"""CvT as a restoration network: a U of transformer blocks with convolutional projections.

After Wu, Xiao, Codella, Liu, Dai, Yuan, Zhang, "CvT: Introducing Convolutions to Vision Transformers",
ICCV 2021, arXiv:2103.15808, which classifies; how it restores is this project's choice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.convolutional_attention import CvtBlock, Norm
from restorecli.core.models.blocks.normalization import LayerNorm2d

LEVELS = 3


class Cvt(nn.Module):
    """CvT between a full-resolution stem and a full-resolution head; its output is added to the input.

    The paper's first embedding has stride 4 and would destroy detail. Here a 3x3 stem stays at full
    resolution, three embeddings (3x3, stride 2, layer norm) lead to 1/2, 1/4 and 1/8, and 1x1 convolutions
    with pixel shuffle lead back, each joined with its skip by a 1x1 convolution. Without the class token and
    without encodings of positions, which the convolutions make superfluous. The last convolution starts at
    zero, and the network as the identity; the other weights start truncated normal, deviation 0.02.
    The defaults have 3,644,131 parameters.

    At 1/8 everything attends to everything, so every output pixel depends on every input pixel and tiles
    change the result. At 1/2 and 1/4 attention stays in windows: globally, its cost would grow with the
    fourth power of the sides.

    Args:
        channels: 3 for RGB or 1 for gray.
        stem: Channels at full resolution.
        widths: Channels at 1/2, 1/4 and 1/8.
        depths: Blocks there on the way down.
        decoder: Blocks at 1/4 and 1/2 on the way up.
        heads: Of the attention at 1/2, 1/4 and 1/8.
        key_strides: Of keys and values there; 2 makes them four times fewer than queries.
        window: Side of the attention's windows at 1/2 and 1/4, in pixels of those levels; None attends
            everywhere there too (then strides of 4, 4, 2 keep it affordable).
        norm: Inside the projections: "layer", "none" or the paper's "batch".
        drop_path: Probability of leaving out a branch of the last block at 1/8 in training; it rises
            linearly from 0 over the blocks there. The paper's is 0.1.

    Raises:
        ValueError: The numbers of blocks, heads or widths, the strides or the window do not fit.
    """

    scale = 1
    receptive_field: int | None = None

    def __init__(
        self,
        channels: int = 3,
        stem: int = 32,
        widths: Sequence[int] = (48, 96, 192),
        depths: Sequence[int] = (2, 2, 6),
        decoder: Sequence[int] = (2, 2),
        heads: Sequence[int] = (1, 2, 4),
        key_strides: Sequence[int] = (2, 2, 2),
        window: int | None = 8,
        norm: Norm = "layer",
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        limits.cvt(widths, depths, decoder, heads, key_strides, window, norm, drop_path)
        self.channels = channels
        self.multiple = 2**LEVELS if window is None else math.lcm(2**LEVELS, 4 * window)
        windows = (window, window, None)

        def stack(level: int, depth: int, last: float = 0.0) -> nn.Sequential:
            return nn.Sequential(
                *(
                    CvtBlock(
                        widths[level],
                        heads[level],
                        key_stride=key_strides[level],
                        window=windows[level],
                        norm=norm,
                        drop_path=last * block / max(1, depth - 1),
                    )
                    for block in range(depth)
                )
            )

        self.stem = _convolution(channels, stem)
        self.embed = nn.ModuleList(_embedding(*pair) for pair in itertools.pairwise((stem, *widths)))
        self.encoder = nn.ModuleList(
            stack(level, depths[level], drop_path if level == LEVELS - 1 else 0.0) for level in range(LEVELS)
        )
        wide = (*widths[::-1], stem)
        self.up = nn.ModuleList(_up(*pair) for pair in itertools.pairwise(wide))
        self.join = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in wide[1:])
        self.decoder = nn.ModuleList(
            stack(level, depth) for level, depth in zip((1, 0), decoder, strict=True)
        )
        self.decoder.append(nn.Sequential(_convolution(stem, stem), nn.GELU()))
        self.last = _convolution(stem, channels)
        self.apply(_start)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of `multiple`, to restored of its shape."""
        y = self.stem(x)
        skips: list[Tensor] = []
        for embed, encode in zip(self.embed, self.encoder, strict=True):
            skips.append(y)
            y = encode(embed(y))
        for up, join, decode in zip(self.up, self.join, self.decoder, strict=True):
            y = decode(join(torch.cat([up(y), skips.pop()], dim=1)))
        restored: Tensor = x + self.last(y)
        return restored


def _convolution(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, 1, padding_mode="replicate")


def _embedding(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(_convolution(before, after, 2), LayerNorm2d(after, eps=1e-5))


def _up(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, 4 * after, 1), nn.PixelShuffle(2))


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
