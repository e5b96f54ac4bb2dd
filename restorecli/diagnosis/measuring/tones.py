"""Tones: color cast, veil, lack of light, fading, vignetting."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from restorecli.diagnosis.measuring.view import Plane, View

_PATCH = 9
"""Side of the patches of the dark channel, in pixels of the small copy."""

_MEAN_SIDE = 5
"""Side of the means in which black is looked for, in pixels at full resolution."""


def measure_tones(view: View) -> dict[str, float]:
    """Measure tones of the small copy.

    Returns:
        `dark end`, `light end`, `median`: the 1st, 99th and 50th percentile of luma, `contrast` its
        deviation, 0-255 scale. `veil`: the 10th percentile of the dark channel (He, Sun and Tang, CVPR 2009),
        `veil middle` its median. `veil top`: how much more of it is in the upper half. `vignette`:
        correlation of log luma with the squared distance from the middle. For color: `warm` and `green`:
        mean log ratio of red to blue and of green to their mean; `dark warm`: the same ratio of the 1st
        percentiles; `color`: mean difference of the largest and smallest channel over the largest; `one
        hue`: deviation of the channels from straight lines in luma, in levels; `light red`, `light blue`:
        the 99th percentile of the channels. `whitest`: the 99.9th percentile of the largest channel at full
        resolution.
    """
    luma = view.small_luma
    low, dim, middle, bright, high = np.percentile(luma, [1, 10, 50, 90, 99])
    found = {
        "dark end": float(low),
        "dim": float(dim),
        "median": float(middle),
        "bright": float(bright),
        "light end": float(high),
        "mean": float(luma.mean()),
        "contrast": float(luma.std()),
        "local contrast": _local_contrast(luma),
        "vignette": _vignette(luma),
        "whitest": float(np.percentile(view.window.max(axis=0), 99.9)),
        **_veil(view),
    }
    if not view.is_gray:
        found.update(_colors(view))
    return found


def measure_black(view: View) -> dict[str, float]:
    """Measure `blackest`: the 0.1th percentile of means of 5 x 5 px of luma, at full resolution.

    Noise makes single pixels black where nothing is.
    """
    return {"blackest": float(np.percentile(ndimage.uniform_filter(view.luma, _MEAN_SIDE), 0.1))}


def _local_contrast(luma: Plane) -> float:
    mean = ndimage.uniform_filter(luma, 7)
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(luma * luma, 7) - mean * mean, 0))
    return float(np.mean(spread))


def _vignette(luma: Plane) -> float:
    rows, columns = (np.linspace(-1, 1, side) if side > 1 else np.zeros(1) for side in luma.shape)
    distance = np.square(rows)[:, None] + np.square(columns)
    logs = np.log(luma + 8)
    if np.ptp(logs) == 0 or np.ptp(distance) == 0:
        return 0.0
    return float(np.corrcoef(logs.reshape(-1), distance.reshape(-1))[0, 1])


def _veil(view: View) -> dict[str, float]:
    dark = ndimage.minimum_filter(view.small.min(axis=0), _PATCH, mode="reflect")
    half = max(dark.shape[0] // 2, 1)
    low, high = np.percentile(dark, [10, 95])
    luma = view.small_luma
    return {
        "veil": float(low),
        "veil middle": float(np.median(dark)),
        "veil most": float(high),
        "veil top": float(dark[:half].mean() - dark[half:].mean()) if dark.shape[0] > 1 else 0.0,
        "flat top": float(np.log((_spread(luma[:half]) + 2) / (_spread(luma[half:]) + 2))),
    }


def _spread(luma: Plane) -> float:
    if luma.size == 0:
        return 0.0
    return float(np.mean(np.abs(luma - ndimage.uniform_filter(luma, 7))))


def _colors(view: View) -> dict[str, float]:
    red, green, blue = view.small
    means = view.small.mean(axis=(1, 2)) + 4
    low = np.percentile(view.small, 1, axis=(1, 2)) + 4
    high = np.percentile(view.small, 99, axis=(1, 2)) + 4
    most, least = view.small.max(axis=0), view.small.min(axis=0)
    colored = (most - least) / (most + 4)
    return {
        "warm": float(np.log(means[0] / means[2])),
        "green": float(np.log(means[1] / np.sqrt(means[0] * means[2]))),
        "dark warm": float(np.log(low[0] / low[2])),
        "light warm": float(np.log(high[0] / high[2])),
        "light red": float(high[0]),
        "light blue": float(high[2]),
        "color": float(colored.mean()),
        "color least": float(np.percentile(colored, 5)),
        "warm share": float(np.mean((red > green) & (green > blue))),
        "one hue": _one_hue(view),
    }


def _one_hue(view: View) -> float:
    luma = view.small_luma.reshape(-1).astype(np.float64)
    rests = []
    for plane in view.small:
        values = plane.reshape(-1).astype(np.float64)
        slope, offset = np.polyfit(luma, values, 1) if luma.std() > 0 else (0.0, values.mean())
        rests.append(float(np.std(values - slope * luma - offset)))
    return max(rests)
