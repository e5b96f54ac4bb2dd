"""Dynamic filters: an image's own low-pass splits its features, and the two parts are weighed anew.

SFNet (Cui, Tao, Bing, Ren, Gao, Cao, Huang, Knoll, "Selective Frequency Network for Image Restoration", ICLR
2023) has these filters with batch norm; LCDNet's MSFM (Gao, Dang, arXiv:2504.10558) with layer norm.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.blocks.channelwise import depthwise
from restorecli.core.models.blocks.mirroring import mirrored_or_repeated

GROUPS = 8
_MIN_INNER = 32


class DynamicLowPass(nn.Module):
    """Split x into low + high by filters that are made of x: softmax over the taps of LN(W GAP(x)).

    The taps are at least 0 and add up to 1, so that a filter can only smooth. The image is mirrored at its
    border (repeated where it is smaller than the filter).

    Args:
        channels: Channels of input and outputs.
        side: Of the filters, in pixels; odd.

    Attributes:
        groups: How many groups of channels have a filter of their own: 8, or fewer where the channels do not
            divide by 8.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.groups = math.gcd(GROUPS, channels)
        taps = self.groups * side**2
        self.weigh = nn.Linear(channels, taps, bias=False)
        nn.init.kaiming_normal_(self.weigh.weight, nonlinearity="relu")
        self.norm = nn.LayerNorm(taps)

    def filters(self, x: Tensor) -> Tensor:
        """Return the filters of each image, (N, groups, side, side), for (N, C, H, W)."""
        logits: Tensor = self.norm(self.weigh(x.mean(dim=(2, 3))))
        taps = logits.reshape(x.shape[0], self.groups, -1).softmax(dim=-1)
        return taps.reshape(x.shape[0], self.groups, self.side, self.side)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, C, H, W) to its low and its high part, of the same shape; they add up to x."""
        n, channels, height, width = x.shape
        kernels = self.filters(x).repeat_interleave(channels // self.groups, dim=1).flatten(0, 1)[:, None]
        # Rounded taps do not add up to 1 exactly: around one of its pixels, a flat image still has no high.
        around = x - x[..., :1, :1]
        padded = _mirrored(around, self.side // 2).reshape(1, n * channels, *_grown(height, width, self.side))
        smooth = depthwise(padded, kernels.to(x.dtype)).reshape(x.shape)
        high = around - smooth
        return x - high, high


def _grown(height: int, width: int, side: int) -> tuple[int, int]:
    return height + side - 1, width + side - 1


def _mirrored(x: Tensor, border: int) -> Tensor:
    if torch.onnx.is_in_onnx_export():
        return mirrored_or_repeated(x, border)
    mode = "reflect" if border < min(x.shape[-2:]) else "replicate"
    return F.pad(x, (border, border, border, border), mode=mode)


class FrequencySelect(nn.Module):
    """Weigh the low and the high part per channel: W (low a_l + high a_h), a_l + a_h = 1.

    The weights are a softmax over the pair, from z = GELU(FC(GAP(low + high))) and a head for each part.
    SFNet's code takes the softmax over all 2C values instead, which makes them small, and has no GELU.

    Args:
        channels: Channels of inputs and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // 2, _MIN_INNER)
        self.squeeze = nn.Linear(channels, inner)
        self.heads = nn.Linear(inner, 2 * channels)
        self.join = nn.Conv2d(channels, channels, 1)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Map two (N, C, H, W) to one of the same shape."""
        z = F.gelu(self.squeeze((low + high).mean(dim=(2, 3))))
        shares = self.heads(z).reshape(z.shape[0], 2, -1).softmax(dim=1)[..., None, None].to(low.dtype)
        joined: Tensor = self.join(low * shares[:, 0] + high * shares[:, 1])
        return joined


class MultiScaleFrequency(nn.Module):
    """MSFM: half of the channels is split and weighed with filters of 3x3, the other half with 5x5.

    Args:
        channels: Channels of input and output; even.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.splits = nn.ModuleList(DynamicLowPass(half, side) for side in (3, 5))
        self.selects = nn.ModuleList(FrequencySelect(half) for _ in self.splits)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        halves = zip(x.chunk(2, dim=1), self.splits, self.selects, strict=True)
        return torch.cat([select(*split(half)) for half, split, select in halves], dim=1)
