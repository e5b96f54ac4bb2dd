"""Degraded images of `bench auto`, with the truth about what was done to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.damage_masks import damage_mask
from restorecli.degradation.operators import operator_of
from restorecli.diagnosis.deciding.decide import NONE
from restorecli.folders.walking import walk
from restorecli.images.image import Pixels
from restorecli.images.reading import read_image
from restorecli.restoration.context import Context
from restorecli.tune.crops import evenly

_BLOCK = 8


@dataclass(frozen=True, slots=True)
class DegradedImage:
    """An image that was degraded, as a file would hold it.

    Attributes:
        degraded: (C, H, W), multiples of 1/255.
        reference: The same before.
        known: Operator and mask, for models that are told the truth.
    """

    degraded: Pixels
    reference: Pixels
    known: Context

    @property
    def comparable(self) -> bool:
        """True where both have one size."""
        return self.degraded.shape == self.reference.shape


def references(folder: Path, count: int, crop: int | None) -> dict[str, Pixels]:
    """Return images by name, taken evenly over a sorted folder.

    Args:
        folder: Where they are.
        count: How many.
        crop: Side of the square in their middle that is taken; None takes all of them. It starts at a
            multiple of 8 px, so that blocks of JPEG stay in phase.
    """
    files = evenly(walk(folder), count)
    return {file.relative.as_posix(): _middle(read_image(file.path).pixels, crop) for file in files}


def _middle(pixels: Pixels, crop: int | None) -> Pixels:
    if crop is None:
        return pixels
    top, left = (max(side - crop, 0) // 2 // _BLOCK * _BLOCK for side in pixels.shape[1:])
    return np.ascontiguousarray(pixels[:, top : top + crop, left : left + crop])


def degraded_images(clean: Mapping[str, Pixels], damage: str, severity: int) -> Sequence[DegradedImage]:
    """Return the images with a damage, clipped and rounded to 8 bits; as they are for `NONE`."""
    if damage == NONE:
        return [DegradedImage(pixels, pixels, Context()) for pixels in clean.values()]
    return degraded_by(clean, [{"name": damage, "severity": severity}])


def degraded_by(
    clean: Mapping[str, Pixels], steps: Sequence[Mapping[str, object]]
) -> Sequence[DegradedImage]:
    """Return images that took some steps of degradation, clipped and rounded to 8 bits."""
    chain = Chain.from_specs(list(steps))
    return [_degraded(pixels, chain, key) for key, pixels in clean.items()]


def _degraded(reference: Pixels, chain: Chain, key: str) -> DegradedImage:
    worse, steps = degrade_array(reference, chain, 0, key)
    rounded = np.rint(np.clip(worse, 0, 1) * 255).astype(np.float32) / np.float32(255)
    if worse.shape != reference.shape:
        return DegradedImage(rounded, reference, Context())
    records = tuple(step.record() for step in steps)
    size = (reference.shape[1], reference.shape[2])
    known = Context(operator=operator_of(records), mask=damage_mask(size, steps, 0, key))
    return DegradedImage(rounded, reference, known)
