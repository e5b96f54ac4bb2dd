"""Larger feature maps by convolution and pixel shuffle, and the larger image that networks add to."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.limits import check_scale

_STEPS = {1: (), 2: (2,), 3: (3,), 4: (2, 2)}


class Upsampler(nn.Sequential):
    """Enlarge by 1, 2, 3 or 4: per step a 3x3 convolution to factor^2 as many channels and a pixel shuffle.

    The steps are 2 for x2, 3 for x3, 2 and 2 for x4. Shi et al., "Real-Time Single Image and Video
    Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016.

    Args:
        channels: Channels of input and output.
        scale: Sides of the output divided by those of the input.

    Raises:
        ValueError: Another scale.
    """

    def __init__(self, channels: int, scale: int) -> None:
        check_scale(scale)
        layers: list[nn.Module] = []
        for factor in _STEPS[scale]:
            layers += [nn.Conv2d(channels, factor**2 * channels, 3, padding=1), nn.PixelShuffle(factor)]
        super().__init__(*layers)
        self._factors = _STEPS[scale]

    def radius(self, above: int) -> int:
        """Return how far, in pixels before enlarging, one sees that sees `above` pixels far after it."""
        for factor in reversed(self._factors):
            above = -(-above // factor) + 1
        return above


def enlarge(x: Tensor, scale: int) -> Tensor:
    """Return (N, C, H, W) enlarged bilinearly to (N, C, scale H, scale W); at scale 1 the very same."""
    if scale == 1:
        return x
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)
