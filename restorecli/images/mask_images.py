"""Images of masks: where they say that something is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import ImageError
from restorecli.images.formats import SUFFIXES
from restorecli.images.image import Pixels
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import read_image


def read_marked(place: Path, options: ReadOptions = STRICT) -> NDArray[np.bool_]:
    """Return what a mask marks, or what any of the masks of a folder marks.

    One file is read by `marked`. Where an image has a folder of masks, as in MVTec LOCO, every pixel counts
    that is not 0 in one of them: they hold a value for each kind of defect, of any size.

    Args:
        place: An image, or a folder of images of one size.
        options: How to read what is unusual.

    Returns:
        (H, W), True where something is marked.

    Raises:
        ImageError: A mask cannot be read, the folder holds none, or they differ in size.
    """
    options = replace(options, range="type")  # half of full scale is meant, and no value below 0 marks
    if not place.is_dir():
        return marked(read_image(place, options).pixels)
    files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
    planes = [read_image(file, options).pixels.max(axis=0) > 0 for file in files]
    shapes = {plane.shape for plane in planes}
    if len(shapes) != 1:
        raise ImageError(
            "The masks of one image differ in size, or there are none.",
            expected="masks of one size",
            got=", ".join(f"{width}x{height}" for height, width in sorted(shapes)) or "no image",
            file=place,
        )
    joined: NDArray[np.bool_] = np.any(planes, axis=0)
    return joined


def marked(pixels: Pixels) -> NDArray[np.bool_]:
    """Return where a decoded mask marks the defect: where its brightest channel is above half of full scale.

    In a mask that knows only 0 and one other value, every pixel that is not 0 counts, since some write 1 of
    255 for a defect.

    Args:
        pixels: (C, H, W) float32 in [0, 1].

    Returns:
        (H, W), True where the mask is bright.
    """
    levels = pixels.max(axis=0)
    top = levels.max()
    two_values = bool(((levels == 0) | (levels == top)).all())
    bright: NDArray[np.bool_] = levels > (0 if two_values else 0.5)
    return bright
