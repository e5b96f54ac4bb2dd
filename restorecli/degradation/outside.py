"""Values beyond black and white under degradations: they come through, blurred where the image is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from restorecli.degradation.base import Degradation
from restorecli.degradation.chain import image_rng, replay_steps
from restorecli.degradation.damage_masks import damage_mask
from restorecli.degradation.families.blur import Defocus, GaussianBlur, MotionBlur
from restorecli.degradation.families.resize import Downscale
from restorecli.images.image import Pixels

MOVED = (GaussianBlur, MotionBlur, Defocus, Downscale)
"""What moves values to other places, also those beyond black and white."""


def replay_steps_beyond(image: Pixels, degradations: Sequence[Degradation], seed: int, key: str) -> Pixels:
    """Apply steps that were drawn before to an image whose values may lie far outside [0, 1].

    What lies inside is degraded and clipped to [0, 1], as a sensor clips. What lies outside is added to it:
    as it is, or blurred and reduced like the image, and not where the image is destroyed.

    Args:
        image: (C, H, W) float32, C = 1 or 3.
        degradations: The steps.
        seed: The run's seed.
        key: What names the image within the run.
    """
    inside = np.clip(image, np.float32(0), np.float32(1))
    degraded = np.clip(replay_steps(inside, degradations, seed, key), np.float32(0), np.float32(1))
    outside = image - inside
    if not outside.any():
        return degraded
    mask = damage_mask(image.shape[1:], degradations, seed, key)
    if mask is not None and mask.shape == outside.shape[1:]:
        outside[:, mask] = 0
    for number, step in enumerate(degradations):
        if isinstance(step, MOVED):
            outside = step.apply(outside, image_rng(seed, key, "outside", number))
    return degraded + outside
