"""Where texture may be copied from: windows in which nothing is lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import ImageError
from restorecli.restoration.methods.classical.holes import Mask

_MIN_SIDE = 3


def whole_windows(mask: Mask, height: int, width: int) -> Mask:
    """Return where a window of this size lies in the image and holds no lost pixel, by its first corner.

    Args:
        mask: (H, W), True where a pixel is lost.
        height: Of the window, at most H.
        width: Of the window, at most W.

    Returns:
        (H - height + 1, W - width + 1).
    """
    sums: NDArray[np.int64] = np.pad(mask.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    lost = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    whole: Mask = lost == 0
    return whole


def largest_window(mask: Mask, side: int, step: int) -> tuple[int, int]:
    """Return the height and width of the largest window, up to `side`, of which a whole one exists.

    Args:
        mask: (H, W), not True everywhere.
        side: The side to begin with; cut to the image's.
        step: What is taken off a side until one fits; 2 keeps odd sides odd.

    Raises:
        ImageError: There is none of 3 px: nothing can be copied.
    """
    high, wide = mask.shape
    while side >= _MIN_SIDE:
        window = _fitting(side, high, step), _fitting(side, wide, step)
        if whole_windows(mask, *window).any():
            return window
        side -= step
    raise ImageError(
        "The mask leaves no unbroken place to copy from.",
        expected=f"at least {_MIN_SIDE}x{_MIN_SIDE} px without a lost one",
        got=f"{np.count_nonzero(mask)} of {mask.size} px lost",
        hint="--model inpaint-harmonic or inpaint-biharmonic",
    )


def _fitting(side: int, own: int, step: int) -> int:
    return side if side <= own else own - (own - side) % step
