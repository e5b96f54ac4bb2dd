"""Keeping what was measured in the mean: a denoiser may move brightness a little, and must not here."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from restorecli.images.image import Pixels

SPREAD = 16.0
"""Standard deviation, in pixels, of the Gaussian over which means are kept."""


def keep_means(measured: Pixels, restored: Pixels) -> Pixels:
    """Return a restored image with the local means of what it was made of.

    What was removed, y - x, passes a Gaussian of `SPREAD` and is added to x. Noise has no mean, so hardly any
    of it comes back: 1 / (4 pi SPREAD^2) of its variance, 0.03 %. The mean over the whole image is
    exactly that of y, as the Gaussian mirrors at the border.

    Args:
        measured: (C, H, W) float32, y.
        restored: The same shape, x.
    """
    removed = ndimage.gaussian_filter(measured - restored, (0, SPREAD, SPREAD), mode="reflect")
    kept: Pixels = restored + removed.astype(np.float32)
    return kept
