"""Blocks of NAFNet: nonlinear, but free of activation functions.

Chen, Chu, Zhang, Sun, "Simple Baselines for Image Restoration", ECCV 2022, arXiv:2204.04676.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.models.blocks.normalization import LayerNorm2d


def simple_gate(x: Tensor) -> Tensor:
    """Multiply the two halves of the channels: (N, 2C, H, W) to (N, C, H, W) (eq. 4)."""
    first, second = x.chunk(2, dim=1)
    return first * second


def local_mean(x: Tensor, window: int) -> Tensor:
    """Return at each pixel the mean of the window around it; near the border the window is shifted inside.

    Args:
        x: (N, C, H, W).
        window: Side in pixels; an axis that is not longer is averaged whole.

    Returns:
        (N, C, H, W), with 1 in place of an axis that is averaged whole; float32 at least.
    """
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    for axis in (2, 3):
        x = _sliding_mean(x, window, axis)
    return x


def _sliding_mean(x: Tensor, window: int, axis: int) -> Tensor:
    size = x.shape[axis]
    mean = x.mean(axis, keepdim=True)
    if window >= size:
        return mean
    # Running sums of what deviates from the mean stay small, and so does their rounding.
    sums = (x - mean).cumsum(axis)
    sums = torch.cat([torch.zeros_like(mean), sums], dim=axis)
    start = (torch.arange(size, device=x.device) - (window - 1) // 2).clamp(0, size - window)
    return mean + (sums.index_select(axis, start + window) - sums.index_select(axis, start)) / window


class SimplifiedChannelAttention(nn.Module):
    """Scale x by W pool(x), a linear map of its mean per channel (eq. 5).

    Args:
        channels: Channels of input and output.
        window: Side of the window that evaluation averages over instead of the whole image (TLC: Chu et
            al., "Improving Image Restoration by Revisiting Global Information Aggregation", ECCV 2022), since
            crops are all that training saw; None averages over everything. Training always does.
    """

    def __init__(self, channels: int, *, window: int | None = None) -> None:
        super().__init__()
        self.window = window
        self.weigh = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        if self.window is None or self.training:
            pooled = x.mean(dim=(2, 3), keepdim=True)
        else:
            pooled = local_mean(x, self.window).to(x.dtype)
        scaled: Tensor = x * self.weigh(pooled)
        return scaled


class NafBlock(nn.Module):
    """NAFNet's block: y = x + beta M(LN(x)), then y + gamma F(LN(y)) (fig. 3c).

    M is 1x1 (to twice the channels), depthwise 3x3, simple gate, simplified channel attention, 1x1; F is 1x1
    (to twice the channels), simple gate, 1x1. beta and gamma start at 0, and the block as the identity.

    Args:
        channels: Channels of input and output.
        window: Of the channel attention's pooling; see `SimplifiedChannelAttention`.
    """

    def __init__(self, channels: int, *, window: int | None = None) -> None:
        super().__init__()
        wide = 2 * channels
        self.norm_mixing = LayerNorm2d(channels)
        self.expand = nn.Conv2d(channels, wide, 1)
        self.depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide)
        self.attention = SimplifiedChannelAttention(channels, window=window)
        self.project = nn.Conv2d(channels, channels, 1)
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.norm_feeding = LayerNorm2d(channels)
        self.feed_in = nn.Conv2d(channels, wide, 1)
        self.feed_out = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        mixed = simple_gate(self.depthwise(self.expand(self.norm_mixing(x))))
        y: Tensor = x + self.beta * self.project(self.attention(mixed))
        fed: Tensor = self.feed_out(simple_gate(self.feed_in(self.norm_feeding(y))))
        return y + self.gamma * fed
