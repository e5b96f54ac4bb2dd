"""Some of many images, and their middles: the same in every run, whoever measures on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from restorecli.images.image import Pixels

Item = TypeVar("Item")


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """Return at most `count` items, spread evenly: the middles of `count` equal parts of the sequence.

    Args:
        items: In their order; fewer than `count` are all returned.
        count: At least 1.
    """
    if len(items) <= count:
        return list(items)
    return [items[(2 * part + 1) * len(items) // (2 * count)] for part in range(count)]


def middle(pixels: Pixels, height: int, width: int, step: int = 1) -> Pixels:
    """Return the central (C, height, width) of an image that is at least so large.

    Args:
        pixels: (C, H, W).
        height: Of the crop.
        width: Of the crop.
        step: Its first row and column are multiples of this.
    """
    top, left = (
        (whole - part) // 2 // step * step
        for whole, part in zip(pixels.shape[1:], (height, width), strict=True)
    )
    return np.ascontiguousarray(pixels[:, top : top + height, left : left + width])
