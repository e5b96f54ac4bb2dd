"""The pix2pix generator, a U-Net that goes down to one pixel.

Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017. Its
discriminator is `PatchDiscriminator`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.discriminators import initialize_gan
from restorecli.core.models import limits


class Pix2Pix(nn.Module):
    """U-Net-256: eight 4x4 convolutions of stride 2 down, eight transposed ones up, skips between them.

    LeakyReLU 0.2 down and ReLU up, batch norm except at the two ends and in the middle, tanh at the end;
    images enter and leave it as 2x - 1. With RGB: 54,413,955 parameters. In the paper dropout and the
    batch's own statistics stay on when it is used, as its only noise; here both end with training, so that a
    restored image follows from the degraded one alone.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first level; then 2, 4, 8 and again 8 times as many.
        levels: Halvings of the sides: 8 for crops of 256. Sides are padded to multiples of 2^levels.
        dropout: Probability in the decoder's three lowest levels but one, while training.
        residual: Add the output to the input instead of replacing it; not in the paper.

    Raises:
        ValueError: The levels or the dropout are not possible.
    """

    scale = 1

    def __init__(
        self,
        channels: int = 3,
        width: int = 64,
        levels: int = 8,
        dropout: float = 0.5,
        *,
        residual: bool = False,
    ) -> None:
        super().__init__()
        limits.gan(levels, dropout)
        self.channels = channels
        self.residual = residual
        self.multiple = 2**levels
        # An output pixel sees 1 pixel far in the middle; each level of the encoder doubles that and adds 2.
        self.receptive_field: int | None = 2 * (3 * 2**levels - 2) + 1
        widths = [width * min(2**level, 8) for level in range(levels)]
        self.down = nn.ModuleList(
            _down(before, after, level, levels)
            for level, (before, after) in enumerate(zip([channels, *widths], widths, strict=False))
        )
        ups = []
        for level in range(levels - 1, 0, -1):
            drops = dropout if levels - 4 <= level < levels - 1 and widths[level - 1] == 8 * width else 0.0
            incoming = widths[level] * (1 if level == levels - 1 else 2)
            ups.append(_up(incoming, widths[level - 1], drops))
        self.up = nn.ModuleList(ups)
        self.last = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * width, channels, 4, 2, 1), nn.Tanh())
        self.apply(initialize_gan)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of 2^levels, to restored of the same shape."""
        skips: list[Tensor] = []
        y = 2 * x - 1
        for down in self.down:
            y = down(y)
            skips.append(y)
        y = skips.pop()
        for up in self.up:
            y = torch.cat([skips.pop(), up(y)], dim=1)
        painted: Tensor = self.last(y)
        return x + painted if self.residual else (painted + 1) / 2


def _down(before: int, after: int, level: int, levels: int) -> nn.Sequential:
    layers: list[nn.Module] = [] if level == 0 else [nn.LeakyReLU(0.2)]
    layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=False))
    if 0 < level < levels - 1:
        layers.append(nn.BatchNorm2d(after))
    return nn.Sequential(*layers)


def _up(before: int, after: int, dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    layers.append(nn.BatchNorm2d(after))
    return nn.Sequential(*layers, nn.Dropout(dropout)) if dropout else nn.Sequential(*layers)
