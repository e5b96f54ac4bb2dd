"""FFDNet: a plain CNN on the four quarters of an image, told how strong the noise is.

Zhang, Zuo, Zhang, "FFDNet: Toward a Fast and Flexible Solution for CNN-Based Image Denoising", IEEE TIP
27(9), 2018.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models import limits
from restorecli.core.models.blocks.starts import start_by_he
from restorecli.core.ops.noise_level import given_or_estimated_sigma


class FfdNet(nn.Module):
    """Every second pixel, four times, and a channel of sigma / 255; 3x3 convolutions with ReLU between.

    At half the sides a network of few layers sees far and is fast. It gives the restored image itself, not
    the noise. The batch norm of the paper is merged into the convolutions, as in its published weights:
    852,108 parameters for RGB (12 layers of 96 channels), 485,316 for gray (15 of 64). He's start.

    Where no sigma is given, to `forward` or here, each image's is estimated from all of it.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels inside; None takes the paper's: 96 for RGB, 64 for gray.
        depth: Convolutions; None takes the paper's: 12 for RGB, 15 for gray.
        sigma: The noise level on the 0-255 scale wherever `forward` is given none; None estimates it.

    Raises:
        ValueError: `sigma` is negative, or `depth` below 2.
    """

    scale = 1
    multiple = 2
    takes_sigma = True

    def __init__(
        self,
        channels: int = 3,
        width: int | None = None,
        depth: int | None = None,
        sigma: float | None = None,
    ) -> None:
        super().__init__()
        limits.ffdnet(depth, sigma)
        width = (64 if channels == 1 else 96) if width is None else width
        depth = (15 if channels == 1 else 12) if depth is None else depth
        self.channels = channels
        self.sigma = sigma
        self.receptive_field_told = 4 * depth + 3
        self.receptive_field = None if sigma is None else self.receptive_field_told
        widths = [4 * channels + 1, *[width] * (depth - 1), 4 * channels]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers[:-1])
        start_by_he(self.layers, last=1.0)

    def forward(self, x: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Denoise.

        Args:
            x: (N, C, H, W), nominally in [0, 1], H and W even.
            sigma: (N,), on the 0-255 scale; None takes the network's own, or estimates it.

        Returns:
            The restored images in the shape of `x`.
        """
        quarters = F.pixel_unshuffle(x, 2)
        levels = given_or_estimated_sigma(x, sigma, self.sigma) / 255
        level_map = levels.view(-1, 1, 1, 1).expand(-1, 1, *quarters.shape[-2:])
        return F.pixel_shuffle(self.layers(torch.cat([quarters, level_map], dim=1)), 2)
