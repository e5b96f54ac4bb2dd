"""Noise as cameras leave it in finished images: spread over neighbors and channels, perhaps under JPEG.

Demosaicing, smoothing and JPEG take away the finest details, by which white noise is found. What is left
fills the quiet parts of an image at every scale, in luma and in colors: blots instead of dots. A logistic
model, fitted on training photographs, tells it from texture by how quiet the quietest blocks are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.diagnosis.decide import DecisionTable, read_table
from restorecli.diagnosis.view import Pixels, View

CAMERA_NOISE, FILM_GRAIN = "camera-noise", "film-grain"
SPREAD_NOISE = (CAMERA_NOISE, FILM_GRAIN)
"""Noise that neighbors share; it has tables of its own."""

_NIGHT = "low-light"

_FOLDER = Path(__file__).parent
COLOR_TABLE, GRAY_TABLE = _FOLDER / "camera_color.json", _FOLDER / "camera_gray.json"

_SURE, _SURE_GRAY = 0.4, 0.87
"""Chances from which it counts as found: of 800 clean crops of training photographs in color one reaches it,
and noise of a camera that the table was not fitted to is found in 111 of 120 (in 89 from 0.6 on)."""

_MIN_SIDE, _ENOUGH_SIDE, _SURE_SMALL = 96, 160, 0.995
"""Pixels of the shorter side below which it is not told, and those below which it needs a greater chance:
clean crops of training photographs reach 0.95 with 128 px, 0.99 with 96 px and 1 with 64 px."""

LEVEL = "camera noise"
"""The name of the measurement that tells its root mean square, 0-255 scale."""

_LEVEL_FACTOR = 1.3
"""Root mean square of camera noise over that of its detail in flat blocks, all planes and scales together."""

_MIN_QUALITY = 40.0
"""Quality of JPEG from which it is noise that spoils an image more, where both are found."""

_NOISE = frozenset(("gaussian", "poisson", "speckle"))
_MIN_COARSE = 1.7
"""`noise coarse` from which neighbors share noise: 1.3 for white noise, 1.75 for cameras' (95 %)."""

_RESEMBLING = frozenset(("moire", "quantize"))
"""Damages that camera noise is taken for; it is told from them better than they from it."""

_WAVE = 18.0
"""Height of a wave, in dB, from which moire is there: with camera noise alone it reached 16."""

_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]], np.float32)
_PLANES = ("luma", "blue", "red")
_SCALES: Mapping[int, int] = {1: 8, 2: 8, 4: 6}
"""By how much the image is reduced, and the side of a block in pixels of what is left."""

_DARK, _BRIGHT = 8.0, 245.0
"""Mean levels between which blocks are compared: beyond them noise is clipped."""

_MIN_BLOCKS = 8
_FLAT = 25
"""Percent of the blocks that count as flat, by their gradient."""


def measure_camera_noise(view: View) -> dict[str, float]:
    """Measure how much of an image's fine detail fills its quiet parts, too.

    Luma and both colors (BT.601) are reduced by means of 1, 2 and 4 px; what second differences along both
    axes leave of each (Immerkaer, "Fast noise variance estimation", CVIU 1996; white noise of deviation s
    has detail s) is looked at block by block.

    Returns:
        For each plane and scale, such as `luma 2`: `quiet`, `middle` and `busy`, the 5th, 50th and 80th
        percentile of the blocks' root mean square (0-255 scale); of the quarter of the blocks with the least
        gradient `flat`, their root mean square, `flat spread`, the deviation of its logarithm from block to
        block, and `flat tails`, the fourth moment over the second, 3 for noise. For each scale `slope quiet`
        and `slope middle`, percentiles of the blocks' gradient, and `colors alike`, the correlation of both
        colors' detail. Gray images have those of luma alone.
    """
    planes = view.window if view.is_gray else np.tensordot(_TO_YCC, view.window, axes=1)
    found: dict[str, float] = {}
    for scale, side in _SCALES.items():
        reduced = _reduced(planes, scale)
        if min(reduced.shape[1:]) >= side + 2:
            found.update(_measured(reduced, scale, side))
    return found


