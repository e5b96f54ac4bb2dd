"""The network for old photographs: it finds scratches, and restores the image knowing where they are.

After Wan et al., "Bringing Old Photos Back to Life", CVPR 2020, whose scratch detector is a U-Net on gray
images. Their two auto-encoders and the mapping between them are replaced by one U-Net of gated convolutions
that is given the image and the mask, which a small machine can train.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.gated_convolution import GatedConv
from restorecli.core.models.blocks.plain_unet import PlainUNet


class OldPhoto(nn.Module):
    """p = sigmoid(detector(luma(x))), y = x + inpainter([x, p]); if `inpaint_only` y where p >= 0.4, else x.

    Detector and inpainter are U-Nets of four levels with two convolutions each, max pooling and bilinear
    steps up. The detector has batch norm, as the paper's; the inpainter's convolutions are gated and have
    none, so that an image's brightness passes.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the inpainter's first level; the others have 2, 4 and 8 times as many.
        detector: Channels of the detector's first level; 64 in the paper.
        inpaint_only: Leave every pixel as it is where no scratch is found.
        keep_chroma: Restore the luma alone and keep the differences of the channels to it: gray images in
            RGB stay exactly gray, and lost colors are not restored.
        threshold: Probability from which a pixel belongs to a scratch; the paper's is 0.4.

    Raises:
        ValueError: A threshold that is no probability.
    """

    scale = 1
    multiple = 8
    # Twice a plain U-Net, whose radius is 65: an output pixel sees p within 65, and p sees 65 more.
    receptive_field: int | None = 2 * (65 + 65) + 1

    def __init__(
        self,
        channels: int = 3,
        width: int = 48,
        detector: int = 64,
        *,
        inpaint_only: bool = False,
        keep_chroma: bool = False,
        threshold: float = 0.4,
    ) -> None:
        super().__init__()
        limits.old_photo(threshold)
        self.channels = channels
        self.inpaint_only = inpaint_only
        self.keep_chroma = keep_chroma
        self.threshold = threshold
        painted = 1 if keep_chroma else channels
        self.detector = PlainUNet(1, 1, detector, _normed)
        self.painter = PlainUNet(painted + 1, painted, width, _gated)
        nn.init.constant_(
            self.detector.last.get_parameter("bias"), -2.0
        )  # damage is rare: 12 % of the pixels to begin with

    def mask_logits(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the logits of damage (N, 1, H, W)."""
        logits: Tensor = self.detector(_luma(x))
        return logits

    def paint(self, x: Tensor, damage: Tensor) -> Tensor:
        """Restore the whole image.

        Args:
            x: Degraded (N, C, H, W).
            damage: Probability of damage (N, 1, H, W).
        """
        seen = _luma(x) if self.keep_chroma else x
        painted: Tensor = x + self.painter(torch.cat([seen, damage], dim=1))
        return painted

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], H and W multiples of 8, to restored of the same shape."""
        damage = self.mask_logits(x).sigmoid()
        restored = self.paint(x, damage)
        return torch.where(damage >= self.threshold, restored, x) if self.inpaint_only else restored


def _normed(channels_in: int, channels_out: int) -> nn.Module:
    layers: list[nn.Module] = []
    for before in (channels_in, channels_out):
        convolution = nn.Conv2d(before, channels_out, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _gated(channels_in: int, channels_out: int) -> nn.Module:
    return nn.Sequential(GatedConv(channels_in, channels_out), GatedConv(channels_out, channels_out))


def _luma(x: Tensor) -> Tensor:
    """Return the BT.601 luma (N, 1, H, W) of (N, C, H, W); gray passes."""
    if x.shape[1] == 1:
        return x
    return x[:, :1] * 0.299 + x[:, 1:2] * 0.587 + x[:, 2:] * 0.114
