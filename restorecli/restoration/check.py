"""What tiles cost in quality: the whole image against its tiles."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from restorecli.errors import UsageError
from restorecli.folders.walking import ImageFile
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import read_image
from restorecli.restoration.known import Known
from restorecli.restoration.plan import (
    Span,
    default_overlap,
    is_exact,
    least_tile,
    needed_overlap,
    plan_tiles,
    round_up,
)
from restorecli.restoration.records import SourceRecords
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.tiling import restore_tiled

ENOUGH_PSNR = 60.0
"""From here on tiles are as good as the whole in 8 bits: their error is a quarter of a level."""

_MIN_OVERLAP = 8
_SIDE = 256
_CROP = 768


@dataclass(frozen=True, slots=True)
class TileCheck:
    """How far tiles change a result.

    Attributes:
        tile: Side of the tiles.
        overlap: Pixels that neighbors shared.
        exact: Whether the network promises that tiles change nothing.
        psnr: Of the tiled result against the whole one in dB; infinite if they are equal.
        largest: Largest difference of a pixel, range [0, 1].
        seam_ratio: Mean step across the joins divided by that of the whole result there; 1 means no seam.
        enough: Least overlap of those tried (0, 8, 16, 32 ... px, and what the network needs) by which tiles
            are `wanted` dB or more from the whole; None where none is with tiles of this side.
        wanted: PSNR from which on an overlap is enough.
    """

    tile: int
    overlap: int
    exact: bool
    psnr: float
    largest: float
    seam_ratio: float
    enough: int | None = None
    wanted: float = ENOUGH_PSNR

    def to_dict(self) -> dict[str, Any]:
        """Return the check JSON-ready; an infinite PSNR is None."""
        return {**asdict(self), "psnr": self.psnr if math.isfinite(self.psnr) else None}


def check_tiles(
    restorer: Restorer,
    image: Tensor,
    *,
    tile: int = 256,
    overlap: int | None = None,
    crop: int = _CROP,
    search: bool = False,
) -> TileCheck:
    """Compare whole and tiled restoration on the middle of an image.

    Args:
        restorer: What restores.
        image: (C, H, W) float32 in [0, 1]; larger than `tile` for the check to mean something.
        tile: Side of the tiles in pixels.
        overlap: Pixels that neighbors share; None takes the default.
        crop: Largest side of the part that is compared.
        search: Look for the overlap that is enough, too.

    Raises:
        UsageError: The tile is not larger than the overlap.
    """
    spec = restorer.spec
    overlap = default_overlap(spec, tile) if overlap is None else overlap
    top, left = (max(0, (side - crop) // 2) for side in image.shape[-2:])
    part = image[..., top : top + crop, left : left + crop]
    whole = restore_tiled(restorer, part, tile=None)
    tiled = restore_tiled(restorer, part, tile=tile, overlap=overlap)
    return TileCheck(
        tile=tile,
        overlap=overlap,
        exact=is_exact(spec, overlap),
        psnr=_psnr(whole, tiled),
        largest=float((whole - tiled).abs().max()),
        seam_ratio=_seam_ratio(restorer, whole, tiled, tile, overlap),
        enough=_enough(restorer, part, whole, tile) if search else None,
    )


def check_image(
    file: ImageFile,
    restorer: Restorer,
    known: Known,
    sources: SourceRecords,
    *,
    tile: int | str = "auto",
    overlap: int | None = None,
    reading: ReadOptions = STRICT,
) -> TileCheck:
    """Check what tiles cost for one image, with the overlap that would be enough.

    Args:
        file: The image.
        restorer: What restores.
        known: What the caller says about it.
        sources: What its manifest says.
        tile: Side of the tiles; "auto" and "none" take 256, or more where the network needs it.
        overlap: Pixels that neighbors share; None takes the default.
        reading: How to read what is unusual.

    Raises:
        UsageError: The restorer takes whole images only, or the image fits into one tile.
        ImageError: The image cannot be read or restored.
    """
    image = read_image(file.path, reading)
    context = known.context(file, image.pixels, sources.find(file), restorer.spec.needs)
    steps = restorer.steps(image.pixels, context)
    spec = restorer.spec if not steps else steps[0].spec
    side = tile if isinstance(tile, int) else max(_SIDE, least_tile(spec))
    if not steps or spec.whole:
        raise UsageError(f"{spec.name} takes whole images: there are no tiles to check.", got=spec.name)
    if max(image.size) <= side:
        raise UsageError(
            "The image fits into one tile: there is no seam to check.",
            expected=f"an image of more than {side} pixels, or a smaller --tile",
            got=f"{image.size[1]}x{image.size[0]}",
            file=file.path,
        )
    pixels = torch.from_numpy(np.ascontiguousarray(image.pixels, np.float32))
    return check_tiles(steps[0], pixels, tile=side, overlap=overlap, crop=max(3 * side, _CROP), search=True)


def _enough(restorer: Restorer, part: Tensor, whole: Tensor, tile: int) -> int | None:
    """Return the least overlap of a few with which tiles of a side reach `ENOUGH_PSNR`."""
    spec = restorer.spec
    overlap = round_up(_MIN_OVERLAP, spec.multiple)
    largest = tile - tile % spec.multiple - spec.multiple
    tried = {0} if spec.receptive_field is None else {0, needed_overlap(spec)}
    while overlap <= tile // 2:
        tried.add(overlap)
        overlap *= 2
    for overlap in sorted(tried):
        if overlap <= largest:
            tiled = restore_tiled(restorer, part, tile=tile, overlap=overlap)
            if _psnr(whole, tiled) >= ENOUGH_PSNR:
                return overlap
    return None


def _psnr(one: Tensor, other: Tensor) -> float:
    error = float(((one - other).double() ** 2).mean())
    return math.inf if error == 0 else -10 * math.log10(error)


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
