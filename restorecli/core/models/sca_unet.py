"""SCA-UNet: a residual U-Net with spatial-channel attention on its skips and a non-local bottleneck.

Sarvesan and Mendhe, "Image Denoising and Deblurring" (MVTec inspection images). The layers follow the
authors' published code, down to its 867,842 parameters.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models import limits
from restorecli.core.models.blocks.attention import NonLocalBlock, SpatialChannelAttention
from restorecli.core.models.blocks.convolution import DoubleConv


class ScaUNet(nn.Module):
    """SCA-UNet; its output is a residual added to the input.

    The attended tensor goes over the skip; the un-attended one goes down through the 2x2 max-pool. Global
    average pooling and the non-local block make every output pixel depend on the whole image, so tiles
    change the result a little.

    Args:
        channels: 3 for RGB (as published) or 1 for gray.
        width: Channels of the first level; the others have 2, 4 and 8 times as many.
        weighting: Of the non-local block: "softmax" (the paper) or "dot" (the published code).
        legacy_nonlocal: Reproduce the published code's untransposed reshape; only for its own weights.
        attention: False lets skips pass as they are, for the ablation.
        non_local: False leaves the non-local block out of the bottleneck, for the ablation.

    Raises:
        ValueError: With attention a width below 16, or an unknown weighting.
    """

    scale = 1
    multiple = 8
    receptive_field: int | None = None

    def __init__(
        self,
        channels: int = 3,
        width: int = 16,
        *,
        weighting: Literal["softmax", "dot"] = "softmax",
        legacy_nonlocal: bool = False,
        attention: bool = True,
        non_local: bool = True,
    ) -> None:
        super().__init__()
        limits.sca_unet(width, weighting, attention=attention)
        self.channels = channels
        widths = [width * 2**level for level in range(4)]
        self.encoder = nn.ModuleList(
            DoubleConv(i, o, residual=True) for i, o in zip([channels, *widths], widths, strict=False)
        )
        self.attention = nn.ModuleList(
            SpatialChannelAttention(w) if attention else nn.Identity() for w in widths
        )
        self.bottleneck = DoubleConv(widths[3], widths[3], residual=True)
        self.non_local = (
            NonLocalBlock(widths[3], weighting=weighting, untransposed=legacy_nonlocal)
            if non_local
            else nn.Identity()
        )
        self.decoder = nn.ModuleList(
            DoubleConv(below + skip, skip, residual=True)
            for below, skip in ((widths[3], widths[2]), (widths[2], widths[1]), (widths[1], widths[0]))
        )
        self.last = nn.Conv2d(widths[0], channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], H and W multiples of 8, to restored of the same shape."""
        skips = []
        y = x
        for level, (encode, attend) in enumerate(zip(self.encoder, self.attention, strict=True)):
            y = encode(y if level == 0 else F.max_pool2d(y, 2))
            skips.append(attend(y))
        y = self.non_local(self.bottleneck(skips.pop()))
        for decode in self.decoder:
            y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=True)
            y = decode(torch.cat([y, skips.pop()], dim=1))
        restored: Tensor = x + self.last(y)
        return restored
