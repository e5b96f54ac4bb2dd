"""Gates: what a layer lets through, by channel and by place.

Squeeze-and-excitation: Hu, Shen, Sun, CVPR 2018. CBAM: Woo, Park, Lee, Kweon, "CBAM: Convolutional Block
Attention Module", ECCV 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.models.limits import REDUCTION, check_reduction


def squeeze_gate(channels: int, reduction: int = REDUCTION) -> nn.Sequential:
    """Return sigmoid(W2 ReLU(W1 GAP(x))): (N, C, H, W) to gates (N, C, 1, 1) in (0, 1).

    Args:
        channels: Channels of the input; at least `reduction`.
        reduction: Divisor of the width between the two 1x1 convolutions.

    Raises:
        ValueError: Fewer channels than `reduction`.
    """
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), *_squeeze(channels, reduction), nn.Sigmoid())


def _squeeze(channels: int, reduction: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    check_reduction(channels, reduction)
    inner = channels // reduction
    return nn.Conv2d(channels, inner, 1), nn.ReLU(inplace=True), nn.Conv2d(inner, channels, 1)


class ChannelGate(nn.Module):
    """CBAM's gate per channel: sigmoid(MLP(mean(x)) + MLP(max(x))) with one MLP for both (eq. 2).

    Args:
        channels: Channels of the input; at least `reduction`.
        reduction: Divisor of the MLP's inner width.
    """

    def __init__(self, channels: int, reduction: int = REDUCTION) -> None:
        super().__init__()
        self.mlp = nn.Sequential(*_squeeze(channels, reduction))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to gates (N, C, 1, 1) in (0, 1)."""
        mean, largest = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        gates: Tensor = (self.mlp(mean) + self.mlp(largest)).sigmoid()
        return gates


class SpatialGate(nn.Module):
    """CBAM's gate per pixel: sigmoid(BN(conv7x7([max over C, mean over C]))) (eq. 3).

    The convolution has no bias; batch norm has eps 1e-5 and momentum 0.01, as the authors' code.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(1, eps=1e-5, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to gates (N, 1, H, W) in (0, 1)."""
        pooled = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], dim=1)
        gates: Tensor = self.norm(self.conv(pooled)).sigmoid()
        return gates


class Cbam(nn.Module):
    """The convolutional block attention module: first channels are gated, then places (eq. 1).

    Args:
        channels: Channels of input and output; at least `reduction`.
        reduction: Divisor of the channel gate's inner width.
    """

    def __init__(self, channels: int, reduction: int = REDUCTION) -> None:
        super().__init__()
        self.channel = ChannelGate(channels, reduction)
        self.spatial = SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = x * self.channel(x)
        gated: Tensor = y * self.spatial(y)
        return gated
