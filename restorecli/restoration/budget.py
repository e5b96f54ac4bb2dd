"""How large a tile may be: from the memory that is free and from what the restorer takes per pixel."""

from __future__ import annotations

import math

import torch

from restorecli.core.footprint import Footprint
from restorecli.images.budget import available_memory
from restorecli.restoration.plan import least_tile
from restorecli.restoration.restorer import Restorer

MAX_TILE_AREA = 1 << 24
"""Pixels of the largest tile, restored: beyond, activations pass the 2^31 elements that libraries index."""

BOUNDED_CPU_BYTES = 2 << 30
"""Memory for a network with a bounded receptive field on a CPU: larger tiles gain under 5 % there."""

GLOBAL_CPU_AREA = 1 << 22
"""Pixels up to which a network that sees the whole image gets it whole on a CPU: attention is quadratic."""

_CUDA_RESERVE = 256 << 20


def memory_budget(restorer: Restorer) -> int:
    """Return the bytes that one tile may take on the restorer's device.

    On CUDA 80 % of what is free, less a reserve for the libraries' own work space; elsewhere half of the free
    main memory, and at most `BOUNDED_CPU_BYTES` for a network that gains nothing from more.
    """
    if restorer.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(restorer.device)
        idle = torch.cuda.memory_reserved(restorer.device) - torch.cuda.memory_allocated(restorer.device)
        return max(int(0.8 * (free + idle)) - _CUDA_RESERVE, 1 << 20)
    half = available_memory() // 2
    return half if restorer.spec.receptive_field is None else min(half, BOUNDED_CPU_BYTES)


def auto_tile(
    restorer: Restorer, footprint: Footprint, budget: int, height: int, width: int, overlap: int | None = None
) -> int | None:
    """Return the tile side for an image, or None to restore it whole.

    The whole image is the first choice: no pixel is computed twice, and with freed blocks kept
    (`keep_large_blocks`) it is the fastest on a CPU too: on two cores 768x512 took 1.6 times as long in tiles
    of 256 as whole with SCA-UNet, and 3.6 times as long with U-Net.

    Args:
        restorer: What restores.
        footprint: What it takes; see `Restorer.footprint`.
        budget: Bytes that a tile may take; see `memory_budget`.
        height: Rows of the image.
        width: Columns of the image.
        overlap: Pixels that tiles will share; None takes what the network needs.
    """
    spec = restorer.spec
    area = whole = footprint.area(budget)
    if spec.side is None:
        area = whole = min(area, MAX_TILE_AREA // spec.scale**2)
        if restorer.device.type == "cpu" and spec.receptive_field is None:
            whole = min(area, GLOBAL_CPU_AREA)
    if height * width <= whole:
        return None
    if whole < area:
        area = min(area, GLOBAL_CPU_AREA // 4)
    side = math.isqrt(area) // spec.multiple * spec.multiple
    return max(side, least_tile(spec, overlap))
