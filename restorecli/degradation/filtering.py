"""Filtering with small kernels: the compiled loops behind every blur. Mirrored borders, float32."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from restorecli.core.ops.compilation import compiled
from restorecli.images.image import Pixels

Taps = NDArray[np.float32]


@compiled
def _filter_taps(
    padded: Pixels, rows: NDArray[np.int64], columns: NDArray[np.int64], weights: Taps, out: Pixels
) -> None:
    for channel in range(out.shape[0]):
        for y in range(out.shape[1]):
            target = out[channel, y]
            for tap in range(weights.size):
                source = padded[channel, y + rows[tap], columns[tap] : columns[tap] + target.size]
                weight = weights[tap]
                for x in range(target.size):
                    target[x] += weight * source[x]


@compiled
def _filter_separable(padded: Pixels, weights: Taps, line: Taps, out: Pixels) -> None:
    for channel in range(out.shape[0]):
        for y in range(out.shape[1]):
            line[:] = 0
            for tap in range(weights.size):
                source = padded[channel, y + tap]
                weight = weights[tap]
                for x in range(line.size):
                    line[x] += weight * source[x]
            target = out[channel, y]
            for tap in range(weights.size):
                weight = weights[tap]
                part = line[tap : tap + target.size]
                for x in range(target.size):
                    target[x] += weight * part[x]


def filter_kernel(image: Pixels, kernel: NDArray[np.float64]) -> Pixels:
    """Correlate every channel with a small kernel; the image is mirrored at its border (edge pixel repeated).

    Args:
        image: (C, H, W) float32.
        kernel: (2 a + 1, 2 b + 1); only its entries other than 0 cost time.

    Returns:
        A new (C, H, W) float32 array.
    """
    rows, columns = np.nonzero(kernel)
    high, wide = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(image, ((0, 0), (high, high), (wide, wide)), mode="symmetric")
    out = np.zeros(image.shape, np.float32)
    _filter_taps(padded, rows, columns, kernel[rows, columns].astype(np.float32), out)
    return out


def filter_separable(image: Pixels, weights: NDArray[np.float64]) -> Pixels:
    """Correlate every channel with the same weights along columns, then rows; mirrored at the border.

    Args:
        image: (C, H, W) float32.
        weights: (2 a + 1,).

    Returns:
        A new (C, H, W) float32 array.
    """
    radius = weights.size // 2
    padded = np.pad(image, ((0, 0), (radius, radius), (radius, radius)), mode="symmetric")
    out = np.zeros(image.shape, np.float32)
    _filter_separable(padded, weights.astype(np.float32), np.empty(padded.shape[2], np.float32), out)
    return out


def in_linear_light(image: Pixels, change: Callable[[Pixels], Pixels]) -> Pixels:
    """Apply `change` to light intensities: sRGB decoded before and encoded after (IEC 61966-2-1).

    Values outside [0, 1] pass through both curves: below 0 on the linear part, above 1 on the power.
    """
    light = np.where(image <= 0.04045, image / 12.92, ((np.maximum(image, 0) + 0.055) / 1.055) ** 2.4)
    changed = change(np.ascontiguousarray(light, dtype=np.float32))
    power = 1.055 * np.maximum(changed, 0) ** (1 / 2.4) - 0.055
    encoded: Pixels = np.where(changed <= 0.0031308, changed * 12.92, power).astype(np.float32)
    return encoded
