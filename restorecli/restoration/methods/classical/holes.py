"""What inpainting has in common: the mask that must be known, and a first guess for the holes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.errors import ImageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import unknown

Mask = NDArray[np.bool_]


def fill(pixels: Pixels, context: Context, paint: Callable[[Pixels, Mask], Pixels]) -> Pixels:
    """Return the image with its holes painted; everything else stays bit for bit.

    Args:
        pixels: (C, H, W) float32.
        context: Holds the mask (H, W), True where a pixel is lost.
        paint: Returns the image with painted holes; is not called without holes. The values that it gets
            in the holes mean nothing.

    Raises:
        ImageError: The mask is not known, has another size, or leaves nothing of the image.
    """
    mask = context.mask
    if mask is None:
        told = "--mask FILE, --mask FOLDER or --mask '#ff00ff'; --model scratch finds scratches by itself"
        raise unknown("which pixels are lost", told)
    if mask.shape != pixels.shape[1:]:
        raise ImageError(
            "The mask has another size than the image.",
            expected=f"{pixels.shape[2]}x{pixels.shape[1]}",
            got=f"{mask.shape[1]}x{mask.shape[0]}",
        )
    if not mask.any():
        return pixels.copy()
    if mask.all():
        raise ImageError(
            "All pixels are lost.",
            expected="a mask that leaves some of the image",
            got="a mask that is True everywhere",
            hint="is it inverted? white marks what is lost",
        )
    return np.where(mask, paint(pixels, mask), pixels).astype(np.float32)


def nearest_known(pixels: Pixels, mask: Mask) -> Pixels:
    """Return the image with every lost pixel set to the nearest one that is not."""
    rows, columns = ndimage.distance_transform_edt(mask, return_distances=False, return_indices=True)
    near: Pixels = pixels[:, rows, columns]
    return near
