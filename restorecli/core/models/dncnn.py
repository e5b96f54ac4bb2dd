"""DnCNN: a plain convolutional network that predicts the noise.

Zhang, Zuo, Chen, Meng, Zhang, "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
Denoising", IEEE TIP 2017, doi:10.1109/TIP.2017.2662206.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from restorecli.core.models import limits
from restorecli.core.models.blocks.starts import start_by_he


class DnCnn(nn.Module):
    """DnCNN: restored = x - R(x), R being conv+ReLU, (depth - 2) x conv+BN+ReLU, conv.

    Batch norm has eps 1e-4 and keeps running statistics with momentum 0.05 in torch's convention (0.95 in
    MATLAB's). Convolutions before a batch norm have no bias, since its shift makes one redundant; the last
    convolution has none either: 556,096 parameters for gray depth 17. Weights start orthogonal with gain 0.2
    (as KAIR does) and batch-norm gains uniform in [0.1, 1].

    Args:
        channels: 1 for gray or 3 for RGB.
        depth: Convolutions; None takes the paper's: 17 for gray (DnCNN-S), 20 for RGB (CDnCNN-B). The gray
            blind network (DnCNN-B) has 20.
        width: Channels inside.
        batch_norm: False gives the network after `fold`: no batch norm, a bias in every convolution. It then
            starts by He's rule with the last layer at a tenth of it, as IRCNN does: a gain of 0.2 in every
            layer and no batch norm behind it would leave neither signal nor gradient.
    """

    scale = 1
    multiple = 1

    def __init__(
        self, channels: int = 3, depth: int | None = None, width: int = 64, *, batch_norm: bool = True
    ) -> None:
        super().__init__()
        depth = depth if depth is not None else (17 if channels == 1 else 20)
        limits.dncnn(depth)
        self.channels = channels
        self.depth = depth
        self.width = width
        self.batch_norm = batch_norm
        self.receptive_field: int | None = 2 * depth + 1
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers.append(nn.Conv2d(width, width, 3, padding=1, bias=not batch_norm))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width, eps=1e-4, momentum=0.05))
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.Conv2d(width, channels, 3, padding=1, bias=not batch_norm))
        self.layers = nn.Sequential(*layers)
        if batch_norm:
            self.apply(_start_small)
        else:
            start_by_he(self.layers, last=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1] to restored of the same shape."""
        noise: Tensor = self.layers(x)
        return x - noise

    def fold(self) -> DnCnn:
        """Return the same function with every batch norm merged into the convolution before it.

        The copy is in evaluation mode and equals this network's evaluation mode to rounding.
        """
        folded = DnCnn(self.channels, self.depth, self.width, batch_norm=False).eval()
        modules = [m for m in self.layers if not isinstance(m, nn.ReLU)]
        convolutions = [
            fuse_conv_bn_eval(conv.eval(), after.eval()) if isinstance(after, nn.BatchNorm2d) else conv
            for conv, after in zip(modules, [*modules[1:], None], strict=True)
            if isinstance(conv, nn.Conv2d)
        ]
        targets = (m for m in folded.layers if isinstance(m, nn.Conv2d))
        with torch.no_grad():
            for target, conv in zip(targets, convolutions, strict=True):
                target.weight.copy_(conv.weight)
                assert target.bias is not None  # noqa: S101 - batch_norm=False gives every convolution one
                target.bias.copy_(conv.bias) if conv.bias is not None else target.bias.zero_()
        return folded


def _start_small(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.orthogonal_(module.weight, gain=0.2)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.uniform_(module.weight, 0.1, 1.0)
        nn.init.zeros_(module.bias)
