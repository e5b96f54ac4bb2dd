"""Depthwise convolution with holes, computed where its gradient is right."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DilatedDepthwise(nn.Conv2d):
    """A depthwise convolution with dilation and one kernel per channel; the image keeps its size.

    On CPUs it is computed in float32 under any autocast: in bfloat16 with channels-last tensors, torch 2.13's
    gradient of a dilated grouped kernel is unrelated to the true one (undilated or ungrouped ones are fine).

    Args:
        channels: Channels of input and output.
        side: Of the kernel; odd.
        dilation: Pixels from one tap to the next.
        bias: Add a bias per channel.
    """

    def __init__(self, channels: int, side: int = 3, dilation: int = 2, *, bias: bool = True) -> None:
        border = dilation * (side // 2)
        super().__init__(channels, channels, side, 1, border, dilation, groups=channels, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape and type."""
        if x.device.type != "cpu":
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.to(self.weight.dtype)).to(x.dtype)
