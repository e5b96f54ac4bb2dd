"""IRCNN's denoiser: seven dilated convolutions that predict the noise.

Zhang, Zuo, Gu, Zhang, "Learning Deep CNN Denoiser Prior for Image Restoration", CVPR 2017.
"""

from __future__ import annotations

from torch import Tensor, nn

from restorecli.core.models.blocks.starts import start_by_he

DILATIONS = (1, 2, 3, 4, 3, 2, 1)


class IrCnn(nn.Module):
    """restored = x - R(x), R being seven 3x3 convolutions with dilations 1, 2, 3, 4, 3, 2, 1; ReLU between.

    The paper's batch norm is merged into the convolutions, as in its published weights: 185,857 parameters
    for gray, 188,163 for RGB. The paper trains 25 of them, for sigma 2, 4 ... 50; here each is a weights file
    of its own. He's start, the last layer at a tenth of it (chosen: it learns far sooner).

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels inside.
    """

    scale = 1
    multiple = 1
    receptive_field: int | None = 2 * sum(DILATIONS) + 1

    def __init__(self, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.channels = channels
        widths = [channels, *[width] * (len(DILATIONS) - 1), channels]
        layers: list[nn.Module] = []
        for before, after, dilation in zip(widths, widths[1:], DILATIONS, strict=False):
            layers += [
                nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers[:-1])
        start_by_he(self.layers, last=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1] to restored of the same shape."""
        noise: Tensor = self.layers(x)
        return x - noise
