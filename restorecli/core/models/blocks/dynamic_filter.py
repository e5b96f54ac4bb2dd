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
from restorecli.core.models.blocks.pointwise import Pointwise

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
        return self._filters(x.mean(dim=(2, 3)))

    def _filters(self, mean: Tensor) -> Tensor:
        logits: Tensor = self.norm(self.weigh(mean))
        taps = torch.unflatten(logits, -1, (self.groups, -1)).softmax(dim=-1)
        return torch.unflatten(taps, -1, (self.side, self.side))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, C, H, W) to its low and its high part, of the same shape; they add up to x."""
        high = self.high(x, x.mean(dim=(2, 3)))
        return x - high, high

    def high(self, x: Tensor, mean: Tensor) -> Tensor:
        """Return the high part of (N, C, H, W), of the same shape, given the mean of each channel, (N, C)."""
        n, channels, height, width = x.shape
        kernels = self._filters(mean).repeat_interleave(channels // self.groups, dim=1).to(x.dtype)
        # Rounded taps do not add up to 1 exactly: around one of its pixels, a flat image still has no high.
        # Exact ones do, so that the gradient need not know.
        around = x - x[..., :1, :1].detach()
        padded = _mirrored(around, self.side // 2)
        if x.device.type == "cpu" and not torch.onnx.is_in_onnx_export():  # channels-last is faster there
            images = zip(torch.split(padded, 1), kernels, strict=True)
            smooth = torch.cat([depthwise(image, taps[:, None]) for image, taps in images])
        else:
            together = padded.reshape(1, n * channels, *_grown(height, width, self.side))
            smooth = depthwise(together, kernels.flatten(0, 1)[:, None]).reshape(x.shape)
        return around - smooth


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
        self.join = Pointwise(channels, channels)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Map two (N, C, H, W) to one of the same shape."""
        whole = low + high
        return self.weighed(whole, high, whole.mean(dim=(2, 3)))

    def weighed(self, whole: Tensor, high: Tensor, mean: Tensor) -> Tensor:
        """Weigh low = whole - high and high, (N, C, H, W), given the mean of the whole, (N, C).

        low a_l + high a_h is whole a_l + high (a_h - a_l).
        """
        z = F.gelu(self.squeeze(mean))
        shares = torch.unflatten(self.heads(z), 1, (2, -1)).softmax(dim=1).to(whole.dtype)
        of_low, of_high = shares[..., None, None].unbind(1)
        joined: Tensor = self.join(torch.addcmul(whole * of_low, high, of_high - of_low))
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
        return torch.cat([_selected(*parts) for parts in halves], dim=1)


def _selected(x: Tensor, split: nn.Module, select: nn.Module) -> Tensor:
    assert isinstance(split, DynamicLowPass)  # noqa: S101 - only mypy does not know
    assert isinstance(select, FrequencySelect)  # noqa: S101
    mean = x.mean(dim=(2, 3))
    return select.weighed(x, split.high(x, mean), mean)
