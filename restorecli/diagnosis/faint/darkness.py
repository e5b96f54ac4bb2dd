"""Faint darkness: tones that lack light, and the noise that little light leaves, looked at together.

Photographs of dark things have dark tones, and faint noise comes from many sources. Of an image taken with
too little light both are of one kind: it ends below white, also where it is saturated, its colors are deeper,
and its noise is white, of its own in every channel, and follows brightness as photons in linear light do.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.diagnosis.faint.hidden_layer import HiddenLayer, Told, read_hidden_layer
from restorecli.diagnosis.measuring.cells import cells
from restorecli.diagnosis.measuring.view import Pixels, View

LOW_LIGHT = "low-light"

_FOLDER = Path(__file__).parent
DARK_COLOR_MODEL, DARK_GRAY_MODEL = _FOLDER / "dark_color.json", _FOLDER / "dark_gray.json"

_BESIDE = frozenset(("gaussian", "poisson", "speckle", "camera-noise", "film-grain", "jpeg"))

_SURE, _SURE_GRAY = 0.924, 0.953
"""Chances from which it counts as found: of 1280 clean crops of training photographs that a model was not
fitted to, JPEG among them, none reaches the first in color, nor the second in gray; of 1600 with faint noise,
half of them the darkest part of a photograph, 1.3 and 1.6 percent do."""

_DENIED = 0.6
"""Chance below which an image is not dark for want of light, whatever else says so. It was chosen on 35
photographs that no model was fitted to, whole and as crops of 192 px: of 415 in color whose darkness is found
(severity 1 to 5, random) none is below it, of 395 in gray one, of 246 under JPEG two; of those taken for dark
for their noise (sigma 3 to 8, cameras, speckle) all 23 in color are, and none of four in gray."""

_DIM = 100.0
"""Level that the brightest percent of luma reaches in scenes that are dark, and not dim all over. The
brightest thousandth of a photograph that was exposed three stops too short reaches it in no channel; of 400
photographs of BSDS the dimmest has 152, and of the dimmest 192 px of each one has less (81)."""

_SHINING = 8.0
"""Median level below which what is seen shines before black, as in fluorescence."""

_MIN_SIDE = 160
"""Pixels of the shorter side below which it is not told."""

_BLOCK = 8
"""Pixels of the side of a block in which noise is looked at."""

_SHADES = (3, 10, 20, 36, 60, 90, 130, 180, 236)
"""Mean levels between which blocks are compared: noise of photons falls slowly over them, and to 0 below."""

_MIN_BLOCKS = 8
_QUIET = 25
"""Percent of the blocks that count as quiet, by their gradient."""

_BLACK, _WHITE = 6.0, 245.0
"""Mean levels between which channels are compared: beyond them noise is clipped."""

_TONES = (0.1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)
_HIGHEST = (50, 90, 99, 99.9)
_COLORS = (5, 50, 90)


def measure_darkness(view: View) -> dict[str, float]:
    """Measure what darkness leaves in tones and noise.

    Noise is the root mean square, block by block, of what second differences along both axes leave
    (Immerkaer, "Fast noise variance estimation", CVIU 1996; white noise of deviation s has detail s).

    Returns:
        Of the tones `tone 50` and others, percentiles of luma, and `highest 50` and others, of the highest
        channel; `top`; `black 4` and `black 12`, the shares of luma below these levels, `over 232` and `over
        250`, those of samples above them; `skew` of luma, `log spread` and `log skew` of its logarithm.

        Of the noise, for each range of brightness, named by the level where it starts: `noise 20 least`,
        `low` and `high`, the 5th, 25th and 60th percentile of the blocks, `noise 20`, that of its quiet
        blocks, `noise 20 spread`, the deviation of its logarithm there, `noise 20 white`, the logarithm of
        its ratio to what differences of neighbors have (0 for white noise), and `noise 20 step`, by how much
        its logarithm exceeds that of the range below. Over the ranges `noise law` and `noise law least`, the
        slope of the logarithm against that of brightness, `noise uneven`, its deviation, `noise floor` and
        `noise floor least`, its least.

        Of all quiet blocks `quiet tails`, the fourth moment, 3 for Gaussian noise; `detail beside`, `detail
        below` and `detail across`, the correlation of neighbors, for white noise -0.58, -0.58 and 0.34;
        `texture law`, the slope of the logarithm of gradients against that of brightness.

        For color `red green`, `green blue` and `red blue`, the correlation of the channels' noise, `red
        noise` and `blue noise`, the logarithm of its ratio to green's; `color 50` and others, percentiles of
        how far channels differ, `color mean`, `mean warm` and `mean green`, log ratios of the channels'
        means, and `red 1`, `red 99` and so on, percentiles of each channel.
    """
    window = view.window
    detail, means, flat = _blocks_of(window)
    noise = np.sqrt(np.square(detail).mean(axis=-1))
    together = flat.mean(axis=0)
    kept = (means.min(axis=0) > _BLACK) & (means.max(axis=0) < _WHITE)
    if np.count_nonzero(kept) < _MIN_BLOCKS:
        kept = np.ones_like(kept)
    quiet = detail[:, kept & (together <= np.percentile(together[kept], _QUIET))]
    found = _tones(view) | _by_brightness(noise, means, flat) | _structure(quiet)
    shades, gradients = np.log(means.mean(axis=0)[kept] + 4), np.log(together[kept] + 0.5)
    if shades.std() > 1e-3:
        found["texture law"] = float(np.polyfit(shades, gradients, 1)[0])
    if not view.is_gray:
        found |= _channels(quiet) | _colors(window)
    return found


def _blocks_of(window: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return detail (C, rows, columns, 64), mean and gradient (C, rows, columns) of each block."""
    inside = window[:, 1:-1, 1:-1]
    across = np.diff(inside, axis=2, append=inside[:, :, -1:])
    down = np.diff(inside, axis=1, append=inside[:, -1:])
    power = np.asarray((np.square(across) + np.square(down)) / 4, np.float32)
    detail = np.asarray(np.diff(np.diff(window, 2, axis=1), 2, axis=2) / 6, np.float32)
    means, gradients = (cells(planes, _BLOCK).mean(axis=-1) for planes in (inside, power))
    return cells(detail, _BLOCK), means, np.sqrt(gradients)


def _tones(view: View) -> dict[str, float]:
    luma, window = view.luma, view.window
    logs = np.log(luma + 4)
    return {
        **_percentiles("tone", luma, _TONES),
        **_percentiles("highest", window.max(axis=0), _HIGHEST),
        "top": float(window.max()),
        "black 4": float((luma < 4).mean()),
        "black 12": float((luma < 12).mean()),
        "over 232": float((window > 232).mean()),
        "over 250": float((window > 250).mean()),
        "skew": _skew(luma),
        "log spread": float(logs.std()),
        "log skew": _skew(logs),
    }


def _percentiles(name: str, values: NDArray[np.float32], chosen: tuple[float, ...]) -> dict[str, float]:
    found = np.percentile(values, chosen).tolist()
    return {f"{name} {part:g}": value for part, value in zip(chosen, found, strict=True)}


def _skew(values: NDArray[np.float32]) -> float:
    apart = values - values.mean()
    return float((apart**3).mean() / (apart.std() ** 3 + 1e-3))


def _by_brightness(
    noise: NDArray[np.float32], means: NDArray[np.float32], flat: NDArray[np.float32]
) -> dict[str, float]:
    found: dict[str, float] = {}
    points: list[tuple[float, float, float]] = []
    before = None
    for low, high in itertools.pairwise(_SHADES):
        inside = (means >= low) & (means < high)
        if np.count_nonzero(inside) < _MIN_BLOCKS:
            before = None
            continue
        size, gradient, of = noise[inside], flat[inside], f"noise {low}"
        parts = np.percentile(size, [5, 25, 60]).tolist()
        found.update(zip((f"{of} least", f"{of} low", f"{of} high"), parts, strict=True))
        is_quiet = gradient <= np.percentile(gradient, _QUIET)
        size, gradient = size[is_quiet], gradient[is_quiet]
        level, slope = (float(np.sqrt(np.square(part).mean())) for part in (size, gradient))
        found[of] = level
        found[f"{of} spread"] = float(np.std(np.log(size + 0.1)))
        found[f"{of} white"] = float(np.log((level + 0.05) / (slope + 0.05)))
        points.append((0.5 * np.log(low * high), np.log(level + 0.1), np.log(parts[0] + 0.1)))
        if before is not None:
            found[f"{of} step"] = float(points[-1][1] - before)
        before = points[-1][1]
    if len(points) > 1:
        place, level_logs, least_logs = np.array(points).T
        found["noise law"] = float(np.polyfit(place, level_logs, 1)[0])
        found["noise law least"] = float(np.polyfit(place, least_logs, 1)[0])
        found["noise uneven"] = float(level_logs.std())
        found["noise floor"], found["noise floor least"] = float(level_logs.min()), float(least_logs.min())
    return found


def _structure(quiet: NDArray[np.float32]) -> dict[str, float]:
    """Measure quiet blocks, (C, blocks, 64)."""
    alike = quiet / np.sqrt(np.square(quiet).mean(axis=-1, keepdims=True) + 1e-3)
    blocks = quiet.reshape(*quiet.shape[:2], _BLOCK, _BLOCK)
    power = float(np.square(blocks).sum()) + 1e-6
    return {
        "quiet tails": float(np.mean(alike**4)),
        "detail beside": float((blocks[..., 1:] * blocks[..., :-1]).sum()) / power,
        "detail below": float((blocks[..., 1:, :] * blocks[..., :-1, :]).sum()) / power,
        "detail across": float((blocks[..., 1:, 1:] * blocks[..., :-1, :-1]).sum()) / power,
    }


def _channels(quiet: NDArray[np.float32]) -> dict[str, float]:
    red, green, blue = quiet

    def correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
        return float((one * other).sum() / np.sqrt(np.square(one).sum() * np.square(other).sum() + 1e-6))

    sizes = [float(np.sqrt(np.square(plane).mean())) + 0.1 for plane in quiet]
    return {
        "red green": correlation(red, green),
        "green blue": correlation(green, blue),
        "red blue": correlation(red, blue),
        "red noise": float(np.log(sizes[0] / sizes[1])),
        "blue noise": float(np.log(sizes[2] / sizes[1])),
    }


def _colors(window: Pixels) -> dict[str, float]:
    highest = window.max(axis=0)
    differ = (highest - window.min(axis=0)) / (highest + 4)
    red, green, blue = (float(plane.mean()) + 4 for plane in window)
    found = {
        **_percentiles("color", differ, _COLORS),
        "color mean": float(differ.mean()),
        "mean warm": float(np.log(red / blue)),
        "mean green": float(np.log(green / np.sqrt(red * blue))),
    }
    for name, plane in zip(("red", "green", "blue"), window, strict=True):
        found |= _percentiles(name, plane, (1, 99))
    return found


@cache
def dark_model(*, is_gray: bool) -> HiddenLayer:
    """Return the shipped model for gray or for color images; `restorecli bench diagnosis` fits it."""
    return read_hidden_layer(DARK_GRAY_MODEL if is_gray else DARK_COLOR_MODEL)


def find_darkness(view: View) -> Told:
    """Measure an image, and tell whether it is dark for want of light."""
    measured, model = measure_darkness(view), dark_model(is_gray=view.is_gray)
    needed = _SURE_GRAY if view.is_gray else _SURE
    chance = max(model.chance(measured), needed if _is_dim(view) else 0.0)
    is_sure = chance >= needed and min(view.window.shape[1:]) >= _MIN_SIDE
    return Told(LOW_LIGHT, chance, is_sure, model.evidence(measured))


def _is_dim(view: View) -> bool:
    """Tell whether nothing in an image of colors is bright, and it is no thing that shines before black."""
    if view.is_gray or np.median(view.small_luma) < _SHINING:
        return False
    return float(np.percentile(view.small.max(axis=0), 99.9)) < _DIM


def denies_darkness(told: Told, view: View) -> bool:
    """Tell whether an image is not dark for want of light: a dark scene with noise looks so to others."""
    return told.chance < _DENIED and float(np.percentile(view.luma, 99)) >= _DIM


def beside_darkness(names: Sequence[str]) -> bool:
    """Tell whether faint darkness may count as found beside damages that were found otherwise.

    It may beside nothing, noise or JPEG. Other damage that changes tones or detail more was told otherwise,
    and stays alone.
    """
    return len(names) < 2 and _BESIDE.issuperset(names)
