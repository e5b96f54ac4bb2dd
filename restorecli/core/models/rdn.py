"""RDN, the residual dense network, for super-resolution and for restoration at one size.

Zhang, Tian, Kong, Zhong, Fu, "Residual Dense Network for Image Super-Resolution", CVPR 2018, and "Residual
Dense Network for Image Restoration", IEEE TPAMI 2020.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from restorecli.core.models import limits
from restorecli.core.models.blocks.upsampling import Upsampler


class ResidualDenseBlock(nn.Module):
    """C convolutions that see all features before them, fused by a 1x1 and added to the input (eq. 5 to 7).

    Args:
        width: Channels of input and output.
        layers: 3x3 convolutions, each followed by ReLU.
        growth: Channels that each adds.
    """

    def __init__(self, width: int, layers: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(width + i * growth, growth, 3, padding=1) for i in range(layers)
        )
        self.fusion = nn.Conv2d(width + layers * growth, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        known = [x]
        for layer in self.layers:
            known.append(layer(torch.cat(known, dim=1)).relu())
        fused: Tensor = self.fusion(torch.cat(known, dim=1))
        return x + fused


class Rdn(nn.Module):
    """Two shallow convolutions, 16 residual dense blocks, global fusion with a skip, up-sampler, convolution.

    With scale 2: 22,123,395 parameters. With scale 1, as for denoising and JPEG artifacts, there is no
    up-sampler and the output is added to the input: 21,975,683.

    Args:
        channels: 3 for RGB or 1 for gray.
        scale: 1 restores at the same size; 2, 3 and 4 enlarge.
        blocks: Residual dense blocks (the paper's D).
        layers: Convolutions in each (C).
        growth: Channels that each convolution adds (G).
        width: Channels between blocks (G0).
        checkpointing: Compute each block again in the backward pass instead of keeping its features: a
            fraction of the memory for a third more time; results stay the same.

    Raises:
        ValueError: Another scale than 1, 2, 3 or 4.
    """

    multiple = 1

    def __init__(
        self,
        channels: int = 3,
        scale: int = 1,
        blocks: int = 16,
        layers: int = 8,
        growth: int = 64,
        width: int = 64,
        *,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        limits.rdn(scale)
        self.channels = channels
        self.scale = scale
        self.checkpointing = checkpointing
        self.shallow_1 = nn.Conv2d(channels, width, 3, padding=1)
        self.shallow_2 = nn.Conv2d(width, width, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualDenseBlock(width, layers, growth) for _ in range(blocks))
        self.fusion = nn.Sequential(
            nn.Conv2d(blocks * width, width, 1), nn.Conv2d(width, width, 3, padding=1)
        )
        self.up = Upsampler(width, scale)
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        self.receptive_field: int | None = 2 * (self.up.radius(1) + blocks * layers + 3) + 1

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1] to restored (N, C, scale H, scale W)."""
        shallow = self.shallow_1(x)
        y = self.shallow_2(shallow)
        features = []
        for block in self.blocks:
            again = self.checkpointing and self.training and torch.is_grad_enabled()
            y = checkpoint(block, y, use_reentrant=False) if again else block(y)
            features.append(y)
        fused = self.fusion(torch.cat(features, dim=1)) + shallow
        result: Tensor = self.last(self.up(fused))
        return x + result if self.scale == 1 else result
