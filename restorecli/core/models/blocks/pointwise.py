"""1x1 convolutions as matrix products over the channels, which lie side by side in the format channels-last.

A factor for each input of such a convolution goes into its weights: they are small, and the features are not,
over which it would pass once, and three times for the gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Pointwise(nn.Conv2d):
    """A 1x1 convolution: `nn.Conv2d` with kernels of 1x1, its parameters and its results.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output.
        bias: Add a learned constant to each output.
    """

    def __init__(self, channels_in: int, channels_out: int, *, bias: bool = True) -> None:
        super().__init__(channels_in, channels_out, 1, bias=bias)

    def forward(self, x: Tensor, scale: Tensor | None = None) -> Tensor:
        """Map (N, C, H, W) to (N, C', H, W), where a scale is given after multiplying by it, (N, C, 1, 1)."""
        if torch.onnx.is_in_onnx_export():
            return super().forward(x if scale is None else x * scale)
        weight = self.weight.flatten(1)
        if scale is None:
            return pointwise(x, weight, self.bias)
        if x.shape[2] * x.shape[3] < x.shape[1]:  # the weights are the larger of the two
            return pointwise(x * scale, weight, self.bias)
        return pointwise(x, weight * scale.flatten(1)[:, None], self.bias)


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return W x + bias at every pixel.

    Args:
        x: (N, C, H, W).
        weight: W, (C', C), or one for each image, (N, C', C).
        bias: (C',), or None.

    Returns:
        (N, C', H, W) in the memory format channels-last.
    """
    height, width = x.shape[-2:]
    last = x.permute(0, 2, 3, 1)
    if weight.ndim == 2:
        mixed = F.linear(last.reshape(-1, x.shape[1]), weight, bias)
    else:
        rows, turned = last.flatten(1, 2), weight.transpose(1, 2)
        mixed = rows @ turned if bias is None else torch.baddbmm(bias, rows, turned)
    return mixed.reshape(x.shape[0], height, width, -1).permute(0, 3, 1, 2)
