"""ESRGAN's generator RRDBNet: residual-in-residual dense blocks.

Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", ECCV Workshops 2018. Scales
1 and 2 are Real-ESRGAN's (Wang et al., ICCV Workshops 2021). Its discriminator is `VggDiscriminator`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models import limits


class RrdbNet(nn.Module):
    """Convolution, 23 RRDBs and a convolution with a skip over both, two nearest-neighbor steps, two more.

    With scale 4: 16,697,987 parameters. For scales 2 and 1 the input is first folded to a half or a quarter
    of its sides (pixel unshuffle), so that the body works at a quarter of the output's. Scale 3, which the
    authors have not, enlarges in one step.

    Args:
        channels: 3 for RGB or 1 for gray.
        scale: 4, 3, 2 or 1.
        blocks: RRDBs.
        width: Channels between blocks.
        growth: Channels that each dense layer adds.

    Raises:
        ValueError: Another scale.
    """

    def __init__(
        self, channels: int = 3, scale: int = 4, blocks: int = 23, width: int = 64, growth: int = 32
    ) -> None:
        super().__init__()
        limits.esrgan(scale)
        self.channels = channels
        self.scale = scale
        self.multiple = 4 // scale
        self.first = nn.Conv2d(channels * self.multiple**2, width, 3, padding=1)
        self.body = nn.Sequential(
            *(Rrdb(width, growth) for _ in range(blocks)), nn.Conv2d(width, width, 3, padding=1)
        )
        self.steps = (3,) if scale == 3 else (2, 2)
        self.up = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in self.steps)
        self.high = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        # At the body's size: 15 per RRDB, 2 for the convolutions around, 2 for those above.
        radius = 15 * blocks + 4
        self.receptive_field: int | None = 2 * (self.multiple * (radius + 1) - 1) + 1

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of `multiple`, to (N, C, scale H, scale W)."""
        y = self.first(F.pixel_unshuffle(x, self.multiple))
        y = y + self.body(y)
        for step, convolution in zip(self.steps, self.up, strict=True):
            y = F.leaky_relu(convolution(F.interpolate(y, scale_factor=step, mode="nearest")), 0.2)
        restored: Tensor = self.last(F.leaky_relu(self.high(y), 0.2))
        return restored


class Rrdb(nn.Module):
    """Three dense blocks, each x + 0.2 * dense(x), and 0.2 times their result added to the input.

    Args:
        width: Channels of input and output.
        growth: Channels that each dense layer adds.
    """

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(RrdbDense(width, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        y = x
        for block in self.blocks:
            y = block(y)
        return x + 0.2 * y


class RrdbDense(nn.Module):
    """Four 3x3 convolutions with LeakyReLU 0.2 that see all before them, and a fifth back to the width.

    Args:
        width: Channels of input and output.
        growth: Channels that each layer adds.
    """

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        layers = [nn.Conv2d(width + i * growth, growth if i < 4 else width, 3, padding=1) for i in range(5)]
        self.layers = nn.ModuleList(layers)
        for layer in layers:  # as the authors' code: He's start, a tenth of it
            nn.init.kaiming_normal_(layer.weight)
            with torch.no_grad():
                layer.weight.mul_(0.1)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        known = [x]
        *inner, last = self.layers
        for layer in inner:
            known.append(F.leaky_relu(layer(torch.cat(known, dim=1)), 0.2))
        y: Tensor = last(torch.cat(known, dim=1))
        return x + 0.2 * y
