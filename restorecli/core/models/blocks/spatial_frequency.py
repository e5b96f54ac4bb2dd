"""Blocks of LCDNet that mix features in space and in frequency, and at several scales.

Gao, Dang, "LCDNet", arXiv:2504.10558, of which no code exists. The gates are NAFNet's (Chen et al., ECCV
2022), the feed-forward network is the one of its sibling ECFNet; what is chosen here is said where it stands.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.models.blocks.channelwise import DepthwiseConv2d
from restorecli.core.models.blocks.dynamic_filter import MultiScaleFrequency
from restorecli.core.models.blocks.naf import SimplifiedChannelAttention, simple_gate
from restorecli.core.models.blocks.normalization import LayerNorm2d

_MIN_POWER = 1e-6


class GatedMixer(nn.Module):
    """1x1 to twice the channels, depthwise 3x3, simple gate, simplified channel attention, 1x1.

    Args:
        channels: Channels of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.expand = nn.Conv2d(channels, wide, 1)
        self.depthwise = DepthwiseConv2d(wide, 3)
        self.attention = SimplifiedChannelAttention(channels)
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        mixed: Tensor = self.project(self.attention(simple_gate(self.depthwise(self.expand(x)))))
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
            wide = x.to(torch.promote_types(x.dtype, torch.float32))
            spectrum = torch.fft.rfft2(wide, norm="ortho")
            parts = torch.cat([spectrum.real, spectrum.imag], dim=1)
            strength = (parts.square().mean(dim=1, keepdim=True) + _MIN_POWER).sqrt()
            parts = parts / strength
        mixed = self.mixer(parts)
        with torch.autocast(x.device.type, enabled=False):
            real, imaginary = (mixed.to(strength.dtype) * strength).chunk(2, dim=1)
            changed = torch.complex(real.contiguous(), imaginary.contiguous())
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
        self.expand = nn.Conv2d(channels, wide, 1)
        self.first = nn.ModuleList(DepthwiseConv2d(wide, side) for side in (3, 5))
        self.second = nn.ModuleList(DepthwiseConv2d(channels, side, 2) for side in (3, 5))
        self.join = nn.Conv2d(wide, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        expanded = self.expand(x)
        halves = zip(*(simple_gate(path(expanded)).chunk(2, dim=1) for path in self.first), strict=True)
        crossed = [torch.cat(pair, dim=1) for pair in halves]
        gated = [simple_gate(path(pair)) for path, pair in zip(self.second, crossed, strict=True)]
        fed: Tensor = self.join(torch.cat(gated, dim=1))
        return fed


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
        y: Tensor = x + self.beta * (self.local_branch(normal) + self.global_branch(normal))
        fed: Tensor = self.feed(self.norm_feeding(y))
        return y + self.gamma * fed


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
                nn.Conv2d(channels, channels, 1),
                MultiScaleFrequency(channels),
                nn.Conv2d(channels, channels, 1),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = self.mixing(x)
        return y if self.selection is None else y + self.selection(y)
