"""ResNet in the form of EDSR's baseline: residual blocks without batch norm, for one size or larger ones.

Lim, Son, Kim, Nah, Lee, "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR Workshops
2017; the residual blocks go back to Ledig et al. (SRResNet), CVPR 2017.
"""

from __future__ import annotations

from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.convolution import ResidualBlock
from restorecli.core.models.blocks.upsampling import Upsampler, enlarge


class ResNet(nn.Module):
    """3x3 convolution, residual blocks, 3x3 convolution added to the first's output, up-sampler, 3x3.

    Chosen here: the result is added to the input, enlarged bilinearly (as MSRResNet does), and the paper's
    subtraction of a data set's mean is left out, since it changes nothing then. With scale 2: 1,369,859
    parameters; with scale 4: 1,517,571.

    Args:
        channels: 3 for RGB or 1 for gray.
        scale: 1 restores at the same size; 2, 3 and 4 enlarge.
        blocks: Residual blocks: 16 in the baseline.
        width: Channels inside.
        residual_weight: Of every block's branch; 0.1 for widths of 256.

    Raises:
        ValueError: Another scale than 1, 2, 3 or 4.
    """

    multiple = 1

    def __init__(
        self,
        channels: int = 3,
        scale: int = 1,
        blocks: int = 16,
        width: int = 64,
        residual_weight: float = 1.0,
    ) -> None:
        super().__init__()
        limits.resnet(scale)
        self.channels = channels
        self.scale = scale
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.body = nn.Sequential(
            *(ResidualBlock(width, weight=residual_weight) for _ in range(blocks)),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.up = Upsampler(width, scale)
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        self.receptive_field: int | None = 2 * (self.up.radius(1) + 2 * blocks + 2) + 1

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1] to restored (N, C, scale H, scale W)."""
        y = self.first(x)
        residual: Tensor = self.last(self.up(y + self.body(y)))
        return enlarge(x, self.scale) + residual
