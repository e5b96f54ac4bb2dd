"""Images cut into overlapping patches, and patches joined to an image under a window."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.limits import check_patches

Window = Literal["hann", "triangular", "flat"]


def window_of(side: int, kind: Window) -> Tensor:
    """Return a (side, side) window of positive weights; "hann" and "triangular" peak in the middle.

    Raises:
        ValueError: An unknown kind.
    """
    place = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    if kind == "hann":
        line = torch.sin(torch.pi * place).square()
    elif kind == "triangular":
        line = 1 - (2 * place - 1).abs()
    elif kind == "flat":
        line = torch.ones(side)
    else:
        raise ValueError(f"window must be 'hann', 'triangular' or 'flat', got {kind!r}")
    return line[:, None] * line


class PatchGrid(nn.Module):
    """Cuts patches every `stride` pixels and joins what a function makes of them.

    Patches of `patch` pixels are cut and ones of `out` pixels, their middles, are joined: each weighted by a
    window, and the sum divided by the sum of the windows. So fold(middles of unfold(x)) is x, at the border
    too. The grid begins before the image, which is continued by its border pixels, so that every pixel
    lies in equally many patches.

    Args:
        patch: Side of the patches that are cut.
        stride: Step between patches; at most `out`.
        out: Side of the patches that are joined; None for that of the others.
        window: "hann", "triangular" or "flat".

    Attributes:
        reach: How far from a pixel lies what the patches over it see.

    Raises:
        ValueError: The sides do not fit.
    """

    def __init__(self, patch: int, stride: int, out: int | None = None, window: Window = "hann") -> None:
        super().__init__()
        out = patch if out is None else out
        check_patches(patch, stride, out)
        self.patch, self.stride, self.out = patch, stride, out
        self.border = (patch - out) // 2
        self.reach = out - 1 + self.border
        self.register_buffer("window", window_of(out, window), persistent=False)
        self.window: Tensor

    def _rests(self, side: int) -> tuple[int, int]:
        """Return how far the joined patches reach over a side's two ends."""
        before = self.out - self.stride
        # Rounded up without negative numbers, which ONNX divides another way.
        count = (side + before + self.stride - 1) // self.stride
        return before, (count - 1) * self.stride + self.out - before - side

    def unfold(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the patches (N, L, C, patch, patch), row by row."""
        n, channels, height, width = x.shape
        (top, bottom), (left, right) = self._rests(height), self._rests(width)
        border = self.border
        padded = F.pad(x, (left + border, right + border, top + border, bottom + border), mode="replicate")
        columns = F.unfold(padded, self.patch, stride=self.stride)
        return columns.transpose(1, 2).reshape(n, -1, channels, self.patch, self.patch)

    def middles(self, patches: Tensor) -> Tensor:
        """Return the middles (N, L, C, out, out) of patches."""
        end = self.border + self.out
        return patches[..., self.border : end, self.border : end]

    def fold(self, patches: Tensor, height: int, width: int) -> Tensor:
        """Map patches (N, L, C, out, out) to the image (N, C, height, width)."""
        n, count = patches.shape[:2]
        (top, bottom), (left, right) = self._rests(height), self._rests(width)
        size = (height + top + bottom, width + left + right)
        patches = patches.to(torch.promote_types(patches.dtype, torch.float32))
        window = self.window.to(patches)
        weighted = (patches * window).reshape(n, count, -1).transpose(1, 2)
        total = F.fold(weighted, size, self.out, stride=self.stride)
        weights = window.flatten()[None, :, None].expand(1, -1, count)
        total = total / F.fold(weights, size, self.out, stride=self.stride)
        return total[..., top : top + height, left : left + width]
