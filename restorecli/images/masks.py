"""Pictures of masks: where they say that something is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.images.picture import Pixels


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
