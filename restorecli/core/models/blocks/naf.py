"""Blocks of NAFNet: nonlinear, but free of activation functions.

Chen, Chu, Zhang, Sun, "Simple Baselines for Image Restoration", ECCV 2022, arXiv:2204.04676.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from restorecli.core.models.blocks.normalization import LayerNorm2d
from restorecli.core.models.blocks.pointwise import Pointwise


def simple_gate(*features: Tensor) -> Tensor:
    """Multiply the two halves of the channels: (N, 2C, H, W) to (N, C, H, W) (eq. 4).

    Args:
        features: One tensor, or several whose products are concatenated.
    """
    if torch.onnx.is_in_onnx_export():
        products = [torch.mul(*x.chunk(2, dim=1)) for x in features]
        return products[0] if len(products) == 1 else torch.cat(products, dim=1)
    gated: Tensor = _SimpleGate.apply(*features)  # type: ignore[no-untyped-call]
    return gated


class _SimpleGate(torch.autograd.Function):
    """Products of halves and their gradients, written where they belong instead of put together later."""

    @staticmethod
    def forward(ctx: Any, *features: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(*features)
        if len(features) == 1:
            return torch.mul(*features[0].chunk(2, dim=1))
        n, _, height, width = features[0].shape
        sizes = [x.shape[1] // 2 for x in features]
        gated = features[0].new_empty(n, height, width, sum(sizes)).permute(0, 3, 1, 2)
        for part, x in zip(torch.split(gated, sizes, dim=1), features, strict=True):
            torch.mul(*x.chunk(2, dim=1), out=part)
        return gated

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401
        features = ctx.saved_tensors
        of_features = tuple(torch.empty_like(x) for x in features)
        parts = torch.split(gradient, [x.shape[1] // 2 for x in features], dim=1)
        for part, x, of_x in zip(parts, features, of_features, strict=True):
            first, second = x.chunk(2, dim=1)
            of_first, of_second = of_x.chunk(2, dim=1)
            torch.mul(part, second, out=of_first)
            torch.mul(part, first, out=of_second)
        return of_features


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
        self.weigh = Pointwise(channels, channels)

    def scale(self, x: Tensor) -> Tensor:
        """Return what to multiply (N, C, H, W) by: (N, C, 1, 1), but (N, C, H, W) with a window."""
        if self.window is None or self.training:
            pooled = x.mean(dim=(2, 3), keepdim=True)
        else:
            pooled = local_mean(x, self.window).to(x.dtype)
        weighed: Tensor = self.weigh(pooled)
        return weighed

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return x * self.scale(x)


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
        y = torch.addcmul(x, self.project(self.attention(mixed)), self.beta)
        return torch.addcmul(y, self.feed_out(simple_gate(self.feed_in(self.norm_feeding(y)))), self.gamma)
