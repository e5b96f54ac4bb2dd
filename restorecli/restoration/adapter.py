"""A method as a restorer, so that everything treats it like a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from restorecli.core.footprint import Footprint
from restorecli.core.restorer import RestorerSpec, check_batch
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method
from restorecli.restoration.restorer import Restorer

_FOOTPRINT = Footprint(128.0)
"""Bytes per pixel that a method takes: some five copies of three channels in float64."""


class MethodRestorer(Restorer):
    """A method with what it knows about one image, as a restorer.

    Args:
        method: What restores.
        context: What is known about the image.
    """

    def __init__(self, method: Method, context: Context | None = None) -> None:
        self.method = method
        self.context = Context() if context is None else context
        self._spec = RestorerSpec(
            name=method.name,
            channels=3,
            scale=method.scale_for(self.context),
            receptive_field=method.receptive_field,
            needs=method.needs,
            whole=method.receptive_field is None,
            affine=method.affine,
        )

    def __repr__(self) -> str:
        """Return the method with its parameters."""
        values = ", ".join(f"{name}={value}" for name, value in self.method.parameters().items())
        return f"<method {self.spec.name}({values})>"

    @property
    def spec(self) -> RestorerSpec:
        """What a caller must know."""
        return self._spec

    def identity(self) -> Mapping[str, Any]:
        """Return what tells it from another: name, parameters, and what else its results depend on."""
        return {
            "name": self.method.name,
            "parameters": self.method.parameters(),
            **self.method.fingerprint(),
        }

    def footprint(self, channels: int) -> Footprint:
        """Return what an image takes in memory: about the same for every method."""
        del channels
        return _FOOTPRINT

    def steps(self, pixels: Pixels, context: Context) -> Sequence[Restorer]:
        """Return the method as told what is known about one image."""
        del pixels
        return (MethodRestorer(self.method, context),)

    def __call__(self, batch: Tensor) -> Tensor:
        """Restore (N, C, H, W), image by image; clipped to [0, 1].

        Raises:
            UsageError: The batch is of another kind or shape.
        """
        check_batch(batch)
        restored = [self._restore(image) for image in batch.detach().cpu().float().numpy()]
        return torch.from_numpy(np.stack(restored)).clamp(0, 1).to(batch.device)

    def _restore(self, pixels: Pixels) -> Pixels:
        return np.ascontiguousarray(self.method.restore(pixels, self.context), np.float32)
