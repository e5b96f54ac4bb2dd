"""Networks that judge an image as a whole, on large images: seen small, their change carried to full size.

What haze or dust does to an image depends on where in the whole image a pixel is. A network that learned that
on small photographs sees too little of a large one, or a scale that it never saw.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from restorecli.core.footprint import Footprint
from restorecli.core.restorer import ImageContext, PaddingRestorer

EPSILON = 1e-3
"""Variance, images in [0, 1], below which a window counts as flat; 1e-4 changed five restored photographs
by at most 0.5 dB, either way."""

_WINDOWS = 40
"""Windows, by half their width, along the longer side; 10 to 40 gave the same within 0.3 dB of haze, 0.6 of
dust."""

_CARRIED = Footprint(128.0)
"""Bytes for each pixel that is carried; what the network takes for the small image does not grow."""


class CarryingRestorer(PaddingRestorer):
    """A restorer that reduces large images, and carries to them what it does to the small ones.

    What it does is fitted, in windows of the small image, by an affine map of the colors, which holds for the
    large image, too: the fast guided filter (He, Sun, Tang, Guided Image Filtering, TPAMI 2013, eq. 16 to 19;
    He, Sun, arXiv:1505.00996), with the restored image in place of the filtered one. Detail and noise of the
    large image are kept, as bright as their surroundings become.

    Args:
        inner: What restores; it keeps the size.
        side: Longer side in pixels up to which images are restored as they are.
    """

    def __init__(self, inner: PaddingRestorer, side: int) -> None:
        self.inner = inner
        self.side = side
        self.spec = replace(inner.spec, side=side)
        self.device = inner.device
        self.backend = inner.backend
        self.backend_reason = inner.backend_reason

    @property
    def precision(self) -> str:
        """The type that the network computes in."""
        return self.inner.precision

    def digest(self) -> str:
        """Return the beginning of the SHA-256 of its weights."""
        return self.inner.digest()

    def identity(self) -> dict[str, object]:
        """Return all that its results depend on."""
        return {**super().identity(), "side": self.side}

    def footprint(self, channels: int) -> Footprint:
        """Return what images take in memory: of large ones little, for the network sees none."""
        del channels
        return _CARRIED

    def steps(self, pixels: NDArray[np.float32], context: ImageContext) -> Sequence[PaddingRestorer]:
        """Return the restorer as its network is told of one image; it is noted where that is seen small."""
        if max(pixels.shape[-2:]) > self.side:
            context.note({"seen_at": self.side})
        return [self._around(told) for told in self.inner.steps(pixels, context)]

    def in_float32(self) -> CarryingRestorer | None:
        """Return the same with the network in float32, or None if it is that already."""
        precise = self.inner.in_float32()
        return None if precise is None else self._around(precise)

    def joins(self, other: object) -> bool:
        """Tell whether the other carries what the same network does."""
        return (
            isinstance(other, CarryingRestorer)
            and (self.side, self.ensemble) == (other.side, other.ensemble)
            and self.inner.joins(other.inner)
        )

    def compute(self, batch: Tensor) -> Tensor:
        """Restore (N, C, H, W) with the network's channels and multiple."""
        height, width = batch.shape[-2:]
        if max(height, width) <= self.side:
            return self.inner.compute(batch)
        share = self.side / max(height, width)
        size = (max(round(height * share), 1), max(round(width * share), 1))
        small = F.interpolate(batch, size=size, mode="area")
        return carry(batch, small, self.inner.unchecked(small), max(self.side // _WINDOWS, 1))

    def _around(self, inner: PaddingRestorer) -> Self:
        carrying = copy.copy(self)
        carrying.inner, carrying.spec = inner, replace(inner.spec, side=self.side)
        return carrying


def carried(restorer: PaddingRestorer, side: int) -> PaddingRestorer:
    """Return a restorer that sees images at no more than `side` pixels; the same where that is 0."""
    return CarryingRestorer(restorer, side) if side else restorer


def carry(large: Tensor, small: Tensor, restored: Tensor, radius: int, epsilon: float = EPSILON) -> Tensor:
    """Do to a large image what was done to a small one.

    Args:
        large: (N, C, H, W).
        small: The same, reduced: (N, C, h, w).
        restored: What was made of it, of its shape.
        radius: Of the windows, in pixels of the small image.
        epsilon: Variance below which a window counts as flat.

    Returns:
        (N, C, H, W) float32, not clipped.
    """
    matrix, offset = _affine(small, restored, radius, epsilon)
    result = torch.empty_like(large)
    for to in range(large.shape[1]):
        plane = _enlarged(offset[:, to], large)
        for of in range(large.shape[1]):
            plane.addcmul_(_enlarged(matrix[:, to, of], large), large[:, of])
        result[:, to] = plane
    return result


def _affine(image: Tensor, target: Tensor, radius: int, epsilon: float) -> tuple[Tensor, Tensor]:
    """Return the map at each pixel, target = matrix image + offset: (N, C, C, h, w) and (N, C, h, w)."""
    n, channels, height, width = image.shape

    def mean(values: Tensor) -> Tensor:
        return _box(values.reshape(n, -1, height, width), radius).reshape(values.shape)

    of, to = mean(image), mean(target)
    spread = mean(image[:, :, None] * image[:, None]) - of[:, :, None] * of[:, None]
    joint = mean(target[:, :, None] * image[:, None]) - to[:, :, None] * of[:, None]
    flat = epsilon * torch.eye(channels, dtype=image.dtype, device=image.device)
    solved = torch.linalg.solve(_last(spread) + flat, _last(joint), left=False)
    matrix = solved.permute(0, 3, 4, 1, 2)
    offset = to - torch.einsum("ntchw,nchw->nthw", matrix, of)
    return mean(matrix), mean(offset)


def _last(matrices: Tensor) -> Tensor:
    return matrices.permute(0, 3, 4, 1, 2)


def _box(values: Tensor, radius: int) -> Tensor:
    """Return means of windows of 2 radius + 1, of as much of them as lies within the image."""
    width = 2 * radius + 1
    rows = F.avg_pool2d(values, (width, 1), 1, (radius, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, width), 1, (0, radius), count_include_pad=False)


def _enlarged(plane: Tensor, large: Tensor) -> Tensor:
    """Return (N, h, w) as large as the rows and columns of an image, bilinearly."""
    return F.interpolate(plane[:, None], size=large.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
