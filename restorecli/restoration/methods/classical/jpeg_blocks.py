"""JPEG's 8x8 blocks: cosine transform, tables of quantization, and the quality that an image shows."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float32]
Table = NDArray[np.float32]

SIDE = 8

_MIN_QUALITY = 1
_MAX_QUALITY = 95
"""Above this quality steps are as small as the noise of rounding: nothing can be told, and little is lost."""

_ROUNDING_TOLERANCE = 1.0
"""How far a coefficient may lie from a multiple of its step, on the 0-255 scale: samples were rounded."""

_MIN_AGREEMENT = 0.75
_MIN_BLOCKS = 32


def _cosines() -> NDArray[np.float32]:
    """Return the orthonormal 8x8 matrix of the cosine transform (DCT-II)."""
    place = np.arange(SIDE)
    rows = np.cos(np.pi * place[:, None] * (2 * place + 1) / (2 * SIDE)) * (2 / SIDE) ** 0.5
    rows[0] /= 2**0.5
    matrix: NDArray[np.float32] = rows.astype(np.float32)
    return matrix


_COSINES = _cosines()


def transform(plane: Plane, *, inverse: bool = False) -> Plane:
    """Return the cosine transform of every 8x8 block, in place of the block.

    Args:
        plane: (H, W), sides multiples of 8.
        inverse: Transform back.
    """
    matrix = _COSINES.T if inverse else _COSINES
    height, width = plane.shape
    tall = np.matmul(matrix, plane.reshape(height // SIDE, SIDE, width))
    wide = np.matmul(tall.reshape(height * width // SIDE, SIDE), matrix.T)
    result: Plane = wide.reshape(height, width)
    return result


@cache
def _tables(quality: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    buffer = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE)).save(buffer, "JPEG", quality=quality)
    buffer.seek(0)
    with Image.open(buffer, formats=["JPEG"]) as image:
        tables: dict[int, list[int]] = getattr(image, "quantization")  # noqa: B009 - only JPEG images have it
        return tuple(tables[0]), tuple(tables[1])


def quantization(quality: int, *, chroma: bool = False) -> Table:
    """Return the steps of libjpeg's tables: (8, 8) float32 on the 0-255 scale, rows are vertical frequencies.

    Args:
        quality: 1 to 100.
        chroma: The table of Cb and Cr, not that of luma.
    """
    return np.array(_tables(quality)[chroma], np.float32).reshape(SIDE, SIDE)


def estimate_quality(luma: Plane, clipped: NDArray[np.bool_]) -> int | None:
    """Return the quality of the JPEG that an image once was, from the spacing of its coefficients.

    The worst quality of which at least 0.75 of the coefficients that are not 0 lie within 1 of a multiple of
    their steps (of its next neighbors, the one of which most do). The blocks must lie where the encoder put
    them: the image is not cropped or scaled since.

    Args:
        luma: (H, W) on the 0-255 scale.
        clipped: (H, W), True where the decoder may have cut a sample off, at 0 or 255: blocks with such
            samples are left out, as their coefficients are no multiples any more.

    Returns:
        A quality of libjpeg's up to 95; None where no such traces are.
    """
    if min(luma.shape) < SIDE:
        return None
    blocks = _list(transform(_cut(np.asarray(luma, np.float32)) - 128))
    blocks = blocks[~_list(_cut(clipped)).any(axis=(1, 2))]
    alive = np.abs(blocks) > 2 * _ROUNDING_TOLERANCE
    alive[:, :1, :1] = False  # Means: all samples of a flat block are rounded the same way, which adds up.
    if np.count_nonzero(alive) < _MIN_BLOCKS:
        return None
    qualities = range(_MIN_QUALITY, _MAX_QUALITY + 1)
    first = next((quality for quality in qualities if _share(blocks, alive, quality) >= _MIN_AGREEMENT), None)
    if first is None:
        return None
    return max(range(first, min(first + 4, _MAX_QUALITY + 1)), key=lambda near: _share(blocks, alive, near))


def _cut(plane: NDArray[Any]) -> NDArray[Any]:
    height, width = (side // SIDE * SIDE for side in plane.shape)
    return plane[:height, :width]


def _list(plane: NDArray[Any]) -> NDArray[Any]:
    height, width = plane.shape
    blocks = plane.reshape(height // SIDE, SIDE, width // SIDE, SIDE)
    return blocks.transpose(0, 2, 1, 3).reshape(-1, SIDE, SIDE)


def _share(blocks: Plane, alive: NDArray[np.bool_], quality: int) -> float:
    """Return which share of the coefficients that are not 0 lie near multiples of a quality's steps."""
    steps = quantization(quality)
    rest = np.abs(blocks - np.rint(blocks / steps) * steps)[alive]
    return float(np.mean(rest <= _ROUNDING_TOLERANCE))
