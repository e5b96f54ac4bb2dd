"""JPEG: its grid of 8x8 blocks, the steps of its coefficients, and its tables where a file has them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from restorecli.diagnosis.measuring.view import Plane, View

_SIDE = 8
_QUALITIES = tuple(range(1, 96))
_ROUNDING_TOLERANCE = 1.0
"""How far a coefficient may lie from a multiple of its step, 0-255 scale: samples were rounded."""
_MIN_AGREEMENT = 0.4
"""Share of coefficients beyond chance that must keep the steps of a quality."""
_MIN_BLOCKS = 32
_MAX_BLOCKS = 500
NO_QUALITY = 100.0
"""The quality of an image that shows no trace of JPEG."""


def measure_blocks(view: View) -> dict[str, float]:
    """Measure traces of JPEG in the window.

    Returns:
        `grid`: how much larger differences are across the borders of the grid of 8 px than inside, mean of
        both directions, in the phase that shows most; 0 without a grid. `jpeg quality`: the quality whose
        steps the coefficients keep (libjpeg's scale), 100 where none is seen.
    """
    (down, _), (across, _) = _grid(view.luma), _grid(view.luma.T)
    quality = quality_of(view)
    return {
        "grid": float(0.5 * (down + across)),
        "jpeg quality": NO_QUALITY if quality is None else float(quality),
    }


def _grid(plane: Plane) -> tuple[float, int]:
    """Return how far the mean jump between rows of one phase is above that of the others, and its first row.

    The first row is that of the first block that is whole, 0 to 7.
    """
    if plane.shape[0] < 3 * _SIDE:
        return 0.0, 0
    step = np.diff(plane, axis=0)
    # How far a step stands above both its neighbors: what a border does, and a slope does not.
    jump = np.abs(step[1:-1]) - 0.5 * (np.abs(step[:-2]) + np.abs(step[2:]))
    rows = np.minimum(jump, 20).mean(axis=1)
    size = float(np.minimum(np.abs(step), 20).mean()) + 0.05
    phases = np.array([rows[phase::_SIDE].mean() for phase in range(_SIDE)])
    top = int(np.argmax(phases))
    rest = np.delete(phases, [top])
    echo = phases[(top + _SIDE // 2) % _SIDE]
    # An enlarged image steps every second row or every fourth, and has no grid of 8.
    around = echo if echo - rest.mean() > 0.5 * (phases[top] - rest.mean()) else rest.mean()
    return float((phases[top] - around) / size), (top + 2) % _SIDE


def quality_of(view: View) -> int | None:
    """Return the quality of the JPEG that the window once was, from the spacing of its coefficients.

    The quality of which most coefficients that are not 0 lie within 1 of a multiple of their step, if these
    are 40 % more than by chance; after Fan and de Queiroz, "Identification of bitmap compression history",
    TIP 2003. Its blocks must start at multiples of 8 px (see `first_block`); those with samples that were
    clipped are left out.
    """
    return _quality(view, 0, 0)[0]


def first_block(view: View) -> tuple[int, int]:
    """Return row and column, 0 to 7 each, of the first whole block of the JPEG that the window was cut from.

    They are where jumps between rows and columns place them, if more coefficients keep the steps of a quality
    there than from the corner on; (0, 0) otherwise, as in an image that is no JPEG.
    """
    (_, top), (_, left) = _grid(view.luma), _grid(view.luma.T)
    if (top, left) == (0, 0):
        return 0, 0
    quality, share = _quality(view, top, left)
    return (top, left) if quality is not None and share > _quality(view, 0, 0)[1] else (0, 0)


def _quality(view: View, top: int, left: int) -> tuple[int | None, float]:
    """Return the quality whose steps the blocks from a place on keep, if any, and the share that does."""
    blocks = _coefficients(view.luma[top:, left:], _inside(view.levels)[top:, left:])
    size = np.abs(blocks)
    alive = size > 2 * _ROUNDING_TOLERANCE
    alive[:, 0, 0] = False
    if np.count_nonzero(alive) < _MIN_BLOCKS:
        return None, 0.0
    shares = np.array([_share(blocks, alive, quality) for quality in _QUALITIES])
    best = int(np.argmax(shares))
    share = float(shares[best])
    return (_QUALITIES[best] if share >= _MIN_AGREEMENT else None), share


def _inside(levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where no channel is black or white, which may be cut off: (H, W)."""
    return np.asarray((levels.min(axis=0) > 0) & (levels.max(axis=0) < 255))


def _coefficients(luma: Plane, inside: NDArray[np.bool_]) -> Plane:
    """Return the cosine transform of blocks all of whose samples are inside, at most `_MAX_BLOCKS`."""
    tall, wide = (side // _SIDE for side in luma.shape)
    parts = [
        plane[: tall * _SIDE, : wide * _SIDE].reshape(tall, _SIDE, wide, _SIDE).transpose(0, 2, 1, 3)
        for plane in (luma, inside)
    ]
    listed, whole = (part.reshape(-1, _SIDE, _SIDE) for part in parts)
    listed = listed[whole.all(axis=(1, 2))]
    if len(listed) > _MAX_BLOCKS:
        listed = listed[np.linspace(0, len(listed) - 1, _MAX_BLOCKS).astype(int)]
    return np.asarray(fft.dctn(listed - 128, axes=(1, 2), norm="ortho"), np.float32)


def _share(blocks: Plane, alive: NDArray[np.bool_], quality: int) -> float:
    """Return the share of coefficients near multiples of a quality's steps: 0 by chance, 1 for all."""
    steps = np.broadcast_to(_steps(quality), blocks.shape)[alive]
    # With steps up to 4 most values lie near a multiple by chance: only larger ones can tell.
    wide = steps > 4
    if np.count_nonzero(wide) < _MIN_BLOCKS:
        return 0.0
    steps, values = steps[wide], blocks[alive][wide]
    near = float(np.mean(np.abs(values - np.rint(values / steps) * steps) <= _ROUNDING_TOLERANCE))
    chance = float(np.mean(2 * _ROUNDING_TOLERANCE / steps))
    return (near - chance) / (1 - chance)


@cache
def _steps(quality: int) -> NDArray[np.float32]:
    return np.array(_table(quality), np.float32).reshape(_SIDE, _SIDE)


@cache
def _table(quality: int) -> tuple[int, ...]:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", (_SIDE, _SIDE)).save(buffer, "JPEG", quality=quality)
    buffer.seek(0)
    with Image.open(buffer, formats=["JPEG"]) as image:
        tables: Mapping[int, Sequence[int]] = getattr(image, "quantization")  # noqa: B009 - JPEG's own
        return tuple(tables[0])


def quality_of_table(table: Sequence[int]) -> int:
    """Return the quality of libjpeg's luma table that is nearest to a file's, in logarithms of the steps.

    Args:
        table: 64 steps, in the order in which Pillow gives them.
    """
    steps = np.log(np.maximum(np.array(table, float), 1))
    away = [float(np.abs(np.log(np.array(_table(quality))) - steps).mean()) for quality in range(1, 101)]
    return int(np.argmin(away)) + 1
