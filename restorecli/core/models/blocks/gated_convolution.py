"""Gated convolution: a convolution that learns, pixel by pixel, what of its input is valid."""

from __future__ import annotations

from torch import Tensor, nn


class GatedConv(nn.Module):
    """LeakyReLU(W_f * x) times sigmoid(W_g * x), both 3x3 and in one convolution (eq. 3).

    Partial convolution (Liu et al., ECCV 2018) is the case of a gate that is 0 or 1 and follows from the mask
    alone; here it is learned, also for damage that is half transparent.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output.

    References:
        Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, 2 * channels_out, 3, padding=1)
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels_in, H, W) to (N, channels_out, H, W)."""
        features, gate = self.conv(x).chunk(2, dim=1)
        gated: Tensor = self.activation(features) * gate.sigmoid()
        return gated
