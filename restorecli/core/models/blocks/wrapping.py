"""Modules around modules: what is normalized before and restored after."""

from __future__ import annotations

from torch import Tensor, nn

from restorecli.core.models.blocks.normalization import LayerNorm2d


class InputNorm(nn.Module):
    """Give a network standardized images, and its output their mean and deviation back.

    y = std * network((x - mean) / std) + mean, with mean and deviation of each image over all its pixels
    and channels, which keeps its colors. The deviation is at least `floor`, so that flat images survive.

    Args:
        network: Maps (N, C, H, W) to images of any size.
        floor: Least deviation that is divided by.
    """

    def __init__(self, network: nn.Module, floor: float = 1e-2) -> None:
        super().__init__()
        self.network = network
        self.floor = floor

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) as the network does."""
        mean = x.mean((1, 2, 3), keepdim=True)
        std = x.std((1, 2, 3), correction=0, keepdim=True).clamp_min(self.floor)
        restored: Tensor = std * self.network((x - mean) / std) + mean
        return restored


class PreNorm(nn.Module):
    """A residual branch behind layer normalization: x + branch(LN(x)).

    Args:
        channels: Channels of input and output.
        branch: Maps (N, channels, H, W) to the same shape.
    """

    def __init__(self, channels: int, branch: nn.Module) -> None:
        super().__init__()
        self.norm = LayerNorm2d(channels)
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        restored: Tensor = x + self.branch(self.norm(x))
        return restored


def mlp_block(channels: int, factor: int = 4) -> PreNorm:
    """Return x + W2 GELU(W1 LN(x)), the MLP of transformers, pixel by pixel.

    Args:
        channels: Channels of input and output.
        factor: Inner channels in relation to outer ones.
    """
    inner = factor * channels
    return PreNorm(
        channels, nn.Sequential(nn.Conv2d(channels, inner, 1), nn.GELU(), nn.Conv2d(inner, channels, 1))
    )
