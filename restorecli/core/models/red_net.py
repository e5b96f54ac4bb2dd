"""RED-Net: a chain of convolutions and a mirrored chain of transposed ones, with skips between them.

Mao, Shen, Yang, "Image Restoration Using Very Deep Convolutional Encoder-Decoder Networks with Symmetric Skip
Connections", NeurIPS 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.models import limits


class RedNet(nn.Module):
    """RED10, RED20 or RED30: all 3x3, stride 1 as in the paper, ReLU after all layers but the last.

    Every second convolution's output is added to the mirrored transposed convolution's, before its ReLU; the
    input is added to the last output. The last ReLU of a well-known port is left out: it would cut negative
    values off, and the restorer clamps anyway. RED10 has no inner skips. He's start, the last layer at a
    tenth of it (chosen: the skips' sums would else begin far above the noise). With RGB: 298,947, 668,227 and
    1,037,507 parameters.

    Args:
        channels: 3 for RGB or 1 for gray.
        depth: Layers in all: 30, 20, 10 or another even number.
        width: Channels inside.
        skips: False leaves the inner skips out, to see what they do.
        halved: Work at half the sides, and with a ReLU before a skip is added as after it, as in a well-known
            port, whose weights need it.

    Raises:
        ValueError: `depth` is odd.
    """

    scale = 1

    def __init__(
        self,
        channels: int = 3,
        depth: int = 30,
        width: int = 64,
        *,
        skips: bool = True,
        halved: bool = False,
    ) -> None:
        super().__init__()
        limits.red_net(depth)
        half = depth // 2
        self.channels = channels
        self.halved = halved
        self.multiple = 2 if halved else 1
        self.receptive_field: int | None = 4 * depth - 1 if halved else 2 * depth + 1
        self.kept = frozenset(range(2, half, 2)) if skips and depth > 10 else frozenset()
        down = [nn.Conv2d(channels if i == 0 else width, width, 3, padding=1) for i in range(half)]
        up = [
            nn.ConvTranspose2d(width, channels if i == half - 1 else width, 3, padding=1) for i in range(half)
        ]
        if halved:
            down[0].stride = up[-1].stride = (2, 2)
            up[-1].output_padding = (1, 1)
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        layers: list[nn.Conv2d | nn.ConvTranspose2d] = [*down, *up]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            up[-1].weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1] to restored of the same shape."""
        saved: dict[int, Tensor] = {}
        y = x
        for number, layer in enumerate(self.down, start=1):
            y = layer(y).relu()
            if number in self.kept:
                saved[number] = y
        *inner, last = self.up
        for number, layer in zip(range(len(inner), 0, -1), inner, strict=True):
            y = layer(y).relu() if self.halved else layer(y)
            y = (y + saved[number] if number in saved else y).relu()
        restored: Tensor = x + last(y)
        return restored
