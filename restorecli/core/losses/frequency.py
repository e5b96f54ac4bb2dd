"""The frequency loss: mean absolute difference of spectra."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from restorecli.core.losses import limits

Norm = Literal["backward", "ortho"]


def frequency_loss(restored: Tensor, reference: Tensor, *, norm: Norm = "backward") -> Tensor:
    """Return the L1 distance between the 2D Fourier transforms of each channel.

    The mean over all N C H W bins of the full plane, and over real and imaginary part, of |difference|; so
    half of the mean over bins of |Re| + |Im|. In float32 or wider even under autocast.

    Args:
        restored: (N, C, H, W).
        reference: The same shape.
        norm: "backward" leaves the transform as it is, so that the loss of noise grows with sqrt(H W); the
            published weights of 0.1 (MIMO-UNet, SFNet, LCDNet) belong to it. "ortho" divides by sqrt(H W),
            which makes the loss independent of the crop's size.

    Raises:
        ValueError: Another norm.

    References:
        Cho, Ji, Hong, Jung, Ko, "Rethinking Coarse-to-Fine Approach in Single Image Deblurring", ICCV 2021.

    Example:
        >>> gray = torch.full((1, 1, 8, 8), 0.5)
        >>> round(float(frequency_loss(gray + 0.1, gray)), 4)  # all of it is in one bin: 0.1 / 2
        0.05
    """
    limits.frequency(norm)
    with torch.autocast(restored.device.type, enabled=False):
        difference = restored - reference
        wide = difference.to(torch.promote_types(difference.dtype, torch.float32))
        return torch.view_as_real(torch.fft.fft2(wide, norm=norm)).abs().mean()


class FrequencyLoss(nn.Module):
    """Module form of `frequency_loss`."""

    least = 0.0
    symmetric = True

    def __init__(self, norm: Norm = "backward") -> None:
        super().__init__()
        limits.frequency(norm)
        self.norm = norm

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the loss."""
        return frequency_loss(restored, reference, norm=self.norm)
