"""Blocks of CvT: attention whose queries, keys and values come from convolutions.

Wu, Xiao, Codella, Liu, Dai, Yuan, Zhang, "CvT: Introducing Convolutions to Vision Transformers", ICCV 2021,
arXiv:2103.15808.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.blocks.normalization import LayerNorm2d
from restorecli.core.models.blocks.wrapping import mlp_block
from restorecli.core.models.limits import check_attention, check_drop_path

Norm = Literal["layer", "batch", "none"]


class ConvolutionalProjection(nn.Sequential):
    """A depthwise 3x3 convolution without bias, a norm, and a linear map pixel by pixel (eq. 2).

    Borders are continued by their pixels: zeros would darken what is projected there.

    Args:
        channels: Channels of input and output.
        stride: Of the convolution: (H, W) become (ceil(H / stride), ceil(W / stride)).
        norm: "batch" as in the paper; "layer", over the channels of a pixel, or "none" keep the result of an
            image free of its neighbors in the batch.

    Raises:
        ValueError: An unknown norm.
    """

    def __init__(self, channels: int, stride: int = 1, norm: Norm = "layer") -> None:
        super().__init__(
            nn.Conv2d(
                channels, channels, 3, stride, 1, groups=channels, bias=False, padding_mode="replicate"
            ),
            _norm(norm, channels),
            nn.Conv2d(channels, channels, 1),
        )


def _norm(norm: Norm, channels: int) -> nn.Module:
    if norm == "layer":
        return LayerNorm2d(channels, eps=1e-5)
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "none":
        return nn.Identity()
    raise ValueError(f"norm must be 'layer', 'batch' or 'none', got {norm!r}")


class ConvolutionalAttention(nn.Module):
    """softmax(Q K^T / sqrt(d)) V per head, with Q, K and V of convolutional projections (eq. 3).

    Keys and values have a stride, so that there are fewer of them. d is a head's width; the published code
    takes the width of all heads together. The matrix of weights is never held whole.

    Args:
        channels: Channels of input and output.
        heads: Must divide `channels`.
        key_stride: Of keys and values.
        window: Side of the squares inside which pixels attend to each other, a multiple of `key_stride`; the
            projections still see across. None attends everywhere.
        norm: Of the projections.

    Raises:
        ValueError: The heads, the stride or the window do not fit.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        *,
        key_stride: int = 2,
        window: int | None = None,
        norm: Norm = "layer",
    ) -> None:
        super().__init__()
        check_attention(channels, heads, key_stride, window)
        self.heads, self.key_stride, self.window = heads, key_stride, window
        self.query = ConvolutionalProjection(channels, 1, norm)
        self.key = ConvolutionalProjection(channels, key_stride, norm)
        self.value = ConvolutionalProjection(channels, key_stride, norm)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W), H and W multiples of the window, to the same shape."""
        height, width = x.shape[-2:]
        q, k, v = self.query(x), self.key(x), self.value(x)
        if self.window is None:
            rows = columns = 1
        else:
            rows, columns = height // self.window, width // self.window
        q, k, v = (_tokens(y, rows, columns, self.heads) for y in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v)
        attended: Tensor = self.out(_image(y, rows, columns, height // rows))
        return attended


def _tokens(x: Tensor, rows: int, columns: int, heads: int) -> Tensor:
    """Cut (N, C, H, W) into rows x columns windows: (N rows columns, heads, pixels, C / heads)."""
    n, channels, height, width = x.shape
    y = x.reshape(n, heads, channels // heads, rows, height // rows, columns, width // columns)
    y = y.permute(0, 3, 5, 1, 4, 6, 2)
    # Contiguous: otherwise torch takes the route that holds the whole matrix of weights.
    return y.reshape(n * rows * columns, heads, -1, channels // heads).contiguous()


def _image(tokens: Tensor, rows: int, columns: int, side: int) -> Tensor:
    """Join what `_tokens` cut, windows being `side` pixels high: (N, C, H, W)."""
    windows, heads, pixels, depth = tokens.shape
    n, across = windows // (rows * columns), pixels // side
    y = tokens.reshape(n, rows, columns, heads, side, across, depth).permute(0, 3, 6, 1, 4, 2, 5)
    return y.reshape(n, heads * depth, rows * side, columns * across)


class DropPath(nn.Module):
    """In training, leave a branch out for whole items of the batch, at random; the others are scaled up.

    Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016.

    Args:
        rate: Probability in [0, 1).

    Raises:
        ValueError: Another probability.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        check_drop_path(rate)
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        if self.rate == 0 or not self.training:
            return x
        keep = 1 - self.rate
        return x * torch.empty(x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device).bernoulli_(keep) / keep


class CvtBlock(nn.Module):
    """y = x + Attention(LN(x)), then y + MLP(LN(y)) with GELU; no encoding of positions.

    Args:
        channels: Channels of input and output.
        heads: Of the attention.
        key_stride: Of keys and values.
        window: Of the attention; None attends everywhere.
        norm: Of the projections.
        drop_path: Probability of leaving out a branch in training.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        *,
        key_stride: int = 2,
        window: int | None = None,
        norm: Norm = "layer",
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.norm = LayerNorm2d(channels, eps=1e-5)
        self.attention = ConvolutionalAttention(
            channels, heads, key_stride=key_stride, window=window, norm=norm
        )
        self.feed = mlp_block(channels)
        self.drop = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W), H and W multiples of the window, to the same shape."""
        y = x + self.drop(self.attention(self.norm(x)))
        dropped: Tensor = y + self.drop(self.feed.branch(self.feed.norm(y)))
        return dropped
