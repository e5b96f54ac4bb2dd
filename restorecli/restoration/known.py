"""What the caller and the manifest know about the images of a folder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.again import recorded_steps
from restorecli.degradation.damage_masks import damage_mask
from restorecli.degradation.operator_words import operator_named
from restorecli.degradation.operators import Operator, noise_of, operator_of
from restorecli.errors import UsageError
from restorecli.folders.digest import digest_of
from restorecli.folders.record import Record
from restorecli.folders.walking import ImageFile
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.lost_pixels import Hold, Masks, masks_named


@dataclass(frozen=True)
class Known:
    """What holds for all images; where it says nothing, an image's manifest line does.

    Attributes:
        sigma: Level of the noise on the 0-255 scale.
        operator: What blurred or reduced them.
        words: How the operator was named, for the manifest.
        masks: Where their pixels are lost.
        device: Where to compute.
    """

    sigma: float | None = None
    operator: Operator | None = None
    words: tuple[str, ...] = ()
    masks: Masks | None = None
    device: str | None = None

    @classmethod
    def from_words(
        cls,
        *,
        sigma: float | None = None,
        operator: Sequence[str] = (),
        mask: str | None = None,
        device: str | None = None,
        hold: Hold = nullcontext,
    ) -> Known:
        """Return what the words of the command line say; see `operator_named` and `masks_named`.

        Raises:
            UsageError: A word is not understood, or `sigma` is below 0 or not finite.
            ImageError: The image of a kernel cannot be read.
        """
        if sigma is not None and not 0 <= sigma < math.inf:
            raise UsageError("Invalid --sigma.", expected="a number from 0", got=repr(sigma))
        masks = None if mask is None else masks_named(mask, hold)
        return cls(sigma, operator_named(operator), tuple(operator), masks, device)

    def identity(self, file: ImageFile) -> dict[str, Any]:
        """Return what of this a restored image depends on, as its manifest line keeps it."""
        said: dict[str, Any] = {}
        if self.sigma is not None:
            said["sigma"] = self.sigma
        if self.words:
            said["operator"] = list(self.words)
            said["operator_digests"] = [digest_of(Path(word)) for word in self.words]  # None: no file, a name
        return said if self.masks is None else {**said, **self.masks.identity(file)}

    def context(
        self, file: ImageFile, pixels: Pixels, record: Record | None, needs: frozenset[str]
    ) -> Context:
        """Return what is known about one image.

        Args:
            file: The image's file.
            pixels: The image.
            record: Its line in the manifest.
            needs: What the restorer asks for: "operator", "mask", "sigma", each with or without "?".

        Raises:
            ImageError: Its mask is missing or has another size.
            UsageError: Its manifest line holds a step that this version does not know.
        """
        asked = {need.removesuffix("?") for need in needs}
        steps = () if record is None else record.history
        sigma, operator, mask = self.sigma, self.operator, None
        if sigma is None and steps and "sigma" in asked:
            sigma = noise_of(steps)
        if operator is None and "operator" in asked:
            operator = operator_of(steps)
        if "mask" in asked:
            size = (pixels.shape[1], pixels.shape[2])
            mask = recorded_mask(record, size) if self.masks is None else self.masks.find(file, pixels)
        return Context(sigma, operator, mask, record, self.device, file.path)


def recorded_mask(record: Record | None, size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Return where the degradations that a manifest's line records destroyed pixels, or None.

    They are drawn again from the line's seed and key. A chain that also changes the size gives None.
    """
    if record is None or record.seed is None or record.key is None:
        return None
    steps, seed, key = recorded_steps(record)
    if any(step.scale != 1 for step in steps):
        return None
    return damage_mask(size, steps, seed, key)
