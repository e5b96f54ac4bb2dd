"""What light in dusty and hazy air is made of: the dark channel, the airlight, the transmission."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.degradation.families.atmosphere import guided_filter, luma
from restorecli.images.image import Pixels

Plane = NDArray[np.float32]
Color = NDArray[np.float32]


def dark_channel(pixels: Pixels, size: int) -> Plane:
    """Return the least value of any channel in the square window around each pixel: (H, W).

    He, Sun and Tang, "Single Image Haze Removal Using Dark Channel Prior", CVPR 2009, equation 5.

    Args:
        pixels: (C, H, W) float32.
        size: Side of the window, odd.
    """
    return np.asarray(ndimage.minimum_filter(pixels.min(axis=0), size, mode="reflect"), np.float32)


def airlight(pixels: Pixels, dark: Plane, share: float) -> Color:
    """Return the color of the air: the mean of the pixels whose dark channel is brightest.

    Args:
        pixels: (C, H, W) float32.
        dark: (H, W), their dark channel.
        share: Of the pixels that are averaged, at least one.

    Returns:
        (C,), at least 0.05, since the model divides by it.
    """
    count = max(int(share * dark.size), 1)
    brightest = np.argpartition(dark, -count, axis=None)[-count:]
    light = pixels.reshape(len(pixels), -1)[:, brightest].mean(axis=1, dtype=np.float64)
    color: Color = np.maximum(light, 0.05).astype(np.float32)
    return color


def transmission(pixels: Pixels, light: Color, *, strength: float, size: int, smooth: int) -> Plane:
    """Return which share of the scene's light arrives: 1 - strength dark(I / A), along the image's edges.

    Equation 12 of the same paper; refined with the guided filter of He, Sun and Tang, TPAMI 2013, in place of
    matting.

    Args:
        pixels: (C, H, W) float32.
        light: (C,), the airlight A.
        strength: Which share of the veil is taken for veil; below 1 distance stays visible.
        size: Side of the dark channel's window.
        smooth: Radius of the guided filter.

    Returns:
        (H, W) in [0, 1].
    """
    raw = 1 - np.float32(strength) * dark_channel(pixels / light[:, None, None], size)
    guide = luma(pixels) if len(pixels) == 3 else pixels[0]
    return np.clip(guided_filter(guide, raw, smooth, 1e-3), 0, 1)


def clear(pixels: Pixels, light: Color, share: Plane, least: float) -> Pixels:
    """Return the scene: J = (I - A) / max(t, least) + A; the paper's equation 16."""
    veil = light[:, None, None]
    result = (pixels - veil) / np.maximum(share, np.float32(least)) + veil
    return result.astype(np.float32)


def balance(pixels: Pixels, strength: float) -> Pixels:
    """Return a color image whose channels have the same mean: the gray world.

    Args:
        pixels: (3, H, W) float32; gray is returned as it is.
        strength: 0 changes nothing, 1 makes means equal.
    """
    means = pixels.mean(axis=(1, 2), dtype=np.float64)
    if len(pixels) == 1 or means.min() <= 0:
        return pixels.copy()
    gains = (means.mean() / means) ** strength
    balanced: Pixels = pixels * gains.astype(np.float32)[:, None, None]
    return balanced


def stretch(pixels: Pixels, share: float) -> Pixels:
    """Stretch all channels alike, so that `share` of all samples at either end reach 0 and 1.

    Args:
        pixels: (C, H, W) float32.
        share: 0 changes nothing.
    """
    low, high = np.quantile(pixels, [share, 1 - share]).astype(np.float32) if share else (0.0, 1.0)
    if share == 0 or low >= high:
        return pixels.copy()
    stretched = (pixels - low) / (high - low)
    return stretched.astype(np.float32)
