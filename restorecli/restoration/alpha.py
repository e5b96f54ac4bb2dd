"""Transparency: what is invisible must not bleed into what is seen, and comes back untouched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.images.image import Pixels

Alpha = NDArray[np.generic]


def fill_invisible(pixels: Pixels, alpha: Alpha) -> Pixels:
    """Give fully transparent pixels the color of the nearest visible one.

    Files hold any color there, mostly black, and a network would smear it over the visible edge.

    Args:
        pixels: (C, H, W) float32.
        alpha: (H, W) in any sample type; 0 is fully transparent.

    Returns:
        A new array, or `pixels` itself if all or nothing is visible.
    """
    invisible = alpha == 0
    if not invisible.any() or invisible.all():
        return pixels
    from scipy import ndimage  # here, since most images have no alpha

    rows, columns = ndimage.distance_transform_edt(invisible, return_distances=False, return_indices=True)
    filled: Pixels = pixels[:, rows, columns]
    return filled


def keep_invisible(restored: Pixels, original: Pixels, alpha: Alpha) -> Pixels:
    """Return `restored` with the original values where alpha is 0; all (C, H, W), alpha (H, W)."""
    return np.where(alpha == 0, original, restored)


def enlarge(alpha: Alpha, scale: int) -> Alpha:
    """Repeat every sample `scale` times along both axes; at scale 1 the very same array comes back."""
    return alpha if scale == 1 else alpha.repeat(scale, axis=0).repeat(scale, axis=1)
