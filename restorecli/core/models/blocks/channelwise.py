"""Depthwise convolutions in the form that oneDNN computes fast on a CPU, in training too.

Two of its kernels are slow, as measured with torch 2.13 on an AMD EPYC in bfloat16: convolutions whose groups
have one input and several outputs, forward and backward; and the gradient of 5x5 weights, 30 times as slow as
that of 3x3 weights. So inputs are repeated, and a 5x5 gradient is made of one of 5x3 and one of 5x2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel by itself: `nn.Conv2d` with as many groups as inputs, and its results.

    Args:
        channels: Of the input.
        side: Of the kernels, odd; the size is kept.
        multiplier: Outputs of each input.
    """

    def __init__(self, channels: int, side: int, multiplier: int = 1) -> None:
        super().__init__(channels, channels * multiplier, side, padding=side // 2, groups=channels)
        self.multiplier = multiplier

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, multiplier C, H, W)."""
        if torch.onnx.is_in_onnx_export():
            return super().forward(x)
        if self.multiplier > 1:
            x = _repeated(x, self.multiplier)
        return depthwise(x, self.weight, self.bias, padding=self.kernel_size[0] // 2)


def _repeated(x: Tensor, times: int) -> Tensor:
    """Repeat every channel, as `repeat_interleave` does, in the memory format channels-last."""
    return torch.stack([x.permute(0, 2, 3, 1)] * times, dim=-1).flatten(-2).permute(0, 3, 1, 2)


def depthwise(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, padding: int = 0) -> Tensor:
    """Return `conv2d(x, weight, bias, padding=padding, groups=C)`, with a fast gradient on a CPU.

    Args:
        x: (N, C, H, W).
        weight: (C, 1, side, side).
        bias: (C,), or None.
        padding: Zeros around the input.
    """
    groups = x.shape[1]
    slow = weight.shape[-1] == 5 and x.device.type == "cpu" and torch.is_grad_enabled()
    if not slow or torch.onnx.is_in_onnx_export():
        return F.conv2d(x, weight, bias, padding=padding, groups=groups)
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    convolved: Tensor = _Depthwise5.apply(x, weight, bias, padding)  # type: ignore[no-untyped-call]
    return convolved


class _Depthwise5(torch.autograd.Function):
    """A depthwise convolution by 5x5 whose weights get their gradient in two pieces."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x, weight)
        ctx.padding = padding
        return F.conv2d(x, weight, bias, padding=padding, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, weight = ctx.saved_tensors
        to_x, to_weight, to_bias, _ = ctx.needs_input_grad
        of_x = _input_gradient(x, weight, gradient, ctx.padding) if to_x else None
        of_weight = _weight_gradient(x, gradient, ctx.padding) if to_weight else None
        # By itself: the kernel that has it with the weights' gradient computes that anew.
        of_bias = gradient.sum((0, 2, 3)) if to_bias else None
        return of_x, of_weight, of_bias, None


def _input_gradient(x: Tensor, weight: Tensor, gradient: Tensor, padding: int) -> Tensor:
    how = ([1, 1], [padding] * 2, [1, 1], False, [0, 0], x.shape[1], [True, False, False])
    of_x: Tensor = torch.ops.aten.convolution_backward(gradient, x, weight, [x.shape[1]], *how)[0]
    return of_x


def _weight_gradient(x: Tensor, gradient: Tensor, padding: int) -> Tensor:
    """Return the gradient of (C, 1, 5, 5) weights: three columns of taps and two, each by itself."""
    channels = x.shape[1]
    taps = []
    for left, columns in ((0, 3), (3, 2)):
        borders = (padding - left, padding + left + columns - 5)  # negative ones cut off
        piece = F.pad(x, borders).contiguous(memory_format=torch.channels_last)
        how = ([1, 1], [padding, 0], [1, 1], False, [0, 0], channels, [False, True, False])
        small = x.new_empty(channels, 1, 5, columns)
        taps.append(torch.ops.aten.convolution_backward(gradient, piece, small, [channels], *how)[1])
    return torch.cat(taps, dim=3)
