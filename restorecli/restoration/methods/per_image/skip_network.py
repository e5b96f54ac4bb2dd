"""The network of Deep Image Prior: an hourglass with narrow skips, which starts from noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.2


def _convolution(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, padding_mode="reflect")


def _normalized(convolution: nn.Conv2d) -> list[nn.Module]:
    """Return a convolution, the normalization of its output by this one image, and LeakyReLU."""
    return [convolution, _normalization(convolution.out_channels), nn.LeakyReLU(_SLOPE)]


def _normalization(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, track_running_stats=False)


class _Level(nn.Module):
    """One scale: half the size on the way down, a skip beside it, the deeper scales inside."""

    def __init__(self, inputs: int, width: int, skip: int, inner: _Level | None, upsampling: str) -> None:
        super().__init__()
        self.width = width
        self.upsampling = upsampling
        self.inner = inner
        self.skip = nn.Sequential(*_normalized(_convolution(inputs, skip, 1))) if skip else None
        self.down = nn.Sequential(
            *_normalized(_convolution(inputs, width, 3, stride=2)),
            *_normalized(_convolution(width, width, 3)),
        )
        joined = skip + (width if inner is None else inner.width)
        self.up = nn.Sequential(
            _normalization(joined),
            *_normalized(_convolution(joined, width, 3)),
            *_normalized(_convolution(width, width, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        deep = self.down(x)
        if self.inner is not None:
            deep = self.inner(deep)
        # Odd sides come back one too large; what is cut is what a central crop would cut.
        deep = F.interpolate(deep, scale_factor=2, mode=self.upsampling)[..., : x.shape[-2], : x.shape[-1]]
        joined = deep if self.skip is None else torch.cat([self.skip(x), deep], dim=1)
        return cast("Tensor", self.up(joined))


class SkipNetwork(nn.Module):
    """The "skip" network: (1, inputs, H, W) of noise to (1, channels, H, W) in [0, 1].

    Ulyanov, Vedaldi and Lempitsky, "Deep Image Prior", CVPR 2018, supplement; with the defaults it has
    2,217,831 parameters, as the authors' code. Normalization always uses the image at hand. The deepest
    scale must be 2 pixels wide and high at least: sides above 2^scales.

    Args:
        channels: Of the image.
        inputs: Channels of the noise.
        widths: Channels of each scale, finest first.
        skips: Channels of each scale's skip; 0 for none.
        upsampling: "bilinear" or "nearest".
    """

    def __init__(
        self,
        channels: int = 3,
        inputs: int = 32,
        widths: Sequence[int] = (128,) * 5,
        skips: Sequence[int] = (4,) * 5,
        upsampling: str = "bilinear",
    ) -> None:
        super().__init__()
        level: _Level | None = None
        before = (inputs, *widths[:-1])
        for feeding, width, skip in reversed(list(zip(before, widths, skips, strict=True))):
            level = _Level(feeding, width, skip, level, upsampling)
        self.scales = len(widths)
        self.body = nn.Sequential(*([level] if level else []), _convolution(widths[0], channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the image; see the class."""
        return torch.sigmoid(self.body(x))


def initialize(network: nn.Module, generator: torch.Generator) -> None:
    """Draw weights as PyTorch does by default, U(-1, 1) / sqrt(fan in), from a generator of one's own."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            bound = module.weight[0].numel() ** -0.5
            for tensor in (module.weight, module.bias):
                if tensor is not None:
                    nn.init.uniform_(tensor, -bound, bound, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
