"""Frequency selection in overlapping windows, for what stands out in one place of an image only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.blocks.frequency import SelectiveFrequency
from restorecli.core.models.limits import EDGES, check_window


class LocalFrequency(nn.Module):
    """Select frequencies window by window; windows overlap by half and are joined under a squared Hann.

    y = sum_j h s(h (x_j - m_j)) + h^2 m_j over sum_j h^2, with s the frequency selection, h the Hann window
    and m_j the window's mean under h: without its mean, a windowed patch leaks nothing of it into the lowest
    frequencies. Where s changes nothing, y is x.

    Memory grows fourfold over the image's. A pixel depends on those less than a window away.

    Args:
        channels: Channels of input and output.
        side: Of the windows, an even number of pixels.
        edges: See `SelectiveFrequency`.
        mode: See `SelectiveFrequency`.

    Raises:
        ValueError: The side is odd or below 8, or the selection's arguments are not possible.
    """

    def __init__(
        self,
        channels: int,
        side: int = 32,
        *,
        edges: Sequence[float] = EDGES,
        mode: Literal["mute", "clamp"] = "mute",
    ) -> None:
        super().__init__()
        check_window(side)
        self.side = side
        self.selection = SelectiveFrequency(channels, edges=edges, mode=mode, padding=0)
        line = torch.sin(torch.pi * (torch.arange(side) + 0.5) / side).square()
        self.register_buffer("hann", line[:, None] * line, persistent=False)
        self.hann: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        n, channels, height, width = x.shape
        with torch.autocast(x.device.type, enabled=False):
            padded, size = self._padded(x.float())
            columns = F.unfold(padded, self.side, stride=self.side // 2)  # (N, C side^2, L)
            patches = columns.transpose(1, 2).reshape(-1, channels, self.side, self.side)
            hann = self.hann.float()
            mean = (patches * hann).sum((2, 3), keepdim=True) / hann.sum()
            kept = hann * self.selection(hann * (patches - mean)) + hann.square() * mean
            columns = kept.reshape(n, -1, channels * self.side**2).transpose(1, 2)
            total = F.fold(columns, size, self.side, stride=self.side // 2)
            weight = hann.square().reshape(1, -1, 1).expand(1, -1, columns.shape[-1])
            y = total / F.fold(weight, size, self.side, stride=self.side // 2)
        half = self.side // 2
        return y[..., half : half + height, half : half + width].to(x.dtype)

    def _padded(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Continue an image by its border pixels so that each lies in four windows."""
        half = self.side // 2
        ends = [half + -side % half for side in x.shape[-2:]]
        padded = F.pad(x, (half, ends[1], half, ends[0]), mode="replicate")
        return padded, (padded.shape[-2], padded.shape[-1])
