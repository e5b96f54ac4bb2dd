"""JPEG artifacts: the blocks are put elsewhere and quantized again, and the results are averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.jpeg_blocks import (
    SIDE,
    estimate_quality,
    quantization,
    transform,
)

Plane = NDArray[np.float32]

_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]], np.float32
)
_FROM_YCC = np.array([[1, 0, 1.402], [1, -0.344136286, -0.714136286], [1, 1.772, 0]], np.float32)
_HALVES = {"4:4:4": (1, 1), "4:2:2": (1, 2), "4:2:0": (2, 2)}
_SHIFTS = 8
_CLIPPING_MARGIN = 0.5 / 255
"""Samples nearer to 0 or 1 may have been cut off by the decoder."""


def smooth_blocks(plane: Plane, steps: Plane, threshold: float) -> Plane:
    """Return the mean over 64 shifts of the plane, each with its small coefficients taken out.

    In the original place of the blocks nothing but the quantization is known: the mean's coefficients there
    are moved into the interval of half a step around the given ones.

    Args:
        plane: (H, W) on the 0-255 scale.
        steps: (8, 8) steps of the quantization.
        threshold: A coefficient below this many steps becomes 0.
    """
    height, width = plane.shape
    pad = [(SIDE, SIDE + -side % SIDE) for side in plane.shape]
    padded: Plane = np.pad(plane, pad, mode="symmetric")
    limit = np.tile(steps * np.float32(threshold), (1, (padded.shape[1] - SIDE) // SIDE))
    total = np.zeros((height + -height % SIDE, width + -width % SIDE), np.float32)
    rows, columns = total.shape
    for top in range(_SHIFTS):
        for left in range(_SHIFTS):
            part = transform(padded[top : top + rows + SIDE, left : left + columns + SIDE])
            blocks = part.reshape(-1, SIDE, part.shape[1])
            blocks[np.abs(blocks) < limit] = 0
            back = transform(part, inverse=True)
            total += back[SIDE - top : SIDE - top + rows, SIDE - left : SIDE - left + columns]
    total /= np.float32(_SHIFTS**2)
    given = padded[SIDE : SIDE + rows, SIDE : SIDE + columns]
    return _into_intervals(total, given, steps)[:height, :width]


def _into_intervals(plane: Plane, given: Plane, steps: Plane) -> Plane:
    shape = (-1, SIDE, plane.shape[1])
    half = np.tile(steps / np.float32(2), (1, plane.shape[1] // SIDE))
    known = transform(given).reshape(shape)
    inside = np.clip(transform(plane).reshape(shape), known - half, known + half)
    return transform(inside.reshape(plane.shape), inverse=True)


def _mixed(planes: Pixels, matrix: NDArray[np.float32]) -> Pixels:
    # Not a matrix product, whose last bits depend on the number of threads.
    return np.stack(
        [sum((p * w for p, w in zip(planes, row, strict=True)), np.float32(0)) for row in matrix]
    ).astype(np.float32)


def _shrunk(plane: Plane, factors: tuple[int, int]) -> Plane:
    """Return the means of boxes, as JPEG reduces chroma; the last row and column are repeated."""
    down, across = factors
    padded = np.pad(plane, ((0, -plane.shape[0] % down), (0, -plane.shape[1] % across)), mode="edge")
    boxes = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across)
    return np.asarray(boxes.mean(axis=(1, 3)), np.float32)


def _grown(plane: Plane, factors: tuple[int, int], shape: tuple[int, ...]) -> Plane:
    """Undo the size of `_shrunk` with libjpeg's triangle weights: 3/4 of the nearest, 1/4 of the next."""
    for axis, factor in enumerate(factors):
        if factor == 1:
            continue
        rows = np.moveaxis(
            np.pad(plane, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge"), axis, 0
        )
        pair = np.stack([0.75 * rows[1:-1] + 0.25 * rows[:-2], 0.75 * rows[1:-1] + 0.25 * rows[2:]], axis=1)
        plane = np.moveaxis(pair.reshape(-1, rows.shape[1]), 0, axis)
    return np.asarray(plane[: shape[0], : shape[1]], np.float32)


@dataclass(frozen=True)
class Deblock(Method):
    """Takes blocks and ringing out of what was a JPEG: shifted cosine transforms, then the file's intervals.

    The steps are those of libjpeg's tables: of `quality`, else of the quality in the manifest, else of the
    one that the spacing of the coefficients shows (noted as "estimated_quality"). An image that shows none
    was compressed little or scaled since, and stays as it is; `quality` then forces it. Works on YCbCr; the
    chroma planes at their reduced size. Costs about 10 planes of memory beside the image.
    """

    name = "deblock"
    summary = "JPEG artifacts: blocks and ringing"
    reference = (
        "Nosratinia, Enhancement of JPEG-compressed images by re-application of JPEG, 2001; hard thresholds "
        "as Foi et al., TIP 2007; intervals: Zakhor, TCSVT 1992; threshold chosen on training photographs"
    )
    quality: int = parameter(0, unit="libjpeg scale", low=0, high=100, help="JPEG quality; 0 finds it")
    subsampling: str = parameter("auto", choices=("auto", *_HALVES), help="size of the chroma planes")
    threshold: float = parameter(
        0.5, unit="steps", low=0, high=10, draw="log 0.1..2", help="coefficients below become 0"
    )

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image without blocks; see the base class."""
        planes = (_mixed(pixels, _TO_YCC) if len(pixels) == 3 else pixels) * np.float32(255)
        quality, halves = self._settings(planes[0], pixels, context)
        if quality is None:
            context.note({"estimated_quality": "none"})
            return pixels.copy()
        result = [smooth_blocks(planes[0], quantization(quality), self.threshold)]
        for plane in planes[1:]:
            small = _shrunk(plane, halves)
            change = smooth_blocks(small, quantization(quality, chroma=True), self.threshold) - small
            result.append(plane + _grown(change, halves, plane.shape))
        smooth = np.stack(result) / np.float32(255)
        return _mixed(smooth, _FROM_YCC) if len(pixels) == 3 else smooth

    def _settings(self, luma: Plane, pixels: Pixels, context: Context) -> tuple[int | None, tuple[int, int]]:
        steps = () if context.record is None else context.record.history
        known = next((step for step in reversed(steps) if step.get("name") == "jpeg"), None)
        chroma = self.subsampling
        if chroma == "auto":
            chroma = "4:2:0" if known is None else str(known["subsampling"])
        if self.quality or known is not None:
            return self.quality or int(known["quality"] if known else 0), _HALVES[chroma]
        clipped = np.asarray(((pixels < _CLIPPING_MARGIN) | (pixels > 1 - _CLIPPING_MARGIN)).any(axis=0))
        found = estimate_quality(luma, clipped)
        if found is not None:
            context.note({"estimated_quality": found})
        return found, _HALVES[chroma]
