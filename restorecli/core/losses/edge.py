"""The edge loss: Charbonnier distance of Laplacians, in the pyramid form of MPRNet or the plain form."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.losses import limits
from restorecli.core.losses.pixel import charbonnier_loss
from restorecli.core.ops.constants import constant

_PYRAMID_TAPS = (0.05, 0.25, 0.4, 0.25, 0.05)
_NEIGHBORS = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def _gaussian5(x: Tensor) -> Tensor:
    """Filter (N, C, H, W) by the 5-tap pyramid kernel with replicated borders; the shape is kept."""
    channels = x.shape[1]
    taps = constant(_PYRAMID_TAPS, x)
    kernel = torch.outer(taps, taps).expand(channels, 1, 5, 5)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), kernel, groups=channels)


def pyramid_laplacian(x: Tensor) -> Tensor:
    """Return x - G(4 up(down(G(x)))), down keeping every second pixel and up filling in zeros.

    As in MPRNet's published code, the border is not corrected: within 2 pixels of it a constant
    image does not give 0, because zero insertion and replicated borders do not cancel there.

    Args:
        x: (N, C, H, W).

    References:
        Zamir et al., "Multi-Stage Progressive Image Restoration", CVPR 2021.
    """
    smooth = _gaussian5(x)
    sparse = torch.zeros_like(smooth)
    sparse[:, :, ::2, ::2] = 4 * smooth[:, :, ::2, ::2]
    return x - _gaussian5(sparse)


def plain_laplacian(x: Tensor) -> Tensor:
    """Return the 4-neighbor Laplacian [[0, 1, 0], [1, -4, 1], [0, 1, 0]] with replicated borders."""
    channels = x.shape[1]
    kernel = constant(_NEIGHBORS, x).expand(channels, 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=channels)


_FORMS = dict(zip(limits.FORMS, (pyramid_laplacian, plain_laplacian), strict=True))


def edge_loss(
    restored: Tensor,
    reference: Tensor,
    *,
    form: Literal["pyramid", "laplacian"] = "pyramid",
    eps: float = 1e-3,
) -> Tensor:
    """Return the Charbonnier distance between the Laplacians of the two images; eps where they are equal.

    Autocast does not reach it: bfloat16 rounds away the small differences that it is about.

    Args:
        restored: (N, C, H, W) in [0, 1].
        reference: The same shape.
        form: "pyramid" (MPRNet's and SCA-UNet's code) or "laplacian" (the equation of SCA-UNet's report).
        eps: Of the Charbonnier distance.

    Raises:
        ValueError: Another form.

    Example:
        >>> gray = torch.full((1, 1, 16, 16), 0.5)
        >>> round(float(edge_loss(gray + 0.1, gray, form="laplacian")), 4)  # a shift has no edge
        0.001
    """
    limits.edge(form, eps)
    laplacian = _FORMS[form]
    with torch.autocast(restored.device.type, enabled=False):
        return charbonnier_loss(laplacian(restored), laplacian(reference), eps=eps)


class EdgeLoss(nn.Module):
    """Module form of `edge_loss`."""

    symmetric = True

    def __init__(self, form: Literal["pyramid", "laplacian"] = "pyramid", eps: float = 1e-3) -> None:
        super().__init__()
        limits.edge(form, eps)
        self.form: Literal["pyramid", "laplacian"] = form
        self.eps = self.least = eps

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the loss."""
        return edge_loss(restored, reference, form=self.form, eps=self.eps)
