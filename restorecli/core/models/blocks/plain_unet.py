"""The U-Net that the baseline and the network for old photographs have in common."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LEVELS = 4


class PlainUNet(nn.Module):
    """A U-Net of four levels with max pooling and bilinear steps up, with aligned corners off.

    Args:
        channels_in: Of the image.
        channels_out: Of what comes out.
        width: Channels of the first level; the others have 2, 4 and 8 times as many.
        pair: Builds two convolutions from the numbers of channels before and after them.
    """

    def __init__(
        self, channels_in: int, channels_out: int, width: int, pair: Callable[[int, int], nn.Module]
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(_LEVELS)]
        self.encoder = nn.ModuleList(
            pair(before, after) for before, after in zip([channels_in, *widths], widths, strict=False)
        )
        self.decoder = nn.ModuleList(
            pair(widths[level + 1] + widths[level], widths[level]) for level in reversed(range(_LEVELS - 1))
        )
        self.last = nn.Conv2d(width, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels_in, H, W), H and W multiples of 8, to (N, channels_out, H, W)."""
        skips: list[Tensor] = []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        x = skips.pop()
        for decode in self.decoder:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = decode(torch.cat([x, skips.pop()], dim=1))
        y: Tensor = self.last(x)
        return y
