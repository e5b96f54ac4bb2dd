"""IRCNN's denoiser: seven dilated convolutions that predict the noise.

Zhang, Zuo, Gu, Zhang, "Learning Deep CNN Denoiser Prior for Image Restoration", CVPR 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.models.blocks.starts import start_by_he
from restorecli.core.ops.noise_level import given_or_estimated_sigma

DILATIONS = (1, 2, 3, 4, 3, 2, 1)


class IrCnn(nn.Module):
    """restored = x - R(x), R being seven 3x3 convolutions with dilations 1, 2, 3, 4, 3, 2, 1; ReLU between.

    The paper's batch norm is merged into the convolutions, as in its published weights: 185,857 parameters
    for gray, 188,163 for RGB. The paper trains 25 of them, for sigma 2, 4 ... 50, which `levels=25` holds in
    one: the first whose sigma is not below an image's restores it. He's start, the last layer at a tenth of
    it (chosen: it learns far sooner).

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels inside.
        levels: Networks in one, for sigma 2, 4 ... 2 levels; 1 is told no noise level.
    """

    scale = 1
    multiple = 1

    def __init__(self, channels: int = 3, width: int = 64, levels: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.takes_sigma = levels > 1
        self.receptive_field_told = 2 * sum(DILATIONS) + 1
        self.receptive_field = self.receptive_field_told if levels == 1 else None
        if levels == 1:
            self.layers = _stack(channels, width)
        else:
            self.levels = nn.ModuleList(_stack(channels, width) for _ in range(levels))

    def forward(self, x: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Denoise.

        Args:
            x: (N, C, H, W), nominally in [0, 1].
            sigma: (N,), on the 0-255 scale, for several levels; None estimates it.

        Returns:
            The restored images in the shape of `x`.
        """
        if not self.takes_sigma:
            noise: Tensor = self.layers(x)
            return x - noise
        levels = given_or_estimated_sigma(x, sigma, None).div(2).ceil().long() - 1
        picked = levels.clamp(0, len(self.levels) - 1).tolist()
        noises = [self.levels[level](x[i : i + 1]) for i, level in enumerate(picked)]
        return x - torch.cat(noises)


def _stack(channels: int, width: int) -> nn.Sequential:
    widths = [channels, *[width] * (len(DILATIONS) - 1), channels]
    layers: list[nn.Module] = []
    for before, after, dilation in zip(widths, widths[1:], DILATIONS, strict=False):
        layers += [
            nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation),
            nn.ReLU(inplace=True),
        ]
    stack = nn.Sequential(*layers[:-1])
    start_by_he(stack, last=0.1)
    return stack
