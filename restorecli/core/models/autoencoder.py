"""The convolutional autoencoder baseline: everything goes through a narrow middle, without skips."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Four 4x4 convolutions of stride 2 with ReLU, their mirror image of transposed ones, and a sigmoid.

    Channels 3-32-64-128-256 and back. The report gives no sizes; these are chosen. What the middle, at a
    sixteenth of the image's sides, cannot hold is lost: the output is blurred, and pure white is never
    quite reached.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first level; the others have 2, 4 and 8 times as many.
    """

    scale = 1
    multiple = 16
    # An output pixel sees 1 pixel far in the middle; each level of the encoder doubles that and adds 2.
    receptive_field: int | None = 2 * 46 + 1

    def __init__(self, channels: int = 3, width: int = 32) -> None:
        super().__init__()
        self.channels = channels
        widths = [channels, *(width * 2**level for level in range(4))]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
        for before, after in pairwise(reversed(widths)):
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers[:-1], nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], H and W multiples of 16, to restored of the same shape."""
        restored: Tensor = self.layers(x)
        return restored
