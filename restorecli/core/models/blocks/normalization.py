"""Normalization layers that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LayerNorm2d(nn.Module):
    """Layer normalization of each pixel over its channels: (x - mean) / sqrt(var + eps) * weight + bias.

    The variance is the biased one. The bias-free form (Restormer for denoising) neither subtracts nor adds:
    x / sqrt(var + eps) * weight.

    Args:
        channels: Channels of input and output.
        eps: Added to the variance: 1e-6 in NAFNet, 1e-5 in Restormer.
        bias_free: Neither subtract the mean nor add a bias.

    References:
        Ba, Kiros, Hinton, "Layer Normalization", arXiv:1607.06450.
    """

    def __init__(self, channels: int, *, eps: float = 1e-6, bias_free: bool = False) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = None if bias_free else nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        last = x.permute(0, 2, 3, 1)
        if self.bias is not None:
            normal = F.layer_norm(last, self.weight.shape, self.weight, self.bias, self.eps)
        else:
            variance = last.float().var(-1, correction=0, keepdim=True)  # bfloat16 would drown it
            normal = last * (variance + self.eps).rsqrt() * self.weight
        return normal.to(x.dtype).permute(0, 3, 1, 2)
