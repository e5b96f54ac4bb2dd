"""What tiles cost in quality: the whole picture against its tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from restorecli.restoration.plan import Span, default_overlap, is_exact, plan_tiles
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.tiling import restore_tiled


@dataclass(frozen=True, slots=True)
class TileCheck:
    """How far tiles change a result.

    Attributes:
        tile: Side of the tiles.
        overlap: Pixels that neighbours shared.
        exact: Whether the network promises that tiles change nothing.
        psnr: Of the tiled result against the whole one in dB; infinite if they are equal.
        largest: Largest difference of a pixel, range [0, 1].
        seam_ratio: Mean step across the joins divided by that of the whole result there; 1 means no seam.
    """

    tile: int
    overlap: int
    exact: bool
    psnr: float
    largest: float
    seam_ratio: float


def check_tiles(
    restorer: Restorer, image: Tensor, *, tile: int = 256, overlap: int | None = None, crop: int = 768
) -> TileCheck:
    """Compare whole and tiled restoration on the middle of a picture.

    Args:
        restorer: What restores.
        image: (C, H, W) float32 in [0, 1]; larger than `tile` for the check to mean something.
        tile: Side of the tiles in pixels.
        overlap: Pixels that neighbours share; None takes the default.
        crop: Largest side of the part that is compared.

    Raises:
        UsageError: The tile is not larger than the overlap.
    """
    spec = restorer.spec
    overlap = default_overlap(spec, tile) if overlap is None else overlap
    top, left = (max(0, (side - crop) // 2) for side in image.shape[-2:])
    part = image[..., top : top + crop, left : left + crop]
    whole = restore_tiled(restorer, part, tile=None)
    tiled = restore_tiled(restorer, part, tile=tile, overlap=overlap)
    difference = (whole - tiled).double()
    error = float((difference**2).mean())
    return TileCheck(
        tile=tile,
        overlap=overlap,
        exact=is_exact(spec, overlap),
        psnr=math.inf if error == 0 else -10 * math.log10(error),
        largest=float(difference.abs().max()),
        seam_ratio=_seam_ratio(restorer, whole, tiled, tile, overlap),
    )


def _seam_ratio(restorer: Restorer, whole: Tensor, tiled: Tensor, tile: int, overlap: int) -> float:
    spec = restorer.spec
    height, width = (side // spec.scale for side in whole.shape[-2:])
    plan = plan_tiles(spec, height, width, tile=tile, overlap=overlap)
    rows, columns = _borders(plan.rows) - {0, height}, _borders(plan.columns) - {0, width}
    steps = [_steps(result, rows, columns, spec.scale) for result in (whole, tiled)]
    return 1.0 if steps[0] == 0 else steps[1] / steps[0]


def _borders(spans: tuple[Span, ...]) -> set[int]:
    return {span.keep_start for span in spans} | {span.keep_stop for span in spans}


def _steps(result: Tensor, rows: set[int], columns: set[int], scale: int) -> float:
    """Return the mean absolute step between the two pixels on either side of the given lines."""
    down = [(result[..., r * scale, :] - result[..., r * scale - 1, :]).abs().flatten() for r in rows]
    right = [(result[..., c * scale] - result[..., c * scale - 1]).abs().flatten() for c in columns]
    return float(torch.cat([*down, *right]).mean()) if down or right else 0.0
