"""Discriminators for adversarial training: logits that are large for images held to be true.

PatchGAN: Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks",
CVPR 2017. The VGG-style one: Ledig et al. (SRGAN), CVPR 2017, as Wang et al. (ESRGAN), ECCVW 2018, use it.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PatchDiscriminator(nn.Module):
    """PatchGAN: one logit for every 70x70 patch; C64-C128-C256-C512-1 of 4x4 convolutions.

    Strides 2, 2, 2, 1, 1; LeakyReLU 0.2; batch norm after all but the first and the last convolution, which
    alone have a bias. Weights start N(0, 0.02). With RGB and the condition: 2,768,705 parameters.

    Args:
        channels: Of the images: 1 or 3.
        width: Channels of the first layer.
        layers: Convolutions of stride 2: 3 see 70 pixels, 2 see 34, 1 sees 16.
        conditional: Whether the degraded image is looked at too, as pix2pix does.
    """

    def __init__(
        self, channels: int = 3, width: int = 64, layers: int = 3, *, conditional: bool = True
    ) -> None:
        super().__init__()
        self.conditional = conditional
        widths = [width * min(2**level, 8) for level in range(layers + 1)]
        seen = channels * (2 if conditional else 1)
        body: list[nn.Module] = [nn.Conv2d(seen, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for level, (before, after) in enumerate(pairwise(widths), start=1):
            stride = 2 if level < layers else 1
            body.append(nn.Conv2d(before, after, 4, stride, padding=1, bias=False))
            body += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*body, nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.apply(initialize_gan)

    @property
    def receptive_field(self) -> int:
        """Side of the patch that one logit judges, in pixels."""
        field = 7  # of the two convolutions of stride 1
        for module in self.body:
            field = 2 * field + 2 if isinstance(module, nn.Conv2d) and module.stride == (2, 2) else field
        return field

    def forward(self, image: Tensor, degraded: Tensor | None = None) -> Tensor:
        """Judge images.

        Args:
            image: (N, C, H, W) in [0, 1], restored or reference; sides of at least 24 pixels.
            degraded: (N, C, h, w), the condition; enlarged to the image's size where it is smaller.

        Returns:
            Logits (N, 1, H / 8 - 2, W / 8 - 2).

        Raises:
            ValueError: A conditional discriminator without a condition, or the other way round.
        """
        if (degraded is not None) != self.conditional:
            raise ValueError(f"conditional is {self.conditional}, got degraded={degraded is not None}")
        if degraded is not None:
            if degraded.shape[-2:] != image.shape[-2:]:
                degraded = F.interpolate(degraded, image.shape[-2:], mode="bilinear", align_corners=False)
            image = torch.cat([degraded, image], dim=1)
        logits: Tensor = self.body(image)
        return logits


class VggDiscriminator(nn.Module):
    """The discriminator of ESRGAN: five stages of 3x3 and strided 4x4 convolutions, then two linear layers.

    LeakyReLU 0.2, batch norm after all convolutions but the first. It judges whole crops of one size.

    Args:
        channels: Of the images: 1 or 3.
        width: Channels of the first stage; the others have 2, 4, 8 and 8 times as many.
        side: Of the square crops; a multiple of 32. The paper's are 128.

    Raises:
        ValueError: `side` is no multiple of 32.
    """

    def __init__(self, channels: int = 3, width: int = 64, side: int = 128) -> None:
        super().__init__()
        if side < 32 or side % 32:
            raise ValueError(f"side must be a multiple of 32, got {side}")
        self.side = side
        body: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2)]
        before = width
        for level, after in enumerate(width * factor for factor in (1, 2, 4, 8, 8)):
            if level:
                body += _normed(before, after, 3, 1)
            body += _normed(after, after, 4, 2)
            before = after
        self.body = nn.Sequential(*body)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(before * (side // 32) ** 2, 100), nn.LeakyReLU(0.2), nn.Linear(100, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C, side, side) in [0, 1] to logits (N, 1).

        Raises:
            ValueError: The crops have another size.
        """
        if image.shape[-2:] != (self.side, self.side):
            raise ValueError(f"crops must be {self.side} x {self.side}, got {tuple(image.shape[-2:])}")
        logits: Tensor = self.head(self.body(image))
        return logits


def initialize_gan(module: nn.Module) -> None:
    """Start a layer as pix2pix does: weights N(0, 0.02), batch-norm gains N(1, 0.02), biases 0."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def _normed(before: int, after: int, kernel: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
