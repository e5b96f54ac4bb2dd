"""The U-Net of Noise2Noise.

Lehtinen et al., "Noise2Noise: Learning Image Restoration without Clean Data", ICML 2018. Which images it is
trained on, the paper's point, is the matter of the training strategy of the same name.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models import limits


class Noise2NoiseUNet(nn.Module):
    """Encoder of 48 channels with five 2x2 max-pools, decoder of 96 with nearest-neighbor steps up.

    LeakyReLU 0.1 after all convolutions but the last; no residual: the image itself is predicted, in the
    paper's range -0.5 to 0.5, to and from which pixels are shifted inside. He's start, with gain 1 for the
    last layer. With RGB: 991,203 parameters.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the encoder; the decoder has twice as many, its last layers 4/3 and 2/3.

    Raises:
        ValueError: The width is below 2.
    """

    scale = 1
    multiple = 32
    # Radius of what one output pixel sees: decoder 3 convolutions at level 0, then halved and 2 more at each
    # of levels 1 to 4: 4; halved and 1 more at level 5: 3. Encoder: doubled, 1 more for the pool and 1 for
    # the convolution, at level 0 for two: 8, 18, 38, 78, 159.
    receptive_field: int | None = 2 * 159 + 1

    def __init__(self, channels: int = 3, width: int = 48) -> None:
        super().__init__()
        limits.noise2noise(width)
        self.channels = channels
        wide, narrow, last = 2 * width, 4 * width // 3, 2 * width // 3
        self.first = _convolution(channels, width)
        self.encoder = nn.ModuleList(_convolution(width, width) for _ in range(5))
        self.bottom = _convolution(width, width)
        self.decoder = nn.ModuleList(
            nn.Sequential(_convolution(wide if level == 4 else wide + width, wide), _convolution(wide, wide))
            for level in (4, 3, 2, 1)
        )
        self.head = nn.Sequential(
            _convolution(wide + channels, narrow),
            _convolution(narrow, last),
            nn.Conv2d(last, channels, 3, padding=1),
        )
        nn.init.kaiming_normal_(self.head[-1].weight, nonlinearity="linear")  # type: ignore[arg-type]
        nn.init.zeros_(self.head[-1].bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], H and W multiples of 32, to restored of the same shape."""
        shifted = x - 0.5
        skips = [shifted]
        y = self.first(shifted)
        for encode in self.encoder:
            y = F.max_pool2d(encode(y), 2)
            skips.append(y)
        y = self.bottom(skips.pop())
        for decode in (*self.decoder, self.head):
            y = F.interpolate(y, scale_factor=2, mode="nearest")
            y = decode(torch.cat([y, skips.pop()], dim=1))
        restored: Tensor = y + 0.5
        return restored


def _convolution(before: int, after: int) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, a=0.1, nonlinearity="leaky_relu")
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    return nn.Sequential(convolution, nn.LeakyReLU(0.1))
