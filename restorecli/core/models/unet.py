"""The plain U-Net baseline.

After Ronneberger et al., "U-Net", MICCAI 2015, in the form that restoration uses: padded convolutions, no
batch norm, bilinear up-sampling and a global residual.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor

from restorecli.core.models.blocks.convolution import DoubleConv
from restorecli.core.models.blocks.plain_unet import PlainUNet


class UNet(PlainUNet):
    """A four-level U-Net whose output is a residual added to the input.

    Up-sampling has aligned corners off, unlike SCA-UNet's: the network is then the same function everywhere
    in the image, and tiles that start at multiples of 8 with enough overlap change nothing.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first level; the others have 2, 4 and 8 times as many.
    """

    scale = 1
    multiple = 8
    # Radius of what one output pixel sees, level by level (stride s): encoder 2s per double convolution and s
    # per pool, decoder 2s per double convolution and 2s per bilinear step from 2s: 37 + 16 + 8 + 4 = 65.
    receptive_field: int | None = 2 * 65 + 1

    def __init__(self, channels: int = 3, width: int = 32) -> None:
        super().__init__(channels, channels, width, partial(DoubleConv, residual=False))
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], H and W multiples of 8, to restored of the same shape."""
        restored: Tensor = x + super().forward(x)
        return restored
