"""Holes: places where one exact color stands and ends at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.view import Pixels

Mask = NDArray[np.bool_]

_MIN_SHARE = 0.002
_MAX_CORNERS = 2
"""Of the image's corners: what fills more, and a whole side, is a margin or a backdrop, and no hole."""

_MIN_JUMP = 8.0
"""Levels by which a hole differs from what is around it; what is clipped to white fades into it by 1 or 2."""

_PLAIN_SHARE, _PLAIN_JUMP, _MIN_COLORS = 0.02, 60.0, 8.0
"""Share, jump and log2 of colors from which holes are plain to see."""

_NEIGHBORS = np.ones((3, 3), bool)


def measure_holes(image: Pixels) -> dict[str, float]:
    """Look for the color that fills holes, in the whole image.

    Args:
        image: (C, H, W) float32 in [0, 1].

    Returns:
        `hole share`: share of pixels that have exactly the color that flat places have most often.
        `hole jump`: levels between that color and the pixels that are two away from it, the median: tens for
        a hole, few for a sky or a lamp that is clipped to white.
    """
    lost, color = find_holes(image)
    share = float(lost.mean())
    if share < _MIN_SHARE:
        return {"hole share": 0.0, "hole jump": 0.0}
    ring = ndimage.binary_dilation(lost, iterations=2) & ~lost
    if not ring.any():
        return {"hole share": share, "hole jump": 0.0}
    away = np.abs(image[:, ring] * 255 - color[:, None]).max(axis=0)
    return {"hole share": share, "hole jump": float(np.median(away))}


def ends_at_once(found: Mapping[str, float]) -> bool:
    """Tell whether the places of one color end at once, as holes do.

    Args:
        found: Measurements by name.
    """
    return found["hole jump"] >= _MIN_JUMP


def shows_holes(found: Mapping[str, float]) -> bool:
    """Tell whether a photograph has places of one color that end as abruptly as nothing in it does.

    Charts and pages, which have such places, have few colors.

    Args:
        found: Measurements by name.
    """
    plain = found["hole share"] >= _PLAIN_SHARE and found["hole jump"] >= _PLAIN_JUMP
    return plain and found["colors"] >= _MIN_COLORS


def find_holes(image: Pixels) -> tuple[Mask, NDArray[np.float32]]:
    """Return where the color stands that flat places have most often, (H, W), and the color, 0-255 scale."""
    levels = np.clip(np.rint(image * 255), 0, 255).astype(np.uint32)
    code = np.zeros(levels.shape[1:], np.uint32)
    for plane in levels:
        code = code * np.uint32(256) + plane
    flat = np.zeros(code.shape, bool)
    core = code[1:-1, 1:-1]
    flat[1:-1, 1:-1] = (core == code[:-2, 1:-1]) & (core == code[2:, 1:-1]) & (core == code[1:-1, :-2])
    flat[1:-1, 1:-1] &= core == code[1:-1, 2:]
    if not flat.any():
        return np.zeros(code.shape, bool), np.zeros(len(image), np.float32)
    values, counts = np.unique(code[flat], return_counts=True)
    fill = values[np.argmax(counts)]
    here = code == fill
    row, column = np.argwhere(here)[0]
    opened = ndimage.binary_opening(here, np.ones((2, 2)))
    # The opening takes single pixels, such as those of a white wall, but thin ends of holes with them.
    lost = here & ndimage.binary_dilation(opened, _NEIGHBORS)
    if _is_margin(lost):
        lost[:] = False
    return lost, levels[:, row, column].astype(np.float32)


def _is_margin(lost: Mask) -> bool:
    corners = lost[[0, 0, -1, -1], [0, -1, 0, -1]]
    sides = (lost[0], lost[-1], lost[:, 0], lost[:, -1])
    return int(np.count_nonzero(corners)) > _MAX_CORNERS and any(bool(side.all()) for side in sides)
