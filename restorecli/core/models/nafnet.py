"""NAFNet: a U-Net of blocks without activation functions.

Chen, Chu, Zhang, Sun, "Simple Baselines for Image Restoration", ECCV 2022, arXiv:2204.04676.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.naf import NafBlock


class NafNet(nn.Module):
    """NAFNet; its output is a residual added to the input.

    2x2 convolutions with stride 2 halve the sides and double the channels; 1x1 convolutions with pixel
    shuffle do the opposite, and skips are added. The defaults are the published network for GoPro at width 32
    (17,111,907 parameters; 67,888,835 at width 64). The one for SIDD has encoder (2, 2, 4, 8), middle 12 and
    decoder (2, 2, 2, 2): 29,159,715 parameters, and 115,982,915 at width 64.

    Its channel attention pools over the whole image, so every output pixel depends on every input pixel and
    tiles change the result. With `local_pooling` it pools over windows instead, as far as crops in training
    reached. The field is then bounded, but every block widens it by a window: for the default network with
    384 pixels it is 14,383 pixels wide, so that tiles come near the whole image's result, not up to it.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first level; each level below has twice as many.
        encoder: Blocks on each level on the way down.
        middle: Blocks on the deepest level.
        decoder: Blocks on each level on the way up, deepest first; as many levels as `encoder`.
        local_pooling: Side, in pixels of the input, of the windows that evaluation pools over; the authors
            take 1.5 times the crops of training (TLC, Chu et al., ECCV 2022). None pools over everything.

    Raises:
        ValueError: The numbers of blocks are not possible, or the levels of the two ways differ.
    """

    scale = 1

    def __init__(
        self,
        channels: int = 3,
        width: int = 32,
        encoder: Sequence[int] = (1, 1, 1, 28),
        middle: int = 1,
        decoder: Sequence[int] = (1, 1, 1, 1),
        *,
        local_pooling: int | None = None,
    ) -> None:
        super().__init__()
        limits.nafnet(encoder, middle, decoder)
        levels = len(encoder)
        self.channels = channels
        self.multiple = 2**levels
        windows = _windows(local_pooling, levels)
        self.receptive_field: int | None = _field(encoder, middle, decoder, windows)
        widths = [width * 2**level for level in range(levels + 1)]
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.encoder = nn.ModuleList(_blocks(*level) for level in zip(encoder, widths, windows, strict=False))
        self.down = nn.ModuleList(nn.Conv2d(w, 2 * w, 2, stride=2) for w in widths[:-1])
        self.middle = _blocks(middle, widths[-1], windows[-1])
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * w, 4 * w, 1, bias=False), nn.PixelShuffle(2))
            for w in reversed(widths[:-1])
        )
        self.decoder = nn.ModuleList(
            _blocks(*level) for level in zip(decoder, widths[-2::-1], windows[-2::-1], strict=True)
        )
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of `multiple`, to restored of its shape."""
        y = self.first(x)
        skips: list[Tensor] = []
        for encode, down in zip(self.encoder, self.down, strict=True):
            y = encode(y)
            skips.append(y)
            y = down(y)
        y = self.middle(y)
        for decode, up in zip(self.decoder, self.up, strict=True):
            y = decode(up(y) + skips.pop())
        restored: Tensor = x + self.last(y)
        return restored


def _blocks(depth: int, width: int, window: int | None) -> nn.Sequential:
    return nn.Sequential(*(NafBlock(width, window=window) for _ in range(depth)))


def _windows(local_pooling: int | None, levels: int) -> list[int | None]:
    """Return the side of the pooling windows on each level, in that level's own pixels."""
    if local_pooling is None:
        return [None] * (levels + 1)
    return [max(1, local_pooling // 2**level) for level in range(levels + 1)]


def _field(down: Sequence[int], middle: int, up: Sequence[int], windows: list[int | None]) -> int | None:
    """Return the side of the square that an output pixel depends on; None with global pooling.

    From the deepest level up, r is the radius in the pixels of a level: a block adds 1 for its depthwise
    convolution and half its window, and going down and up again makes r of one level 2r + 1 of the one above.
    """
    reach = [1 + window // 2 for window in windows if window is not None]
    if not reach:
        return None
    radius = middle * reach[-1]
    for level in reversed(range(len(down))):
        radius = 2 * radius + 1 + (down[level] + up[-1 - level]) * reach[level]
    return 2 * (radius + 2) + 1  # the first and the last convolution
