"""Which values an image that is degraded may have."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from restorecli.errors import ImageError
from restorecli.images.image import Pixels

MAX_ABS_VALUE = 1e3
"""The largest value of an image that is degraded, a thousand times white; powers overflow beyond."""


def check_light(pixels: Pixels, file: Path | None) -> None:
    """Refuse values beyond any light.

    Args:
        pixels: Of the image, or some of its rows.
        file: Where they come from, for the message.

    Raises:
        ImageError: There are some.
    """
    largest = float(np.abs(pixels).max())
    if not largest <= MAX_ABS_VALUE:
        raise ImageError(
            "Pixel values are out of range.",
            expected=f"finite numbers, nominally 0 to 1, at most {MAX_ABS_VALUE:g}",
            got="values that are not finite" if not math.isfinite(largest) else f"{largest:g}",
            file=file,
            hint="replace what marks missing pixels, and scale the others to 0..1",
        )


def clipped_note(low: float, high: float) -> tuple[str, ...]:
    """Return a note where a floating-point source leaves [0, 1], which clipped output cannot hold.

    Args:
        low: The least value of the source.
        high: The greatest.
    """
    if low >= 0 and high <= 1:
        return ()
    return ("values of the source outside 0 to 1 were clipped; --unclipped keeps them",)
