"""Rain: bright streaks that all run the same way."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from restorecli.diagnosis.measuring.view import Plane, View

_ANGLES = tuple(range(-40, 41, 10))
_REACH = 7
_MAX_LEVELS = 60.0


def measure_streaks(view: View) -> dict[str, float]:
    """Measure bright streaks in the window.

    The rest r = luma less its median over 9 px across is looked at, cut to 60 levels.

    Returns:
        `streak skew`: skewness of r: positive where thin bright things outnumber thin dark ones.
        `streak along`: the largest correlation of r with itself 7 px along a direction within 40 degrees of
        upright. `streak single`: by how much that is above the median of these directions: rain falls in
        one. `streak light`: mean of max(r, 0) less that of max(-r, 0), in levels.
    """
    luma = view.luma
    rest = np.clip(luma - ndimage.median_filter(luma, (1, 9), mode="reflect"), -_MAX_LEVELS, _MAX_LEVELS)
    spread = float(rest.std()) + 0.5
    bright = np.maximum(rest, 0)
    along = [correlation_along(bright, angle, _REACH, floor=0.25) for angle in _ANGLES]
    return {
        "streak skew": float(np.mean((rest / spread) ** 3)),
        "streak along": max(along),
        "streak single": max(along) - float(np.median(along)),
        "streak light": float(rest.mean()),
    }


def correlation_along(plane: Plane, angle: float, reach: int, floor: float) -> float:
    """Return the correlation of a plane with itself, some pixels up along a direction.

    Args:
        plane: (H, W), larger than `reach`.
        angle: Degrees from upright, counter-clockwise, less than 90 either way.
        reach: Pixels.
        floor: What is added to the variance, so that what is flat has no correlation.
    """
    down, left = (round(reach * part(math.radians(angle))) for part in (math.cos, math.sin))
    height, width = plane.shape
    shift = abs(left)
    one = plane[: height - down, shift : width - shift]
    other = plane[down:, shift + left : width - shift + left]
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).mean() / (one.std() * other.std() + floor))
