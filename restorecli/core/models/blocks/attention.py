"""Attention blocks of SCA-UNet: spatial-channel gates and the non-local block."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.blocks.gates import squeeze_gate


class SpatialChannelAttention(nn.Module):
    """Scale x by a full spatial map and by a weight per channel: x * sigmoid(s(x)) * sigmoid(c(GAP(x))).

    The spatial branch is a 1x1 convolution C -> C (one gate per pixel and channel); the channel branch is a
    squeeze-and-excitation C -> C/16 -> C.

    Args:
        channels: Channels of input and output; at least `reduction`.
        reduction: Divisor of the channel branch's width.

    Raises:
        ValueError: Fewer channels than `reduction`.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, 1)
        self.channel = squeeze_gate(channels, reduction)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        gated: Tensor = x * self.spatial(x).sigmoid() * self.channel(x)
        return gated


class NonLocalBlock(nn.Module):
    """Every position attends to every other: x + W(A g(x)), A from theta(x) and phi(x).

    Wang et al., "Non-local Neural Networks", CVPR 2018. Neither form ever holds the (HW) x (HW) matrix whole:
    "softmax" runs as memory-efficient attention, and "dot" is associative, theta^T (phi g^T) / (HW).

    Args:
        channels: Channels of input and output; the inner width is half of it.
        weighting: "softmax", A = softmax(theta^T phi) (SCA-UNet's paper, eq. 6), or "dot",
            A = theta^T phi / (HW) (its published code).
        untransposed: Read the (HW, C/2) result as (C/2, H, W) without transposing it, as the published code
            does; only weights that were trained so need it.
    """

    def __init__(
        self, channels: int, *, weighting: Literal["softmax", "dot"] = "softmax", untransposed: bool = False
    ) -> None:
        super().__init__()
        if weighting not in ("softmax", "dot"):
            raise ValueError(f"weighting must be 'softmax' or 'dot', got {weighting!r}")
        inner = channels // 2
        self.theta = nn.Conv2d(channels, inner, 1)
        self.phi = nn.Conv2d(channels, inner, 1)
        self.g = nn.Conv2d(channels, inner, 1)
        self.W = nn.Conv2d(inner, channels, 1)
        self.weighting = weighting
        self.untransposed = untransposed

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        n, _, height, width = x.shape
        projected = (projection(x) for projection in (self.theta, self.phi, self.g))
        theta, phi, g = (y.flatten(2).transpose(1, 2).contiguous() for y in projected)  # each (N, HW, C/2)
        if self.weighting == "softmax":
            # As one head and contiguous: otherwise torch takes the route that holds the whole matrix.
            y = F.scaled_dot_product_attention(theta[:, None], phi[:, None], g[:, None], scale=1.0)[:, 0]
        else:
            y = theta @ (phi.transpose(1, 2) @ g) / (height * width)
        if self.untransposed:
            y = y.reshape(n, -1, height, width)
        else:
            y = y.transpose(1, 2).reshape(n, -1, height, width)
        restored: Tensor = x + self.W(y)
        return restored
