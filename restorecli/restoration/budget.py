"""How large a tile may be: from the memory that is free and from what the restorer takes per pixel.

The restorer is measured, not guessed: it runs once on two small pictures while every tensor that it makes is
counted. What counting finds is what the process then grows by, within a factor of 1.5 (the convolution
library's own copies): 536 counted against 536 to 791 bytes per pixel for DnCNN and SCA-UNet, 920 against 1187
for U-Net (torch 2.13, CPU).
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from restorecli.core.restorer import Restorer, TorchRestorer
from restorecli.images.budget import available_memory
from restorecli.restoration.footprint import Footprint
from restorecli.restoration.onnx_runtime import OnnxRestorer
from restorecli.restoration.plan import least_tile, round_up

LARGEST_AREA = 1 << 24
"""Pixels of the largest tile, restored: beyond, activations pass the 2^31 elements that libraries index."""

BOUNDED_CPU_BYTES = 2 << 30
"""Memory for a network with a bounded receptive field on a CPU: larger tiles gain under 5 % there."""

GLOBAL_CPU_AREA = 1 << 22
"""Pixels up to which a network that sees the whole picture gets it whole on a CPU: attention is quadratic."""

_SAFETY = 1.5
_LEAST_BYTES = 256.0
_CUDA_RESERVE = 256 << 20


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
        place, size = storage.data_ptr(), storage.nbytes()
        if place in self._seen or size == 0:
            return
        self._seen.add(place)
        self._live += size
        self.peak = max(self.peak, self._live)
        weakref.finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self._seen.discard(place)
        self._live -= size


def measure_footprint(restorer: Restorer, channels: int) -> Footprint:
    """Measure what a restorer takes per pixel for pictures of 1 or 3 channels, with a margin of safety.

    What computes outside torch cannot be counted; at least 256 bytes per pixel are assumed. An exported graph
    brings what its network took.
    """
    if isinstance(restorer, OnnxRestorer):
        return restorer.footprints[channels]
    side = round_up(64, restorer.spec.multiple)
    sides = [side, 2 * side]
    peaks = []
    for side in sides:
        batch = torch.full((1, channels, side, side), 0.5)
        with _LiveBytes() as count:
            restorer(batch)
        peaks.append(count.peak / side**2)
    small, large = sides[0] ** 2, sides[1] ** 2
    growth = (peaks[1] - peaks[0]) / (large - small)
    quadratic = growth if peaks[1] > 1.05 * peaks[0] else 0.0
    linear = max(peaks[1] - quadratic * large, _LEAST_BYTES)
    return Footprint(_SAFETY * linear, _SAFETY * quadratic)


def memory_budget(restorer: Restorer) -> int:
    """Return the bytes that one tile may take on the restorer's device.

    On CUDA 80 % of what is free, less a reserve for the libraries' own work space; elsewhere half of the free
    main memory, and at most `BOUNDED_CPU_BYTES` for a network that gains nothing from more.
    """
    if isinstance(restorer, TorchRestorer) and restorer.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(restorer.device)
        idle = torch.cuda.memory_reserved(restorer.device) - torch.cuda.memory_allocated(restorer.device)
        return max(int(0.8 * (free + idle)) - _CUDA_RESERVE, 1 << 20)
    half = available_memory() // 2
    return half if restorer.spec.receptive_field is None else min(half, BOUNDED_CPU_BYTES)


def auto_tile(
    restorer: Restorer, footprint: Footprint, budget: int, height: int, width: int, overlap: int | None = None
) -> int | None:
    """Return the tile side for a picture, or None to restore it whole.

    The whole picture is the first choice: no pixel is computed twice, and with freed blocks kept
    (`keep_large_blocks`) it is the fastest on a CPU too: on two cores 768x512 took 1.6 times as long in tiles
    of 256 as whole with SCA-UNet, and 3.6 times as long with U-Net.

    Args:
        restorer: What restores.
        footprint: What it takes; see `measure_footprint`.
        budget: Bytes that a tile may take; see `memory_budget`.
        height: Rows of the picture.
        width: Columns of the picture.
        overlap: Pixels that tiles will share; None takes what the network needs.
    """
    spec = restorer.spec
    area = min(footprint.area(budget), LARGEST_AREA // spec.scale**2)
    on_cpu = not isinstance(restorer, TorchRestorer) or restorer.device.type == "cpu"
    whole = min(area, GLOBAL_CPU_AREA) if on_cpu and spec.receptive_field is None else area
    if height * width <= whole:
        return None
    if whole < area:
        area = min(area, GLOBAL_CPU_AREA // 4)
    side = math.isqrt(area) // spec.multiple * spec.multiple
    return max(side, least_tile(spec, overlap))
