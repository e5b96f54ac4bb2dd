"""What restores: one interface for networks, exported graphs, methods and compositions of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from restorecli.core.footprint import Footprint, measure_footprint
from restorecli.core.restorer import RestorerSpec
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context


class Restorer(Protocol):
    """Anything that restores: a network, a filter, an exported graph, an optimizer per image.

    Subclass it for one of your own: `spec` and `__call__` are enough. `ImageRestorer` does the rest: tiles,
    memory, transparency, depth.
    """

    @property
    def spec(self) -> RestorerSpec:
        """What a caller must know."""
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Where it computes, whose memory decides about tiles."""
        return torch.device("cpu")

    @property
    def backend_reason(self) -> str:
        """Why this runtime computes, for the manifest; empty where there was no choice."""
        return ""

    @property
    def streams(self) -> bool:
        """Whether rows of an image are enough, so that images beyond memory can be restored."""
        return False

    @property
    def found(self) -> Sequence[str] | None:
        """What it has found in images so far, a line for each kind; None where it looks for nothing."""
        return None

    def identity(self) -> Mapping[str, Any]:
        """Return all that its results depend on, JSON-ready: name, weights, precision, parameters."""
        return {"name": self.spec.name, "weights": None, "precision": None}

    def footprint(self, channels: int) -> Footprint:
        """Return what images of 1 or 3 channels take in memory."""
        return measure_footprint(self, channels, self.spec.multiple)

    def steps(self, pixels: Pixels, context: Context) -> Sequence[Restorer]:
        """Return what is applied to one image, one after another, each told what is known.

        A network or a method returns itself as told; a composition returns several, each of which is cut into
        tiles as it needs; none leaves the image as it is.

        Args:
            pixels: (C, H, W) float32, nominally in [0, 1].
            context: What is known about the image, and where findings go.
        """
        del pixels, context
        return (self,)

    def in_float32(self) -> Restorer | None:
        """Return the same in float32, for what is not finite in its precision; None if it is that already."""
        return None

    def joins(self, other: Restorer) -> bool:
        """Tell whether images for this and for `other` may be one batch, each restored as it is alone."""
        del other
        return False

    def unchecked(self, batch: Tensor) -> Tensor:
        """Restore a batch, as `__call__`, but let what is not finite come back as NaN."""
        return self(batch)

    def __call__(self, batch: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1], C = 1 or 3 and any H and W, to the same (sides times the scale)."""
        raise NotImplementedError
