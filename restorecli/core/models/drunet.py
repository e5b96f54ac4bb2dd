"""DRUNet: a residual U-Net that is told how strong the noise is.

Zhang, Li, Zuo, Zhang, Van Gool, Timofte, "Plug-and-Play Image Restoration with Deep Denoiser Prior", IEEE
TPAMI 2021.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.convolution import ResidualBlock
from restorecli.core.ops.noise_level import given_or_estimated_sigma


class DrUNet(nn.Module):
    """Four scales of 64, 128, 256 and 512 channels, four residual blocks each, no bias, additive skips.

    2x2 convolutions of stride 2 go down, 2x2 transposed ones up. A channel that holds sigma / 255 everywhere
    is joined to the image. Without biases the network is homogeneous: twice image and sigma, twice the
    result. 32,640,960 parameters for RGB, 32,638,656 for gray.

    Where no sigma is given, to `forward` or here, each image's is estimated from all of it; the network
    sees the whole image then, and tiles may change its result a little.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first scale; the others have 2, 4 and 8 times as many.
        blocks: Residual blocks per scale, on the way down and on the way up.
        sigma: The noise level on the 0-255 scale wherever `forward` is given none; None estimates it.

    Raises:
        ValueError: `sigma` is negative.
    """

    scale = 1
    multiple = 8
    takes_sigma = True

    def __init__(
        self, channels: int = 3, width: int = 64, blocks: int = 4, sigma: float | None = None
    ) -> None:
        super().__init__()
        limits.drunet(sigma)
        self.channels = channels
        self.sigma = sigma
        self.receptive_field_told = 2 * _radius(blocks) + 1
        self.receptive_field = None if sigma is None else self.receptive_field_told
        widths = [width * 2**level for level in range(4)]
        self.first = nn.Conv2d(channels + 1, width, 3, padding=1, bias=False)
        self.down = nn.ModuleList(
            nn.Sequential(*_blocks(fine, blocks), nn.Conv2d(fine, coarse, 2, 2, bias=False))
            for fine, coarse in pairwise(widths)
        )
        self.body = nn.Sequential(*_blocks(widths[3], blocks))
        self.up = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(coarse, fine, 2, 2, bias=False), *_blocks(fine, blocks))
            for coarse, fine in pairwise(reversed(widths))
        )
        self.last = nn.Conv2d(width, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Denoise.

        Args:
            x: (N, C, H, W), nominally in [0, 1], H and W multiples of 8.
            sigma: (N,), on the 0-255 scale; None takes the network's own, or estimates it.

        Returns:
            The restored images in the shape of `x`.
        """
        y = self.first(torch.cat([x, self._noise_map(x, sigma)], dim=1))
        skips = [y]
        for down in self.down:
            y = down(y)
            skips.append(y)
        y = self.body(y)
        for up in self.up:
            y = up(y + skips.pop())
        restored: Tensor = self.last(y + skips.pop())
        return restored

    def _noise_map(self, x: Tensor, sigma: Tensor | None) -> Tensor:
        levels = given_or_estimated_sigma(x, sigma, self.sigma)
        return (levels / 255).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[-2:])


def _blocks(width: int, count: int) -> list[ResidualBlock]:
    return [ResidualBlock(width, bias=False) for _ in range(count)]


def _radius(blocks: int) -> int:
    """Return how far one output pixel sees: up the levels and down again, a step of 2x2 not overlapping."""
    radius = 1
    for _ in range(3):
        radius = -(-(radius + 2 * blocks) // 2)
    radius += 2 * blocks
    for _ in range(3):
        radius = 2 * radius + 1 + 2 * blocks
    return radius + 1
