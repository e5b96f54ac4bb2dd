"""Blocks of LCDNet that mix features in space and in frequency, and at several scales.

Gao, Dang, "LCDNet", arXiv:2504.10558, of which no code exists. The gates are NAFNet's (Chen et al., ECCV
2022), the feed-forward network is the one of its sibling ECFNet; what is chosen here is said where it stands.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from restorecli.core.models.blocks.channelwise import DepthwiseConv2d, depthwise
from restorecli.core.models.blocks.dynamic_filter import MultiScaleFrequency
from restorecli.core.models.blocks.half_plane import half_plane, joined, unit_parts
from restorecli.core.models.blocks.naf import SimplifiedChannelAttention, simple_gate
from restorecli.core.models.blocks.normalization import LayerNorm2d
from restorecli.core.models.blocks.pointwise import Pointwise, pointwise


class GatedMixer(nn.Module):
    """1x1 to twice the channels, depthwise 3x3, simple gate, simplified channel attention, 1x1.

    Args:
        channels: Channels of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.expand = Pointwise(channels, wide)
        self.depthwise = DepthwiseConv2d(wide, 3)
        self.attention = SimplifiedChannelAttention(channels)
        self.project = Pointwise(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        gated = simple_gate(self.depthwise(self.expand(x)))
        mixed: Tensor = self.project(gated, self.attention.scale(gated))
        return mixed


class SpectralMixer(nn.Module):
    """The global branch: a gated mixer between the Fourier transform and its inverse.

    It works on real and imaginary parts as 2C channels of the half-plane. Gates multiply, and a spectrum
    spans many orders of magnitude, which grow with the image; so every frequency is divided by its root
    mean square over the channels before, and multiplied by it after. That is chosen here: it makes the branch
    scale with its input, whatever the size. The transform is in float32 under any autocast.

    Args:
        channels: Channels of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mixer = GatedMixer(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        with torch.autocast(x.device.type, enabled=False):
            parts, strength = unit_parts(half_plane(x.to(torch.promote_types(x.dtype, torch.float32))))
        mixed = self.mixer(parts)
        with torch.autocast(x.device.type, enabled=False):
            changed = joined(mixed.to(strength.dtype), strength)
            back: Tensor = torch.fft.irfft2(changed, s=x.shape[-2:], norm="ortho").to(x.dtype)
        return back


class CrossScaleFeed(nn.Module):
    """A feed-forward network with kernels of 3x3 and 5x5 that exchange halves of their channels.

    1x1 to 2C; depthwise 3x3 and 5x5 on it, each gated to C; the first halves of both go on to a second
    depthwise 3x3, the second halves to a 5x5 (C to 2C, gated to C); both are joined by a 1x1. From ECFNet.

    Args:
        channels: Channels of input and output; even.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.expand = Pointwise(channels, wide)
        self.first = nn.ModuleList(DepthwiseConv2d(wide, side) for side in (3, 5))
        self.second = nn.ModuleList(DepthwiseConv2d(channels, side, 2) for side in (3, 5))
        self.join = Pointwise(wide, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        expanded = self.expand(x)
        first = simple_gate(*(path(expanded) for path in self.first))
        if torch.onnx.is_in_onnx_export():
            halves = torch.unflatten(first, 1, (2, 2, -1)).unbind(2)
            second = (path(half.flatten(1, 2)) for path, half in zip(self.second, halves, strict=True))
            recorded: Tensor = self.join(simple_gate(*second))
            return recorded
        # Copies of a half lie side by side, not of a channel: whole halves are copied and gated at a time.
        second = (_side_by_side(*pair) for pair in zip(self.second, _crossed(first), strict=True))
        weight = torch.unflatten(self.join.weight.flatten(1), 1, (2, -1, 2)).transpose(2, 3).flatten(1)
        return pointwise(simple_gate(*second), weight, self.join.bias)


def _side_by_side(path: nn.Module, doubled: Tensor) -> Tensor:
    """Convolve halves that come twice; first outputs of a half's channels come out before second ones."""
    weight, bias = (_by_turns(parameters) for parameters in path.parameters())
    return depthwise(doubled, weight, bias, padding=weight.shape[-1] // 2)


def _by_turns(parameters: Tensor) -> Tensor:
    """Order the parameters of 2C outputs as first and second outputs of C / 2 inputs, then of the others."""
    return torch.unflatten(parameters, 0, (2, -1, 2)).transpose(1, 2).flatten(0, 2)


def _crossed(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first halves of both halves of the channels, each twice, and the second ones likewise.

    Args:
        x: (N, 2 C, H, W), in quarters a, b, c, d.

    Returns:
        a, a, c, c and b, b, d, d, each (N, 2 C, H, W) in the memory format channels-last.
    """
    pair: tuple[Tensor, Tensor] = _Crossed.apply(x)  # type: ignore[no-untyped-call]
    return pair


class _Crossed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401, ARG004
        quarters = torch.unflatten(x.permute(0, 2, 3, 1), -1, (2, 2, -1))
        first, second = (torch.stack([half, half], dim=-2).flatten(3) for half in quarters.unbind(-2))
        return first.permute(0, 3, 1, 2), second.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401, ARG004
        rows = [torch.unflatten(gradient.permute(0, 2, 3, 1), -1, (2, 2, -1)) for gradient in gradients]
        of_x = rows[0].new_empty(rows[0].shape)
        for half, row in zip(of_x.unbind(-2), rows, strict=True):
            torch.add(*row.unbind(-2), out=half)
        return of_x.flatten(3).permute(0, 3, 1, 2)


class MssfBlock(nn.Module):
    """MSSFBlock: y = x + beta (local(LN(x)) + global(LN(x))), then y + gamma F(LN(y)).

    The local branch is a gated mixer, the global one the same in frequency, F the feed-forward network.
    Layer norms, and beta and gamma per channel that start at 0, are chosen as in NAFNet.

    Args:
        channels: Channels of input and output; even.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm_mixing = LayerNorm2d(channels)
        self.local_branch = GatedMixer(channels)
        self.global_branch = SpectralMixer(channels)
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.norm_feeding = LayerNorm2d(channels)
        self.feed = CrossScaleFeed(channels)
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        normal = self.norm_mixing(x)
        y = torch.addcmul(x, self.local_branch(normal) + self.global_branch(normal), self.beta)
        return torch.addcmul(y, self.feed(self.norm_feeding(y)), self.gamma)


class HsfsBlock(nn.Module):
    """HSFSBlock: y = MSSF_N(... MSSF_1(x)), then y + W2 MSFM(W1 y) with 1x1 convolutions W1 and W2.

    Args:
        channels: Channels of input and output; even.
        depth: N, the number of MSSFBlocks.
        msfm: Without it, W1 and W2 go too, and y is the result.
    """

    def __init__(self, channels: int, depth: int, *, msfm: bool = True) -> None:
        super().__init__()
        self.mixing = nn.Sequential(*(MssfBlock(channels) for _ in range(depth)))
        self.selection: nn.Module | None = None
        if msfm:
            self.selection = nn.Sequential(
                Pointwise(channels, channels),
                MultiScaleFrequency(channels),
                Pointwise(channels, channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = self.mixing(x)
        return y if self.selection is None else y + self.selection(y)
