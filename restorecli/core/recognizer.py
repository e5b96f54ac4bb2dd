"""A small network that recognizes something in images, and whose features images are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Recognizer(nn.Module):
    """Three strided 3x3 convolutions with LeakyReLU 0.2, the mean over the image, a linear layer.

    With one answer it is a discriminator, with several a classifier. It remembers, as moving averages, the
    mean features of the true images of each class, which CVAE-GAN's mean feature matching aims at.

    Args:
        channels: Of the images: 1 or 3.
        answers: Logits per image.
        width: Channels of the first convolution; the others have 2 and 4 times as many.
        classes: Classes whose mean features are remembered.
    """

    means: Tensor
    seen: Tensor

    def __init__(self, channels: int = 3, answers: int = 1, width: int = 32, classes: int = 1) -> None:
        super().__init__()
        self.body = strided(channels, [width, 2 * width, 4 * width])
        self.head = nn.Linear(4 * width, answers)
        self.register_buffer("means", torch.zeros(classes, 4 * width))
        self.register_buffer("seen", torch.zeros(classes))

    def features(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the last features (N, 4 width, H / 8, W / 8)."""
        features: Tensor = self.body(x)
        return features

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to logits (N, answers)."""
        logits: Tensor = self.head(self.features(x).mean((2, 3)))
        return logits

    @torch.no_grad()
    def remember(self, pooled: Tensor, labels: Tensor, *, decay: float = 0.99) -> None:
        """Take the features of true images into the means; the first of a class are taken as they are.

        Args:
            pooled: (N, 4 width), features averaged over each image.
            labels: (N,) classes.
            decay: Of the moving averages.
        """
        present, means = _means_by_class(pooled, labels, len(self.means))
        keep = torch.where(self.seen > 0, decay, 0.0)[:, None]
        moved = keep * self.means + (1 - keep) * means
        self.means.copy_(torch.where(present[:, None], moved, self.means))
        self.seen.masked_fill_(present, 1)

    def distance(self, pooled: Tensor, labels: Tensor) -> Tensor:
        """Return half the squared distance of the batch's mean features to those remembered, over classes.

        Classes that are not in the batch, or that were never seen, do not count.

        Args:
            pooled: (N, 4 width), features averaged over each image.
            labels: (N,) classes.
        """
        present, means = _means_by_class(pooled, labels, len(self.means))
        terms = 0.5 * (self.means - means).square().sum(1)
        return torch.where(present & (self.seen > 0), terms, 0.0).sum()


def _means_by_class(pooled: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Return which classes are in the batch (classes,), and the mean of each one's features in float32.

    No value is asked for, so that the program does not wait for the device.
    """
    members = (torch.arange(classes, device=labels.device)[:, None] == labels).float()
    counts = members.sum(1)
    with torch.autocast(pooled.device.type, enabled=False):
        means = members @ pooled.float() / counts.clamp_min(1)[:, None]
    return counts > 0, means


def strided(channels: int, widths: Sequence[int]) -> nn.Sequential:
    """Return 3x3 convolutions of stride 2 to some widths, each followed by LeakyReLU 0.2."""
    layers: list[nn.Module] = []
    for before, after in pairwise([channels, *widths]):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)
