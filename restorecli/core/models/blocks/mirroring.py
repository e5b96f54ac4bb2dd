"""Padding by mirroring in tensor arithmetic, for exported graphs, which keep no decisions of Python.

Elsewhere `torch.nn.functional.pad` does the same faster. While a graph is recorded, the sides of an image
are tensors, and whatever is computed of them becomes part of the graph.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mirrored_or_repeated(x: Tensor, border: int) -> Tensor:
    """Mirror (N, C, H, W) by `border` pixels at every side; repeat the edge where a side is too small."""
    height, width = (_tensor(side) for side in x.shape[-2:])
    is_small = (height <= border) | (width <= border)
    for axis, side in ((2, height), (3, width)):
        place = _places(-border, side + border)
        repeated = torch.minimum(place.clamp(min=0), side - 1)
        x = x.index_select(axis, torch.where(is_small, repeated, _reflected(place, side)))
    return x


def mirrored(x: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror (N, C, H, W) up to `most` pixels far at every border, fewer where the image is too small.

    Returns:
        The larger image, and how many pixels were added above (and below) and at the left (and right).
    """
    borders = [(_tensor(side) - 1).clamp(max=most) for side in x.shape[-2:]]
    for axis, border in zip((2, 3), borders, strict=True):
        side = _tensor(x.shape[axis])
        x = x.index_select(axis, _reflected(_places(-border, side + border), side))
    return x, borders[0], borders[1]


def _reflected(place: Tensor, side: Tensor) -> Tensor:
    """Return the places 0 to side - 1 that mirrors at both ends show instead of places beyond them."""
    return (side - 1) - (side - 1 - place.abs()).abs()


def _places(start: int | Tensor, stop: Tensor) -> Tensor:
    return torch.arange(start, stop)  # type: ignore[call-overload,no-any-return]


def _tensor(side: int | Tensor) -> Tensor:
    """Return a side as a tensor; one that is recorded is one already, and must stay the very same."""
    return side if isinstance(side, Tensor) else torch.tensor(side)
