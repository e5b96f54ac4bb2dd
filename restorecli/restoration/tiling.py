"""Cutting an image into tiles, restoring each and joining them without seams.

A network with a known receptive field gives the same pixels from tiles as from the whole image, when
neighboring tiles share enough: what a tile's border spoils is cropped away. A network that sees the whole
image does not; there neighboring tiles fade into each other (chaiNNer's answer to seams is the same).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, zip_longest

import torch
from torch import Tensor

from restorecli.core.restorer import RestorerSpec, are_finite, is_finite, not_finite
from restorecli.core.transfer import Transfer, Wait
from restorecli.restoration.plan import Span, TilePlan, plan_tiles, round_up
from restorecli.restoration.restorer import Restorer


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


@dataclass(frozen=True, slots=True)
class Pending:
    """Restored images on their way to the host.

    Attributes:
        values: (N, C, H, W) in the host's memory, to be read once `wait` has returned.
        finite: (N,), whether all values of an image are finite; as `values`.
        wait: Waits for both.
    """

    values: Tensor
    finite: Tensor
    wait: Wait

    def take(self, number: int) -> Tensor | None:
        """Wait, and return image `number`, (C, H, W), or None where it is not finite."""
        self.wait()
        return self.values[number] if self.finite[number] else None


@torch.inference_mode()
def begin_tiled(
    restorer: Restorer,
    images: Sequence[Tensor],
    *,
    tile: int | None,
    overlap: int | None = None,
    transfer: Transfer,
    together: int = 1,
) -> Pending:
    """Begin to restore images of one size in tiles, without waiting for a device that has streams.

    Only of an image of many rows of tiles the first are waited for, while the next are computed.

    Args:
        restorer: What restores.
        images: (C, H, W) each, on the host.
        tile: Largest side of a tile in pixels; an image that fits into one is not cut. None never cuts.
        overlap: Pixels that neighboring tiles share; None takes `default_overlap`.
        transfer: The way to the restorer's device and back.
        together: Tiles of a row that are restored as one batch.

    Raises:
        UsageError: The tile is not larger than the overlap.
    """
    spec = restorer.spec
    channels, height, width = images[0].shape
    plan = _plan_for(spec, height, width, tile, overlap)
    if plan is None:
        restored = whole_tile(restorer, transfer.send(images))
        finite = are_finite(restored)
        return Pending(transfer.fetch(restored), transfer.fetch(finite), transfer.mark())

    def read(rows: Span) -> Tensor:
        seen = transfer.send([image[:, rows.start : rows.stop] for image in images])
        return seen.to(restorer.device)

    values = transfer.empty((len(images), channels, height * spec.scale, width * spec.scale))
    place = 0
    flags: list[Tensor] = []
    under_way: deque[Wait] = deque()
    for band in _bands(restorer, read, plan, together):
        transfer.fetch(band, values[..., place : place + band.shape[-2], :])
        place += band.shape[-2]
        flags.append(are_finite(band))
        under_way.append(transfer.mark())
        if len(under_way) > transfer.ahead:  # a device need not hold all rows of an image
            under_way.popleft()()
    return Pending(values, transfer.fetch(torch.stack(flags).all(0)), transfer.mark())


@torch.no_grad()
def restore_tiled(
    restorer: Restorer, image: Tensor, *, tile: int | None, overlap: int | None = None
) -> Tensor:
    """Restore an image in tiles.

    Memory beside the image and its result is that of one tile. Where `is_exact` holds the result equals
    that of the whole image (within 1e-5 in float32); elsewhere tiles change it, without seams.

    Args:
        restorer: What restores.
        image: (C, H, W) or (N, C, H, W) float32, C = 1 or 3, any H and W.
        tile: Largest side of a tile in pixels; an image that fits into one is not cut. None never cuts.
        overlap: Pixels that neighboring tiles share; None takes `default_overlap`.

    Returns:
        The restored image in the image's number of dimensions and on its device, sides times the scale.

    Raises:
        UsageError: The tile is not larger than the overlap.
        NonFiniteError: The result holds NaN or infinity.
    """
    restored = unchecked_tiled(
        restorer, image if image.ndim == 4 else image[None], tile=tile, overlap=overlap
    )
    if not is_finite(restored):
        raise not_finite(restorer.spec.name)
    return restored if image.ndim == 4 else restored[0]


@torch.no_grad()
def unchecked_tiled(
    restorer: Restorer, batch: Tensor, *, tile: int | None, overlap: int | None = None
) -> Tensor:
    """Restore (N, C, H, W) in tiles, as `restore_tiled`, but let what is not finite come back as NaN."""
    spec = restorer.spec
    *outer, height, width = batch.shape
    plan = _plan_for(spec, height, width, tile, overlap)
    if plan is None:
        return whole_tile(restorer, batch).to(batch.device)
    joined = torch.empty((*outer, height * spec.scale, width * spec.scale), device=batch.device)
    place = 0
    for band in _bands(
        restorer, lambda rows: batch[..., rows.start : rows.stop, :].to(restorer.device), plan
    ):
        joined[..., place : place + band.shape[-2], :] = band
        place += band.shape[-2]
    return joined


def _plan_for(
    spec: RestorerSpec, height: int, width: int, tile: int | None, overlap: int | None
) -> TilePlan | None:
    """Return the tiles of an image, or None where it is not cut."""
    if tile is None or max(round_up(height, spec.multiple), round_up(width, spec.multiple)) <= tile:
        return None
    return plan_tiles(spec, height, width, tile=tile, overlap=overlap)


def restore_bands(restorer: Restorer, read: Callable[[Span], Tensor], plan: TilePlan) -> Iterator[Tensor]:
    """Restore an image from top to bottom, one row of tiles at a time.

    Memory is that of two such rows, however high the image. A row is brought to the restorer's device, and
    its result back, as one: whether it is finite is asked once, after all of its tiles.

    Args:
        restorer: What restores.
        read: Returns the (N, C, rows, W) pixels from `start` to `stop` of a span, on the host; called from
            top to bottom.
        plan: The tiles.

    Yields:
        Finished rows on the host, (N, C, rows, W * scale); put below each other they are the restored image.

    Raises:
        NonFiniteError: The result holds NaN or infinity.
    """
    for band in _bands(restorer, lambda rows: read(rows).to(restorer.device), plan):
        fetched = band.cpu()
        if not is_finite(fetched):
            raise not_finite(restorer.spec.name)
        yield fetched


@torch.no_grad()
def _bands(
    restorer: Restorer, read: Callable[[Span], Tensor], plan: TilePlan, together: int = 1
) -> Iterator[Tensor]:
    """Yield finished rows, unchecked, on the device of what `read` returns."""
    scale = restorer.spec.scale
    begun: Tensor | None = None
    for rows, following in zip_longest(plan.rows, plan.rows[1:]):
        joined = _join_row(restorer, read(rows), rows, plan.columns, begun, together)
        finished = ((rows.keep_stop if following is None else following.keep_start) - rows.keep_start) * scale
        yield joined[..., :finished, :]
        begun = joined[..., finished:, :].clone()


def _join_row(
    restorer: Restorer,
    seen: Tensor,
    rows: Span,
    columns: tuple[Span, ...],
    begun: Tensor | None,
    together: int,
) -> Tensor:
    """Return the kept rows of one row of tiles, on top of what the row above has begun of them."""
    scale = restorer.spec.scale
    height, width = (rows.keep_stop - rows.keep_start) * scale, seen.shape[-1] * scale
    joined = torch.zeros((*seen.shape[:-2], height, width), device=seen.device)
    if begun is not None:
        joined[..., : begun.shape[-2], :] = begun
    for column, tile in _tiles_of_row(restorer, seen, columns, together):
        kept = tile[..., _kept(rows, scale), _kept(column, scale)]
        if rows.fade_in or rows.fade_out or column.fade_in or column.fade_out:
            weight = span_weight(rows, scale)[:, None] * span_weight(column, scale)
            kept = kept * weight.to(kept.device)
        joined[..., slice(column.keep_start * scale, column.keep_stop * scale)] += kept
    return joined


def _tiles_of_row(
    restorer: Restorer, seen: Tensor, columns: tuple[Span, ...], together: int
) -> Iterator[tuple[Span, Tensor]]:
    """Yield the columns of a row with what is restored of each, `together` of one width at a time."""
    for _, run in groupby(columns, lambda column: column.stop - column.start):
        alike = list(run)
        for some in (alike[first : first + together] for first in range(0, len(alike), together)):
            # The slice of an edge tile ends with the image; the restorer pads it as it would pad the whole.
            slices = [seen[..., column.start : column.stop] for column in some]
            restored = whole_tile(restorer, slices[0] if len(slices) == 1 else torch.cat(slices))
            yield from zip(some, restored.chunk(len(some)), strict=True)


def _kept(span: Span, scale: int) -> slice:
    return slice((span.keep_start - span.start) * scale, (span.keep_stop - span.start) * scale)


def whole_tile(restorer: Restorer, batch: Tensor) -> Tensor:
    """Restore one tile without waiting for the device; what is not finite is NaN.

    Raises:
        ValueError: The restorer breaks its own specification: the result has another shape.
    """
    restored = restorer.unchecked(batch)
    *outer, height, width = batch.shape
    expected = (*outer, height * restorer.spec.scale, width * restorer.spec.scale)
    if tuple(restored.shape) != expected:
        raise ValueError(f"{restorer.spec.name} must give {expected}, got {tuple(restored.shape)}")
    return restored
