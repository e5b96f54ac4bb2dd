"""Values beyond black and white, which a network never saw: they come through a restoration unharmed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from restorecli.images.image import Pixels
from restorecli.restoration.alpha import enlarge


def clipped(pixels: Pixels) -> Pixels:
    """Return pixels of any shape, clipped to [0, 1]."""
    inside: Pixels = np.clip(pixels, np.float32(0), np.float32(1))
    return inside


def reaches_beyond(pixels: Pixels) -> bool:
    """Tell whether a value lies outside [0, 1]."""
    return float(pixels.min()) < 0 or float(pixels.max()) > 1


def carried(pixels: Pixels, scale: int) -> Pixels:
    """Return what clipping (C, H, W) pixels takes away, repeated for sides `scale` times as long."""
    return np.stack([enlarge(plane, scale) for plane in pixels - clipped(pixels)])


def restore_beyond(
    pixels: Pixels,
    restore: Callable[[Pixels], Pixels],
    *,
    affine: bool,
    lost: NDArray[np.bool_] | None = None,
) -> Pixels:
    """Restore an image with values outside [0, 1] by what knows values inside only.

    Args:
        pixels: (C, H, W) float32, any values.
        restore: Maps pixels in [0, 1] to restored ones in [0, 1], at a scale of its own.
        affine: Whether it treats a brighter image of more contrast as such, as a linear filter does whose
            weights add up to 1: then all values take part. Otherwise those outside are clipped for it, and
            what was clipped is added to what comes.
        lost: (H, W), True where a pixel is lost: what it held beyond [0, 1] is not added again.
    """
    if not reaches_beyond(pixels):
        return restore(pixels)
    low, high = min(0.0, float(pixels.min())), max(1.0, float(pixels.max()))
    if affine:
        span = np.float32(high - low)
        return restore((pixels - np.float32(low)) / span) * span + np.float32(low)
    restored = restore(clipped(pixels))
    kept = pixels if lost is None else np.where(lost, np.float32(0), pixels)
    return restored + carried(kept, restored.shape[1] // pixels.shape[1])
