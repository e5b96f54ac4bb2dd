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


class ResidualBlock(nn.Module):
    """x + weight * conv(ReLU(conv(x))), both 3x3 and without batch norm (EDSR's block).

    Args:
        channels: Channels of input and output.
        weight: Of the branch: 1, or 0.1 where very wide networks would else diverge.
        bias: Give the convolutions biases.
    """

    def __init__(self, channels: int, *, weight: float = 1.0, bias: bool = True) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
        )
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y: Tensor = self.body(x)
        return x + (y if self.weight == 1 else self.weight * y)


class DepthwiseSeparable(nn.Sequential):
    """A depthwise k x k convolution without bias and a pointwise 1x1 one, in place of a dense k x k one.

    It has C k^2 + C C' (+ C') parameters instead of C C' k^2 (+ C'): 1/C' + 1/k^2 of them. Howard et al.,
    "MobileNets", arXiv:1704.04861.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output.
        kernel: Side of the depthwise kernel, odd.
        padding: Zeros around the input; None keeps its size.
        bias: Give the pointwise convolution a bias.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int = 3,
        *,
        padding: int | None = None,
        bias: bool = True,
    ) -> None:
        padding = kernel // 2 if padding is None else padding
        super().__init__(
            nn.Conv2d(channels_in, channels_in, kernel, padding=padding, groups=channels_in, bias=False),
            nn.Conv2d(channels_in, channels_out, 1, bias=bias),
        )