def _measured(planes: Pixels, scale: int, side: int) -> dict[str, float]:
    inside = planes[:, 1:-1, 1:-1]
    detail = _blocks(_second(_second(planes, 1), 2) / np.float32(6), side)
    mean = _blocks(inside[:1], side)[0].mean(axis=-1)
    across = np.diff(inside[0], axis=1, append=inside[0][:, -1:])
    down = np.diff(inside[0], axis=0, append=inside[0][-1:])
    slope = np.sqrt(_blocks((across**2 + down**2)[None], side)[0].mean(axis=-1))
    kept = (mean > _DARK) & (mean < _BRIGHT)
    if np.count_nonzero(kept) < _MIN_BLOCKS:
        kept = np.ones_like(kept)
    detail, slope = detail[:, kept], slope[kept]
    quiet, flat, middle = np.percentile(slope, [10, _FLAT, 50])
    found = {f"slope quiet {scale}": float(quiet), f"slope middle {scale}": float(middle)}
    power = np.square(detail).mean(axis=-1)
    is_flat = slope <= flat
    for name, size, values in zip(_PLANES, power, detail, strict=False):
        of = f"{name} {scale}"
        parts = np.percentile(np.sqrt(size), [5, 50, 80]).tolist()
        found.update(zip((f"{of} quiet", f"{of} middle", f"{of} busy"), parts, strict=True))
        alike = values[is_flat] / np.sqrt(size[is_flat] + 1e-3)[:, None]
        found[f"{of} flat"] = float(np.sqrt(size[is_flat].mean()))
        found[f"{of} flat spread"] = float(np.std(np.log(np.sqrt(size[is_flat]) + 0.1)))
        found[f"{of} flat tails"] = float(np.mean(alike**4))
    if len(planes) == 3:
        blue, red = detail[1:, is_flat]
        product = np.sqrt(np.square(blue).sum() * np.square(red).sum() + 1e-6)
        found[f"colors alike {scale}"] = float((blue * red).sum() / product)
    return found


def _reduced(planes: Pixels, factor: int) -> Pixels:
    tall, wide = (side // factor for side in planes.shape[1:])
    cut = planes[:, : tall * factor, : wide * factor].reshape(len(planes), tall, factor, wide, factor)
    return np.asarray(cut.mean(axis=(2, 4), dtype=np.float32))


def _second(planes: Pixels, axis: int) -> Pixels:
    return np.diff(planes, 2, axis=axis)


def _blocks(planes: Pixels, side: int) -> NDArray[np.float32]:
    """Return the values of each block: (C, rows, columns, side^2)."""
    tall, wide = (length // side for length in planes.shape[1:])
    cut = planes[:, : tall * side, : wide * side].reshape(len(planes), tall, side, wide, side)
    return cut.swapaxes(2, 3).reshape(len(planes), tall, wide, side * side)


@cache
def camera_table(*, is_gray: bool) -> DecisionTable:
    """Return the shipped table for gray or for color images."""
    return read_table(GRAY_TABLE if is_gray else COLOR_TABLE)


def camera_level(found: Mapping[str, float]) -> float:
    """Return the root mean square of camera noise, 0-255 scale, given its measurements by name."""
    power = sum(found.get(f"{plane} {scale} flat", 0.0) ** 2 for plane in _PLANES for scale in _SCALES)
    return float(_LEVEL_FACTOR * power**0.5)


def is_sure(chance: float, view: View) -> bool:
    """Tell whether camera noise counts as found; small images need more, and tiny ones are not told."""
    side = min(view.window.shape[1:])
    if side < _ENOUGH_SIDE:
        return side >= _MIN_SIDE and chance >= _SURE_SMALL
    return chance >= (_SURE_GRAY if view.is_gray else _SURE)


def beside_camera_noise(names: Sequence[str], found: Mapping[str, float]) -> tuple[str, ...]:
    """Return what counts as found where camera noise is sure, too.

    White noise stays what it is, and so does every other damage that changes the image more.

    Args:
        names: The damages that were found otherwise.
        found: Measurements by name.
    """
    is_white = not _NOISE.isdisjoint(names) and ("jpeg" in names or found["noise coarse"] < _MIN_COARSE)
    if is_white or ("moire" in names and max(found["wave luma"], found.get("wave color", 0.0)) >= _WAVE):
        return tuple(names)
    others = [name for name in names if name not in _NOISE | _RESEMBLING]
    if not others or (others == ["jpeg"] and found["jpeg quality"] >= _MIN_QUALITY):
        return (CAMERA_NOISE,)
    return (_NIGHT, CAMERA_NOISE) if others == [_NIGHT] else tuple(names)
