"""Where the tiles of an image lie, what they share, and which of their pixels count: no pixel is touched."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from restorecli.core.restorer import RestorerSpec
from restorecli.errors import UsageError

GLOBAL_OVERLAP = 64
"""Pixels that tiles of a network without a bounded receptive field share by default."""

MAX_DEFAULT_OVERLAP = 256
"""Largest overlap in pixels that is chosen without being asked for: what lies farther away weighs little."""


@dataclass(frozen=True, slots=True)
class Span:
    """One tile along one axis, in input pixels.

    Attributes:
        start: First pixel that the network sees.
        stop: One past the last pixel that it sees.
        keep_start: First pixel whose result counts.
        keep_stop: One past the last pixel whose result counts.
        fade_in: Pixels from `keep_start` on over which the tile before fades into this one.
        fade_out: Pixels up to `keep_stop` over which this tile fades into the one after.
    """

    start: int
    stop: int
    keep_start: int
    keep_stop: int
    fade_in: int = 0
    fade_out: int = 0


@dataclass(frozen=True, slots=True)
class TilePlan:
    """The tiles of an image: every row span with every column span, from top to bottom."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self.rows) * len(self.columns)


def needed_overlap(spec: RestorerSpec) -> int:
    """Return the overlap in pixels from which on tiles change nothing, or a fair one if there is none."""
    if spec.receptive_field is None:
        return round_up(GLOBAL_OVERLAP, spec.multiple)
    return round_up(2 * (spec.receptive_field // 2), spec.multiple)


def is_exact(spec: RestorerSpec, overlap: int) -> bool:
    """Tell whether tiles that share `overlap` pixels give the whole image's result (but for rounding)."""
    return spec.receptive_field is not None and round_up(overlap, spec.multiple) >= needed_overlap(spec)


def smallest_tile(multiple: int, overlap: int) -> int:
    """Return the smallest side worth trying with an overlap: below it nearly all work goes into overlaps."""
    return max(2 * multiple, overlap + overlap // 4 + multiple)


def least_tile(spec: RestorerSpec, overlap: int | None = None) -> int:
    """Return the side below which no tile is made to save memory.

    Args:
        spec: Of the restorer.
        overlap: Pixels that tiles share; None takes what the network needs, or `MAX_DEFAULT_OVERLAP` where
            that is more: then tiles this small are not exact.
    """
    if overlap is None:
        overlap = min(needed_overlap(spec), round_up(MAX_DEFAULT_OVERLAP, spec.multiple))
    return smallest_tile(spec.multiple, overlap)


def default_overlap(spec: RestorerSpec, tile: int) -> int:
    """Return the overlap for a tile side: what the network needs, or half the tile where that is too much."""
    needed = needed_overlap(spec)
    return (
        needed if tile >= smallest_tile(spec.multiple, needed) else tile // 2 // spec.multiple * spec.multiple
    )


def plan_axis(
    size: int, *, tile: int, overlap: int, multiple: int = 1, exact: bool = True
) -> tuple[Span, ...]:
    """Plan the tiles along one axis.

    All tiles have one length once the last is padded to `multiple`, start at multiples of it, and are spread
    evenly, the last shifted inwards. Exact tiles are as short as their number allows, which saves work; the
    others keep the full length, since there a wider view is a better one.

    Args:
        size: Pixels along the axis, at least 1.
        tile: Largest length of a tile; rounded down to `multiple`.
        overlap: Least number of pixels that neighbors share; rounded up to `multiple`.
        multiple: The network's multiple.
        exact: Crop at the middle of the overlap; otherwise fade over `overlap` pixels.

    Raises:
        UsageError: The tile is not longer than the overlap, or below two multiples.
    """
    padded = round_up(size, multiple)
    overlap = round_up(overlap, multiple)
    if padded <= tile:
        return (Span(0, size, 0, size),)
    tile -= tile % multiple
    if tile <= overlap or tile < 2 * multiple:
        least = max(overlap + multiple, 2 * multiple)
        raise UsageError(
            "The tile must be larger than the overlap.",
            expected=f"a tile of at least {least} pixels for an overlap of {overlap}",
            got=f"tile {tile}",
            hint="use a larger --tile, a smaller --overlap, or --tile auto",
        )
    count = 1 + -(-(padded - tile) // (tile - overlap))
    if exact:
        tile = round_up(-(-(padded + (count - 1) * overlap) // count), multiple)
    starts = [i * (padded - tile) // (count - 1) // multiple * multiple for i in range(count)]
    cuts = [(after + before + tile) // 2 for before, after in pairwise(starts)]
    gap = min((after - before for before, after in pairwise(cuts)), default=tile)
    fade = 0 if exact else min(overlap // 2, gap // 2)
    return _spans(size, tile, starts, cuts, fade)


def _spans(size: int, tile: int, starts: list[int], cuts: list[int], fade: int) -> tuple[Span, ...]:
    spans = []
    for i, start in enumerate(starts):
        first, last = i == 0, i == len(starts) - 1
        spans.append(
            Span(
                start=start,
                stop=min(start + tile, size),
                keep_start=0 if first else cuts[i - 1] - fade,
                keep_stop=size if last else cuts[i] + fade,
                fade_in=0 if first else 2 * fade,
                fade_out=0 if last else 2 * fade,
            )
        )
    return tuple(spans)


def plan_tiles(
    spec: RestorerSpec, height: int, width: int, *, tile: int, overlap: int | None = None
) -> TilePlan:
    """Plan the tiles of an image.

    Args:
        spec: Of the restorer.
        height: Rows of the image.
        width: Columns of the image.
        tile: Largest side of a tile in pixels.
        overlap: Pixels that neighboring tiles share; None takes `default_overlap`.

    Raises:
        UsageError: The tile is not larger than the overlap.
    """
    overlap = default_overlap(spec, tile) if overlap is None else overlap
    exact = is_exact(spec, overlap)
    rows, columns = (
        plan_axis(side, tile=tile, overlap=overlap, multiple=spec.multiple, exact=exact)
        for side in (height, width)
    )
    return TilePlan(rows, columns)


def round_up(value: int, multiple: int) -> int:
    """Return the smallest multiple that is not below `value`."""
    return -(-value // multiple) * multiple
