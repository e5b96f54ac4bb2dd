"""Blocks of Restormer: attention between channels, and the gated feed-forward network.

Zamir, Arora, Khan, Hayat, Khan, Yang, "Restormer: Efficient Transformer for High-Resolution Image
Restoration", CVPR 2022, arXiv:2111.09881.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.blocks.normalization import LayerNorm2d
from restorecli.core.models.limits import check_heads


class TransposedAttention(nn.Module):
    """MDTA: W softmax(temperature Q K^T) V between channels, hence linear in the number of pixels (eq. 1).

    Q, K and V come from a 1x1 convolution and a depthwise 3x3 one; each channel of Q and K, all its pixels
    together, has length 1. Every head attends between its own channels with a learned temperature, which
    multiplies (the paper's alpha divides).

    Args:
        channels: Channels of input and output.
        heads: Groups of channels; must divide `channels`.
        bias: Give the convolutions biases; the paper has none.

    Raises:
        ValueError: `heads` does not divide `channels`.
    """

    def __init__(self, channels: int, heads: int, *, bias: bool = False) -> None:
        super().__init__()
        check_heads(channels, heads)
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.project = nn.Conv2d(channels, 3 * channels, 1, bias=bias)
        self.depthwise = nn.Conv2d(3 * channels, 3 * channels, 3, padding=1, groups=3 * channels, bias=bias)
        self.out = nn.Conv2d(channels, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        n, channels, height, width = x.shape
        projected = self.depthwise(self.project(x)).chunk(3, dim=1)
        q, k, v = (y.reshape(n, self.heads, channels // self.heads, height * width) for y in projected)
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        weights = (q @ k.transpose(-2, -1) * self.temperature).softmax(dim=-1)  # (N, heads, C/heads, C/heads)
        attended: Tensor = self.out((weights.to(v.dtype) @ v).reshape(n, channels, height, width))
        return attended


class GatedFeedForward(nn.Module):
    """GDFN: W (gelu(D1 W1 x) * D2 W2 x), D being depthwise 3x3 convolutions (eq. 2).

    Args:
        channels: Channels of input and output.
        factor: Inner channels in relation to outer ones; rounded down.
        bias: Give the convolutions biases; the paper has none.
    """

    def __init__(self, channels: int, *, factor: float = 2.66, bias: bool = False) -> None:
        super().__init__()
        inner = int(channels * factor)
        self.expand = nn.Conv2d(channels, 2 * inner, 1, bias=bias)
        self.depthwise = nn.Conv2d(2 * inner, 2 * inner, 3, padding=1, groups=2 * inner, bias=bias)
        self.out = nn.Conv2d(inner, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        gate, value = self.depthwise(self.expand(x)).chunk(2, dim=1)
        fed: Tensor = self.out(F.gelu(gate) * value)
        return fed


class TransformerBlock(nn.Module):
    """Restormer's block: y = x + MDTA(LN(x)), then y + GDFN(LN(y)).

    Args:
        channels: Channels of input and output.
        heads: Of the attention.
        factor: Of the feed-forward network.
        bias_free: Use layer normalization without mean and bias.
    """

    def __init__(self, channels: int, heads: int, *, factor: float = 2.66, bias_free: bool = False) -> None:
        super().__init__()
        self.norm_attention = LayerNorm2d(channels, eps=1e-5, bias_free=bias_free)
        self.attention = TransposedAttention(channels, heads)
        self.norm_feeding = LayerNorm2d(channels, eps=1e-5, bias_free=bias_free)
        self.feed = GatedFeedForward(channels, factor=factor)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = x + self.attention(self.norm_attention(x))
        fed: Tensor = self.feed(self.norm_feeding(y))
        return y + fed
