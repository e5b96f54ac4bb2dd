"""Cutting a picture into tiles, restoring each and joining them without seams.

A network with a known receptive field gives the same pixels from tiles as from the whole picture, when
neighbouring tiles share enough: what a tile's rim spoils is cropped away. A network that sees the whole
picture does not; there neighbouring tiles fade into each other (chaiNNer's answer to seams is the same).
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from restorecli.core.restorer import NonFiniteError, Restorer
from restorecli.restore.plan import Span, Tile, default_overlap, is_exact, plan_tiles, round_up


@lru_cache(maxsize=16)
def _ramp(length: int) -> Tensor:
    """Return a raised cosine that rises from 0 to 1; it and its complement add up to 1."""
    position = (torch.arange(length, dtype=torch.float64) + 0.5) / max(length, 1)
    return (0.5 - 0.5 * torch.cos(torch.pi * position)).float()


def span_weight(span: Span, scale: int = 1) -> Tensor:
    """Return the weight of a tile's kept pixels along one axis; over all tiles the weights add up to 1."""
    weight = torch.ones((span.keep_stop - span.keep_start) * scale)
    if span.fade_in:
        weight[: span.fade_in * scale] = _ramp(span.fade_in * scale)
    if span.fade_out:
        weight[-span.fade_out * scale :] = 1 - _ramp(span.fade_out * scale)
    return weight


@torch.no_grad()
def restore_tiled(
    restorer: Restorer, image: Tensor, *, tile: int | None, overlap: int | None = None
) -> Tensor:
    """Restore a picture in tiles.

    Memory beside the picture and its result is that of one tile. Where `is_exact` holds the result equals
    that of the whole picture (within 1e-5 in float32); elsewhere tiles change it, without seams.

    Args:
        restorer: What restores.
        image: (C, H, W) or (N, C, H, W) float32, C = 1 or 3, any H and W.
        tile: Largest side of a tile in pixels; a picture that fits into one is not cut. None never cuts.
        overlap: Pixels that neighbouring tiles share; None takes `default_overlap`.

    Returns:
        The restored picture in the image's number of dimensions and on its device, sides times the scale.

    Raises:
        UsageError: The tile is not larger than the overlap.
        NonFiniteError: A tile came back with NaN or infinity.
    """
    batch = image if image.ndim == 4 else image[None]
    spec = restorer.spec
    height, width = batch.shape[-2:]
    if tile is None or max(round_up(height, spec.multiple), round_up(width, spec.multiple)) <= tile:
        restored = checked(restorer, batch)
    else:
        overlap = default_overlap(spec, tile) if overlap is None else overlap
        exact = is_exact(spec, overlap)
        tiles = plan_tiles(height, width, tile=tile, overlap=overlap, multiple=spec.multiple, exact=exact)
        restored = _join(restorer, batch, tiles)
    return restored if image.ndim == 4 else restored[0]


def _join(restorer: Restorer, batch: Tensor, tiles: tuple[Tile, ...]) -> Tensor:
    scale = restorer.spec.scale
    *outer, height, width = batch.shape
    joined = torch.zeros((*outer, height * scale, width * scale), device=batch.device)
    for tile in tiles:
        rows, columns = tile.rows, tile.columns
        # The slice of an edge tile ends with the picture; the restorer pads it as it would pad the whole.
        seen = batch[..., rows.start : rows.stop, columns.start : columns.stop]
        kept = checked(restorer, seen)[..., _kept(rows, scale), _kept(columns, scale)]
        if rows.fade_in or rows.fade_out or columns.fade_in or columns.fade_out:
            weight = span_weight(rows, scale)[:, None] * span_weight(columns, scale)
            kept = kept * weight.to(kept.device)
        joined[..., _placed(rows, scale), _placed(columns, scale)] += kept
    return joined


def _kept(span: Span, scale: int) -> slice:
    return slice((span.keep_start - span.start) * scale, (span.keep_stop - span.start) * scale)


def _placed(span: Span, scale: int) -> slice:
    return slice(span.keep_start * scale, span.keep_stop * scale)


def checked(restorer: Restorer, batch: Tensor) -> Tensor:
    """Restore one tile and check what comes back, so that nothing wrong is ever joined.

    Raises:
        NonFiniteError: The result holds NaN or infinity.
        ValueError: The restorer breaks its own specification: the result has another shape.
    """
    restored = restorer(batch)
    *outer, height, width = batch.shape
    expected = (*outer, height * restorer.spec.scale, width * restorer.spec.scale)
    if tuple(restored.shape) != expected:
        raise ValueError(f"{restorer.spec.name} must give {expected}, came {tuple(restored.shape)}")
    if not bool(torch.isfinite(restored).all()):
        raise NonFiniteError(
            f"{restorer.spec.name} gave values that are not finite.",
            expected="finite pixels",
            unchanged="nothing was written for this picture",
            hint="check the picture for NaN (float TIFF), try --precision fp32, or use other weights",
        )
    return restored.to(batch.device)
