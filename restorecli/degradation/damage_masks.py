"""Where an image was damaged: the mask that degradations with a place leave behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation
from restorecli.degradation.chain import image_rng


def damage_mask(
    shape: tuple[int, int], steps: Sequence[Degradation], seed: int, key: str
) -> NDArray[np.bool_] | None:
    """Return where `replay_steps` with the same arguments destroys what was there.

    Args:
        shape: Height and width of the image before it is degraded.
        steps: With their values drawn.
        seed: The run's seed.
        key: What names the image within the run.

    Returns:
        (H', W') of the degraded image, True where any `masked` step damaged it; a pixel of an image that
        became smaller is damaged where any of the pixels in its place were. None without such a step.
    """
    if not any(step.masked for step in steps):
        return None
    mask: NDArray[np.bool_] = np.zeros(shape, bool)
    for number, step in enumerate(steps):
        if step.masked:
            mask |= step.mask(mask.shape, image_rng(seed, key, "step", number))
        if step.scale > 1:
            high, wide = (side // step.scale for side in mask.shape)
            blocks = mask[: high * step.scale, : wide * step.scale].reshape(
                high, step.scale, wide, step.scale
            )
            mask = np.asarray(blocks.any(axis=(1, 3)))
    return mask
