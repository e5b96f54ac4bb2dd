"""A method as a restorer, so that the folder job treats it like a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from restorecli.core.restorer import RestorerSpec
from restorecli.errors import UsageError
from restorecli.folders.record import Record
from restorecli.folders.walking import ImageFile
from restorecli.images.picture import Picture, Pixels
from restorecli.restoration.context import Context, Findings
from restorecli.restoration.known import Known
from restorecli.restoration.methods.base import Method
from restorecli.restoration.picture import PictureRestorer, TileUse, parse_tile
from restorecli.restoration.plan import least_tile

LARGEST_WHOLE = 1 << 24
"""Pixels up to which a method that could work in tiles gets a picture whole."""

_TILE = 2048


class MethodRestorer:
    """A method with what it knows about one picture, as a restorer; see `core.restorer.Restorer`.

    Args:
        method: What restores.
        context: What is known about the picture.
    """

    def __init__(self, method: Method, context: Context | None = None) -> None:
        self.method = method
        self.context = Context() if context is None else context
        self.spec = RestorerSpec(
            name=method.name,
            channels=3,
            scale=method.scale_for(self.context),
            receptive_field=method.receptive_field,
        )

    def __call__(self, batch: Tensor) -> Tensor:
        """Restore (N, C, H, W), picture by picture; clipped to [0, 1]."""
        restored = [self._restore(picture) for picture in batch.detach().cpu().float().numpy()]
        return torch.from_numpy(np.stack(restored)).clamp(0, 1).to(batch.device)

    def _restore(self, pixels: Pixels) -> Pixels:
        return np.ascontiguousarray(self.method.restore(pixels, self.context), np.float32)

    @property
    def identity(self) -> Mapping[str, Any]:
        """What tells it from another: name, parameters, and what else its results depend on."""
        return {
            "name": self.method.name,
            "parameters": self.method.parameters(),
            **self.method.fingerprint(),
        }


class MethodPainter:
    """Restores pictures one after another with a method, each with what is known about it.

    Args:
        restorer: The method, which knows nothing yet.
        known: What the caller says.
        tile: "auto" (whole, but for very large pictures where tiles change nothing), "none" or a side.
        overlap: Pixels that neighbouring tiles share; None takes what the method needs.
        tell: Called with steps done and steps in all by a method that takes minutes for a picture.

    Raises:
        UsageError: The tile is unknown, or a side for a method that needs the whole picture.
    """

    def __init__(
        self,
        restorer: MethodRestorer,
        known: Known,
        *,
        tile: int | str = "auto",
        overlap: int | None = None,
        tell: Callable[[int, int], None] | None = None,
    ) -> None:
        self.restorer = restorer
        self.known = known
        self.tell = tell
        self.tile = parse_tile(tile)
        self.overlap = overlap
        if isinstance(self.tile, int) and restorer.spec.receptive_field is None:
            raise UsageError(
                f"{restorer.spec.name} needs the whole picture.",
                expected="--tile auto or none",
                came=str(tile),
            )
        checked = PictureRestorer(restorer, tile=self.tile, overlap=overlap)
        self.tiles_change_nothing = restorer.spec.receptive_field is None or checked.tiles_change_nothing

    def identity(self, file: ImageFile) -> dict[str, Any]:
        """Return what the caller says about one picture, as its manifest line keeps it."""
        return self.known.identity(file)

    def __call__(
        self, picture: Picture, file: ImageFile, record: Record | None
    ) -> tuple[Picture, TileUse, Findings]:
        """Restore a picture; see `PictureRestorer`.

        Args:
            picture: The picture.
            file: Its file.
            record: Its line in the manifest of its folder.

        Returns:
            The restored picture, how it was cut, and what the method found out.

        Raises:
            ImageError: It cannot be restored, e.g. because something that the method needs is not known.
        """
        method = self.restorer.method
        context = self.known.context(file, picture.pixels, record, method.needs)
        bound = MethodRestorer(method, replace(context, tell=self.tell))
        painter = PictureRestorer(bound, tile=self._side(picture, bound.spec), overlap=self.overlap)
        return *painter(picture), context.found

    def _side(self, picture: Picture, spec: RestorerSpec) -> int | str:
        height, width = picture.size
        if self.tile == "auto":
            large = height * width > LARGEST_WHOLE and spec.receptive_field is not None
            return max(_TILE, least_tile(spec, self.overlap)) if large else "none"
        return self.tile
