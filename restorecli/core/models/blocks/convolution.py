"""Convolutional blocks that several networks share."""

from __future__ import annotations

from torch import Tensor, nn


class DoubleConv(nn.Module):
    """Two 3x3 convolutions, each followed by ReLU; optionally with a residual shortcut.

    With `residual`, the output is body(x) + shortcut(x) with no activation after the sum; the shortcut is the
    identity, or a 1x1 convolution where the number of channels changes.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output.
        residual: Add the shortcut.
    """

    def __init__(self, channels_in: int, channels_out: int, *, residual: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.residual = residual
        changes = residual and channels_in != channels_out
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels_in, H, W) to (N, channels_out, H, W)."""
        y: Tensor = self.body(x)
        return y + self.shortcut(x) if self.residual else y
