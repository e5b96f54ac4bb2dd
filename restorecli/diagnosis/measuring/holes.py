"""Holes: places in a photograph where one exact color stands and ends at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.measuring.view import Pixels

Mask = NDArray[np.bool_]

_MIN_SHARE = 0.002
_CORNERS, _ONE_PIECE = 4, 0.97
"""Corners that a backdrop fills, and share of all else that is one piece in front of it."""

_MIN_JUMP = 8.0
"""Levels by which a hole differs from what is around it; what is clipped to white fades into it by 1 or 2."""

_MIN_SIGMAS = 2.0
"""Deviations of the image's noise by which a hole differs: of what noise clips the median is at 0.7."""

_MIN_LOST = 0.03
"""Share of the image that holes take: a caption, a date or a signature takes 0.01, and is to stay."""

_MAX_FLAT = 0.35
"""Share of the rest that has exactly the color of its neighbors: photographs reach 0.2 (360 with holes, made
from ten training photographs), screenshots and slides have 0.6 and more."""

_WHITE, _NEARLY, _MAX_FADES = 255.0, 25.0, 0.12
"""White, levels below it that are nearly so, and share of the pixels beside white holes that may be. Lights
that a photographer clipped fade into white: of 8 such high-key photographs that looked like holes 0.16 of the
pixels and more; holes in photographs whose lights are not clipped have 0.02."""

_MIN_PIECE, _MAX_FADING = 20, 0.06
"""Pixels of a piece of holes, and share of what is beside it that may be nearly white, for it to end at once:
such pieces take up to 0.006 of those photographs, and more than 0.03 of half of the photographs with holes
whose lights were clipped before."""

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
        a hole, few for a sky or a lamp that is clipped to white. `flat beside holes`: share of the other
        pixels that equal their right and their lower neighbor: near 0 in photographs. `hole fades`: share of
        the pixels beside holes that are nearly as white, where the color is white. `hole sharp`: share of
        pixels in those pieces beside which there are hardly any.
    """
    lost, color = find_holes(image)
    share = float(lost.mean())
    if share < _MIN_SHARE:
        nothing = ("hole share", "hole jump", "flat beside holes", "hole fades", "hole sharp")
        return dict.fromkeys(nothing, 0.0)
    ring = ndimage.binary_dilation(lost, iterations=2) & ~lost
    away = np.abs(image[:, ring] * 255 - color[:, None]).max(axis=0)
    return {
        "hole share": share,
        "hole jump": float(np.median(away)) if away.size else 0.0,
        "flat beside holes": _flat(image, ~lost),
        **(_fading(image, lost) if color.min() == _WHITE else {"hole fades": 0.0, "hole sharp": share}),
    }


def _fading(image: Pixels, lost: Mask) -> dict[str, float]:
    """Measure how holes that are white fade into what is beside them, in all and piece by piece."""
    pieces, count = ndimage.label(lost, _NEIGHBORS)
    beside = np.where(lost, 0, ndimage.grey_dilation(pieces, footprint=_NEIGHBORS))
    nearly = image.min(axis=0) * 255 > _WHITE - _NEARLY
    around = np.bincount(beside.reshape(-1), minlength=count + 1)[1:]
    fading = np.bincount(beside.reshape(-1), nearly.reshape(-1), minlength=count + 1)[1:]
    sizes = np.bincount(pieces.reshape(-1), minlength=count + 1)[1:]
    sharp = (sizes >= _MIN_PIECE) & (fading <= _MAX_FADING * around)
    return {
        "hole fades": float(fading.sum() / max(around.sum(), 1)),
        "hole sharp": float(sizes[sharp].sum() / lost.size),
    }


def _flat(image: Pixels, where: Mask) -> float:
    here, right, below = image[:, :-1, :-1], image[:, :-1, 1:], image[:, 1:, :-1]
    same = np.all((here == right) & (here == below), axis=0)
    counted = where[:-1, :-1]
    return float(same[counted].mean()) if counted.any() else 0.0


def can_be_holes(found: Mapping[str, float]) -> bool:
    """Tell whether the places of one color end at once, as holes do, and lie in a photograph.

    What noise clips to white ends within the noise, clipped lights fade into white, in screenshots and slides
    all is drawn flat, and words on a photograph, which end at once, too, take little of it.

    Args:
        found: Measurements by name.
    """
    jump = max(_MIN_JUMP, _MIN_SIGMAS * found.get("noise sigma", 0.0))
    lost, flat = found.get("hole share", 1.0), found.get("flat beside holes", 0.0)
    faded = found.get("hole fades", 0.0) > _MAX_FADES and found.get("hole sharp", lost) < _MIN_LOST
    return found["hole jump"] >= jump and lost >= _MIN_LOST and flat <= _MAX_FLAT and not faded


def shows_holes(found: Mapping[str, float]) -> bool:
    """Tell whether a photograph has places of one color that end as abruptly as nothing in it does.

    Charts and pages, which have such places, have few colors.

    Args:
        found: Measurements by name.
    """
    plain = found["hole share"] >= _PLAIN_SHARE and found["hole jump"] >= _PLAIN_JUMP
    return plain and found["colors"] >= _MIN_COLORS and can_be_holes(found)


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
    """Tell whether one color fills a whole side, or all corners around one thing, as a backdrop does."""
    if any(bool(side.all()) for side in (lost[0], lost[-1], lost[:, 0], lost[:, -1])):
        return True
    if np.count_nonzero(lost[[0, 0, -1, -1], [0, -1, 0, -1]]) < _CORNERS:
        return False
    sizes = np.bincount(ndimage.label(~lost)[0].reshape(-1))[1:]
    return bool(sizes.size) and bool(sizes.max() >= _ONE_PIECE * sizes.sum())
