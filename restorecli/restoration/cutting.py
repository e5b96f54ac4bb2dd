"""How an image is cut: the side of its tiles, what they share, and how many go together as one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from restorecli.core.footprint import Footprint
from restorecli.core.transfer import Transfer
from restorecli.errors import UsageError
from restorecli.restoration.budget import auto_tile, memory_budget
from restorecli.restoration.plan import (
    MAX_DEFAULT_OVERLAP,
    default_overlap,
    is_exact,
    needed_overlap,
    plan_axis,
    round_up,
)
from restorecli.restoration.restorer import Restorer

MAX_BATCH_AREA = 1 << 22
"""Pixels of a batch beyond which a device has no more to gain from further images or tiles."""

CHANGED_BY_TILES = "restored in tiles that share less than the network sees: they change its result a little"
"""The note on an image whose tiles are not equal to the whole."""


@dataclass(frozen=True, slots=True)
class TileUse:
    """How an image was cut.

    Attributes:
        tile: Largest side of a tile, or None for the whole image.
        overlap: Pixels that neighbors shared; 0 for the whole image.
        exact: Whether the result is that of the whole image.
    """

    tile: int | None = None
    overlap: int = 0
    exact: bool = True


def joined(uses: Sequence[TileUse]) -> TileUse:
    """Return how an image was cut over several steps: the smallest tiles, exact if all were."""
    cut = [use for use in uses if use.tile is not None]
    if not cut:
        return TileUse()
    smallest = min(cut, key=lambda use: use.tile or 0)
    return replace(smallest, exact=all(use.exact for use in cut))


def parse_tile(tile: int | str) -> int | str:
    """Return "auto", "none" or a tile side in pixels.

    Raises:
        UsageError: It is none of these.
    """
    if tile in ("auto", "none"):
        return tile
    try:
        side = int(tile)
    except ValueError:
        side = 0
    if side < 1:
        raise UsageError("Unknown tile size.", expected="auto, none or a side in pixels", got=str(tile))
    return side


class Cutting:
    """Chooses tiles and batches for restorers; remembers what they take, and which size memory could hold.

    Args:
        tile: See `ImageRestorer`.
        overlap: See `ImageRestorer`.
        batch: See `ImageRestorer`.
        transfer_to: Returns the way to a device and back.

    Attributes:
        limits: Largest side that may be tried, by the name of a restorer, for those whose memory ran out.

    Raises:
        UsageError: The tile is unknown, or the overlap negative.
    """

    def __init__(
        self,
        tile: int | str,
        overlap: int | None,
        batch: int | None,
        transfer_to: Callable[[torch.device], Transfer],
    ) -> None:
        if overlap is not None and overlap < 0:
            raise UsageError("An overlap cannot be negative.", expected="0 or more pixels", got=str(overlap))
        self.tile = parse_tile(tile)
        self.overlap = overlap
        self.batch = batch
        self.limits: dict[str, int] = {}
        self._transfer_to = transfer_to
        self._transfers: dict[torch.device, Transfer] = {}
        self._footprints: dict[tuple[str, int], Footprint] = {}
        self._budgets: dict[str, int] = {}

    def check(self, restorer: Restorer) -> None:
        """Refuse a side that was asked for and that the restorer cannot take.

        Raises:
            UsageError: The tile is not larger than the overlap, or the restorer needs the whole image.
        """
        if not isinstance(self.tile, int):
            return
        spec = restorer.spec
        if spec.whole:
            raise UsageError(
                f"{spec.name} needs the whole image.", expected="--tile auto or none", got=str(self.tile)
            )
        shared = default_overlap(spec, self.tile) if self.overlap is None else self.overlap
        plan_axis(2 * self.tile + spec.multiple, tile=self.tile, overlap=shared, multiple=spec.multiple)

    def changes_nothing(self, restorer: Restorer) -> bool:
        """Tell whether results are those of whole images, however large these are."""
        spec = restorer.spec
        if spec.whole:
            return True
        if self.overlap is not None:
            return is_exact(spec, self.overlap)
        if isinstance(self.tile, int):
            return is_exact(spec, default_overlap(spec, self.tile))
        if self.tile == "none":
            return spec.receptive_field is not None
        return is_exact(spec, min(needed_overlap(spec), MAX_DEFAULT_OVERLAP))

    def transfer(self, step: Restorer) -> Transfer:
        """Return the way to the device of a restorer."""
        device = step.device
        if device not in self._transfers:
            self._transfers.setdefault(device, self._transfer_to(device))  # another thread may be faster
        return self._transfers[device]

    def choose(
        self, step: Restorer, channels: int, height: int, width: int, most: int | None = None
    ) -> int | None:
        """Return the side of an image's tiles, of at most so many bytes each, or None to restore it whole."""
        if self.tile == "none" or step.spec.whole:
            return None
        if isinstance(self.tile, int):
            return self.tile
        budget = self._budget(step)
        budget = budget if most is None else min(budget, most)
        return auto_tile(step, self._footprint(step, channels), budget, height, width, self.overlap)

    def use(self, step: Restorer, tile: int | None, height: int, width: int) -> TileUse:
        """Return how an image of one size is cut by tiles of a side, or smaller ones where memory ran out."""
        spec, largest = step.spec, max(height, width)
        limits = [side for side in (tile, self.limits.get(spec.name)) if side is not None]
        if not limits or round_up(largest, spec.multiple) <= min(limits):
            return TileUse()
        side = min(limits)
        overlap = default_overlap(spec, side) if self.overlap is None else self.overlap
        return TileUse(side, overlap, is_exact(spec, overlap))

    def batch_size(self, step: Restorer, channels: int, area: int) -> int:
        """Return how many images or tiles of `area` pixels may be one batch."""
        if self.batch is not None:
            return self.batch
        limit = min(self.transfer(step).together, MAX_BATCH_AREA // area)
        if limit <= 1:
            return 1
        return max(1, min(limit, self._footprint(step, channels).area(self._budget(step)) // area))

    def _footprint(self, step: Restorer, channels: int) -> Footprint:
        key = (step.spec.name, channels)
        if key not in self._footprints:
            self._footprints[key] = step.footprint(channels)
        return self._footprints[key]

    def _budget(self, step: Restorer) -> int:
        """Return the bytes that a tile may take; asked once where images under way would count."""
        if not self.transfer(step).ahead:
            return memory_budget(step)
        if step.spec.name not in self._budgets:
            self._budgets[step.spec.name] = memory_budget(step)
        return self._budgets[step.spec.name]
