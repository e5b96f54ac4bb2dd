"""Restores the print inside a border of one color, and leaves the border as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restorecli.core.restorer import RestorerSpec, check_batch
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.restorer import Restorer

# SciPy, which the diagnosis needs, is imported where it is used.
if TYPE_CHECKING:
    from restorecli.diagnosis.measuring.borders import Print

NAME = "inside a border"


class BorderedRestorer(Restorer):
    """What restores a print that lies inside a border, perhaps turned a little.

    What restores it sees the upright box around the print; what of the border is in that box is replaced by
    the print, mirrored at its edge, so that its color spoils no tones.

    Args:
        inside: The print.
        steps: Returns what is applied to it, one after another, given (C, H, W) pixels and what is known.
        context: What is known about the image.
    """

    def __init__(
        self, inside: Print, steps: Callable[[Pixels, Context], Sequence[Restorer]], context: Context
    ) -> None:
        self._inside = inside
        self._steps = steps
        self._context = context

    @property
    def spec(self) -> RestorerSpec:
        """Whole images of their own size; what restores the print is cut into tiles as it needs."""
        return RestorerSpec(name=NAME, channels=3, whole=True)

    def __call__(self, batch: Tensor) -> Tensor:
        """Restore (N, C, H, W), image by image.

        Raises:
            UsageError: The batch is of another kind or shape.
        """
        check_batch(batch)
        restored = [self._restored(image) for image in batch.detach().cpu().float().numpy()]
        return torch.from_numpy(np.stack(restored)).to(batch.device)

    def _restored(self, pixels: Pixels) -> Pixels:
        size = (pixels.shape[1], pixels.shape[2])
        rows, columns = self._inside.box(size)
        weights = self._inside.weights(size)[rows, columns]
        part = pixels[:, rows, columns]
        print_alone = _filled(part, weights == 1)
        better = print_alone
        for step in self._steps(print_alone, self._context):
            better, _ = ImageRestorer(step).restore(better)
        result = pixels.copy()
        result[:, rows, columns] += weights * (better - part)
        return result


def _filled(pixels: Pixels, known: NDArray[np.bool_]) -> Pixels:
    """Return pixels of which those that are not known mirror those that are, as tones and texture go on.

    Streaks, which the nearest pixels would make, are what networks take for damage.
    """
    from scipy import ndimage

    if known.all():
        return np.ascontiguousarray(pixels)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    here = np.indices(known.shape, dtype=nearest.dtype)
    limits = np.array(known.shape)[:, None, None] - 1
    rows, columns = np.clip(2 * nearest - here, 0, limits)
    rows, columns = nearest[0][rows, columns], nearest[1][rows, columns]
    return np.ascontiguousarray(pixels[:, rows, columns])
