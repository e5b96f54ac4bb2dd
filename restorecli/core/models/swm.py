"""SWM: selective frequency attention for sand-dust images, in an encoder-decoder.

After the post "Seeing what matters" and its source, Mishra and Dhara, "Dust to Detail", CVPR Workshops 2025,
which name frequency selection and weighting, a multi-scale directional filter bank, and self-attention on
what is selected, and give no layer sizes. Those are chosen here, as is the color head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.depthwise import DilatedDepthwise
from restorecli.core.models.blocks.frequency import SelectiveFrequency
from restorecli.core.models.blocks.local_frequency import LocalFrequency
from restorecli.core.models.blocks.naf import NafBlock
from restorecli.core.models.blocks.transposed_attention import TransposedAttention

LEVELS = 3
_FILTERED_LEVELS = 2


class DirectionalFilterBank(nn.Module):
    """MSDFB: depthwise 3x3, 5x5, 1x7, 7x1 and dilated 3x3 side by side, joined by a 1x1, added to the input.

    Args:
        channels: Channels of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.filters = nn.ModuleList(
            nn.Conv2d(channels, channels, shape, padding="same", groups=channels)
            for shape in ((3, 3), (5, 5), (1, 7), (7, 1))
        )
        self.filters.append(DilatedDepthwise(channels))
        self.join = nn.Conv2d(len(self.filters) * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        joined: Tensor = self.join(torch.cat([each(x) for each in self.filters], dim=1))
        return x + joined


class SwmBlock(nn.Module):
    """1x1, frequency selection, attention between channels, 1x1; added to the input times gamma, 0 at first.

    Args:
        channels: Channels of input and output.
        heads: Of the attention.
        selection: The frequency selection, or the identity where it is switched off.
    """

    def __init__(self, channels: int, heads: int, selection: nn.Module) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, channels, 1)
        self.selection = selection
        self.attention = TransposedAttention(channels, heads)
        self.leave = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        attended: Tensor = self.leave(self.attention(self.selection(self.enter(x))))
        return x + self.gamma * attended


class ColorHead(nn.Module):
    """A gain and an offset per color from the mean of the deepest features; at first 1 and 0.

    Dust is mostly a cast over the whole image, which this takes off before anything local is added.

    Args:
        features: Channels of the features.
        channels: Of the image.
    """

    def __init__(self, features: int, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, max(features // 4, 1))
        self.out = nn.Linear(max(features // 4, 1), 2 * channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        """Map the image (N, C, H, W) to the same shape, by what the features (N, F, h, w) say."""
        change: Tensor = self.out(nn.functional.gelu(self.hidden(features.mean(dim=(2, 3)))))
        gain, offset = change[:, :, None, None].chunk(2, dim=1)
        return x + gain * x + offset


class Swm(nn.Module):
    """SWM; untrained it is the identity, since its last convolution starts at zero.

    Each of three encoder levels has two NAF blocks and an SWM block, the upper two a filter bank before them;
    two SWM blocks are the bottleneck. 2x2 convolutions with stride 2 go down; 1x1 convolutions with pixel
    shuffle go up, where skips are concatenated and joined by a 1x1, and two NAF blocks follow. The color
    head corrects the input, to which the last convolution's output is added.

    Spectra and attention are of the whole image, so every output pixel depends on every input pixel and
    tiles change the result.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first level; the two below have twice and four times as many, the bottleneck
            eight times, and the attention 1, 2, 4 and 8 heads.
        depths: NAF blocks on each of the three levels, down and up.
        bottleneck: SWM blocks at the bottom.
        edges: Between the frequency bands, as shares of the Nyquist frequency.
        mode: Of the selection: "mute" or "clamp"; see `SelectiveFrequency`.
        padding: Of the selection, in pixels of each level.
        window: Side of overlapping windows, in pixels of each level, in which frequencies are selected; None
            selects those of the whole image.
        frequency_selection: False leaves the selection out and everything else as it is, for the ablation.

    Raises:
        ValueError: A depth, the edges, the mode, the padding or the window are not possible.
    """

    scale = 1
    multiple = 2**LEVELS
    receptive_field: int | None = None

    def __init__(
        self,
        channels: int = 3,
        width: int = 32,
        depths: Sequence[int] = (2, 2, 2),
        bottleneck: int = 2,
        *,
        edges: Sequence[float] = limits.EDGES,
        mode: Literal["mute", "clamp"] = "mute",
        padding: int = 8,
        window: int | None = None,
        frequency_selection: bool = True,
    ) -> None:
        super().__init__()
        limits.swm(depths, bottleneck, mode, window, edges=edges)
        self.channels = channels
        widths = [width * 2**level for level in range(LEVELS + 1)]

        def block(level: int) -> SwmBlock:
            wide, heads = widths[level], 2**level
            selection: nn.Module = nn.Identity()
            if frequency_selection and window is not None:
                selection = LocalFrequency(wide, window, edges=edges, mode=mode)
            elif frequency_selection:
                selection = SelectiveFrequency(wide, edges=edges, mode=mode, padding=padding)
            return SwmBlock(wide, heads, selection)

        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.encoder = nn.ModuleList()
        for level, (wide, depth) in enumerate(zip(widths[:-1], depths, strict=True)):
            bank = [DirectionalFilterBank(wide)] if level < _FILTERED_LEVELS else []
            self.encoder.append(nn.Sequential(*bank, *_naf_blocks(wide, depth), block(level)))
        self.down = nn.ModuleList(nn.Conv2d(w, 2 * w, 2, stride=2) for w in widths[:-1])
        self.bottleneck = nn.Sequential(*(block(LEVELS) for _ in range(bottleneck)))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * w, 4 * w, 1, bias=False), nn.PixelShuffle(2))
            for w in reversed(widths[:-1])
        )
        self.decoder = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * wide, wide, 1), *_naf_blocks(wide, depth))
            for wide, depth in zip(widths[-2::-1], reversed(depths), strict=True)
        )
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)
        self.colour = ColorHead(widths[-1], channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], H and W multiples of 8, to restored of the same shape."""
        y = self.first(x)
        skips: list[Tensor] = []
        for encode, down in zip(self.encoder, self.down, strict=True):
            y = encode(y)
            skips.append(y)
            y = down(y)
        deepest = self.bottleneck(y)
        y = deepest
        for decode, up in zip(self.decoder, self.up, strict=True):
            y = decode(torch.cat([up(y), skips.pop()], dim=1))
        restored: Tensor = self.colour(x, deepest) + self.last(y)
        return restored


def _naf_blocks(width: int, depth: int) -> list[NafBlock]:
    return [NafBlock(width) for _ in range(depth)]
