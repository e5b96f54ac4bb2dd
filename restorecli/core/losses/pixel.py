"""Losses pixel by pixel: L1, MSE, Charbonnier, PSNR. Inputs are (restored, reference), NCHW in [0, 1]."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from restorecli.core.losses import limits


def l1_loss(restored: Tensor, reference: Tensor) -> Tensor:
    """Return the mean absolute difference.

    Example:
        >>> gray = torch.full((1, 1, 8, 8), 0.5)
        >>> round(float(l1_loss(gray + 0.1, gray)), 4)
        0.1
    """
    return (restored - reference).abs().mean()


def mse_loss(restored: Tensor, reference: Tensor) -> Tensor:
    """Return the mean squared difference.

    Example:
        >>> gray = torch.full((1, 1, 8, 8), 0.5)
        >>> round(float(mse_loss(gray + 0.1, gray)), 4)
        0.01
    """
    return (restored - reference).square().mean()


def charbonnier_loss(restored: Tensor, reference: Tensor, *, eps: float = 1e-3) -> Tensor:
    """Return mean(sqrt(d^2 + eps^2)), a smooth L1; equal images give eps, not 0.

    BasicSR's `eps` stands for our eps^2, and is 1e-12 there; SCA-UNet and MPRNet use eps = 1e-3 as here.

    Args:
        restored: (N, C, H, W).
        reference: The same shape.
        eps: Width of the rounded tip, in units of the pixel range.

    References:
        Charbonnier et al., "Two deterministic half-quadratic regularization algorithms", ICIP 1994.

    Example:
        >>> gray = torch.full((1, 1, 8, 8), 0.5)
        >>> round(float(charbonnier_loss(gray + 0.3, gray, eps=0.4)), 4)
        0.5
    """
    return torch.sqrt((restored - reference).square() + eps**2).mean()


def psnr_loss(restored: Tensor, reference: Tensor, *, eps: float = 1e-8) -> Tensor:
    """Return the mean over the batch of 10 log10(MSE + eps): minus the PSNR of each image, in dB.

    NAFNet's loss. It falls to 10 log10(eps), -80 dB, where the images are equal.

    Args:
        restored: (N, C, H, W) in [0, 1].
        reference: The same shape.
        eps: Added to each image's mean squared error.

    References:
        Chen, Chu, Zhang, Sun, "Simple Baselines for Image Restoration", ECCV 2022.

    Example:
        >>> gray = torch.full((1, 1, 8, 8), 0.5)
        >>> round(float(psnr_loss(gray + 0.1, gray)), 2)
        -20.0
    """
    errors = (restored - reference).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(errors + eps).mean()


class L1Loss(nn.Module):
    """Module form of `l1_loss`."""

    least = 0.0
    symmetric = True

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the loss."""
        return l1_loss(restored, reference)


class MseLoss(nn.Module):
    """Module form of `mse_loss`."""

    least = 0.0
    symmetric = True

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the loss."""
        return mse_loss(restored, reference)


class CharbonnierLoss(nn.Module):
    """Module form of `charbonnier_loss`."""

    symmetric = True

    def __init__(self, eps: float = 1e-3) -> None:
        super().__init__()
        limits.charbonnier(eps)
        self.eps = self.least = eps

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the loss."""
        return charbonnier_loss(restored, reference, eps=self.eps)


class PsnrLoss(nn.Module):
    """Module form of `psnr_loss`."""

    symmetric = True

    def __init__(self, eps: float = 1e-8) -> None:
        super().__init__()
        limits.charbonnier(eps)
        self.eps = eps
        self.least = 10 * math.log10(eps)

    def forward(self, restored: Tensor, reference: Tensor) -> Tensor:
        """Return the loss."""
        return psnr_loss(restored, reference, eps=self.eps)
