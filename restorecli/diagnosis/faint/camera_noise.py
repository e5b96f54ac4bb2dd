"""Noise as cameras leave it in finished images: spread over neighbors and channels, perhaps under JPEG.

Demosaicing, smoothing and JPEG take away the finest details, by which white noise is found. What is left
fills the quiet parts of an image at every scale, in luma and in colors: blots instead of dots. A logistic
model, fitted on training photographs, tells it from texture by how quiet the quietest blocks are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.diagnosis.deciding.decide import NONE, DecisionTable, read_table
from restorecli.diagnosis.measuring.cells import cell_means, cells
from restorecli.diagnosis.measuring.view import Pixels, Plane, View

CAMERA_NOISE, FILM_GRAIN = "camera-noise", "film-grain"
SPREAD_NOISE = (CAMERA_NOISE, FILM_GRAIN)
"""Noise that neighbors share; it has tables of its own."""

_NIGHT = "low-light"

_FOLDER = Path(__file__).parent
COLOR_TABLE, GRAY_TABLE = _FOLDER / "camera_color.json", _FOLDER / "camera_gray.json"

_SURE, _SURE_GRAY = 0.87, 0.65
"""Chances from which it counts as found: of 4216 clean crops of photographs in color that a table was not
fitted to, JPEG and other looks among them, 7 reach the first, and of 2080 in gray 4 the second."""

_FILM_ODDS = 45.0
"""How many times as likely as noise of a camera film grain must be to be called so: noise of cameras that
demosaic in another way than the one that was learned often reaches 25, and most film 50 to 2000, but under
JPEG only 2 to 30."""

_MIN_CHANCE = 1e-9

_MIN_SIDE, _ENOUGH_SIDE, _SURE_SMALL = 96, 160, 0.995
"""Pixels of the shorter side below which it is not told, and those below which it needs a greater chance:
clean crops of training photographs reach 0.95 with 128 px, 0.99 with 96 px and 1 with 64 px."""

LEVEL = "camera noise"
"""The name of the measurement that tells its root mean square, 0-255 scale."""

FILM = "film against camera"
"""The name of the measurement that tells how much likelier film grain is than noise of a camera, in log10."""

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

_SHADES = ("dark", "medium", "bright")

_CELL, _MIN_CELLS_SIDE = 16, 64
"""Pixels of the side of a cell in which scales are compared, and of an image that has enough of them."""

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
        colors' detail. Of luma, in which texture is most like noise, what noise has and texture has not:
        `quietest`, the least of all blocks; `dark`, `medium` and `bright`, the 10th percentile in each third
        of the brightness; `directed`, by how much the differences of flat blocks have a direction (0 to 1,
        white noise 0.5); `share` and `steady`, mean and deviation of detail over gradient in half of the
        blocks, for noise has the same spectrum everywhere; and `scales alike 1` and `2`, the correlation of
        what cells of 16 px have of 1 and 2 px, and of 2 and 4 px. Gray images have those of luma alone.
    """
    planes = view.window if view.is_gray else np.tensordot(_TO_YCC, view.window, axes=1)
    found: dict[str, float] = {}
    for scale, side in _SCALES.items():
        reduced = cell_means(planes, scale)
        if min(reduced.shape[1:]) >= side + 2:
            found.update(_measured(reduced, scale, side))
    if min(planes.shape[1:]) >= _MIN_CELLS_SIDE:
        found.update(_shared(planes[:1]))
    return found


def _shared(luma: Pixels) -> dict[str, float]:
    """Measure whether details of 1 and 2 px, and of 2 and 4 px, are strong in the same cells.

    The half of the cells is looked at that has the least of the third scale.
    """
    power = []
    for scale in _SCALES:
        reduced = cell_means(luma, scale)
        detail = cells(_second(_second(reduced, 1), 2) / np.float32(6), _CELL // scale)
        power.append(np.log(np.square(detail).mean(axis=-1)[0] + 0.05))
    tall, wide = (min(part.shape[axis] for part in power) for axis in (0, 1))
    fine, middle, coarse = (part[:tall, :wide].ravel() for part in power)
    by_coarse, by_fine = coarse <= np.median(coarse), fine <= np.median(fine)
    return {
        "scales alike 1": _correlation(fine[by_coarse], middle[by_coarse]),
        "scales alike 2": _correlation(middle[by_fine], coarse[by_fine]),
    }


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / np.sqrt(np.square(one).sum() * np.square(other).sum() + 1e-6))


def _measured(planes: Pixels, scale: int, side: int) -> dict[str, float]:
    """Measure planes that were reduced by a scale, cut into cells of so many pixels a side."""
    inside = planes[:, 1:-1, 1:-1]
    detail = cells(_second(_second(planes, 1), 2) / np.float32(6), side)
    mean = cells(inside[:1], side)[0].mean(axis=-1)
    slope, directed = _gradients(inside[0], side)
    kept = (mean > _DARK) & (mean < _BRIGHT)
    if np.count_nonzero(kept) < _MIN_BLOCKS:
        kept = np.ones_like(kept)
    detail, slope, mean, directed = detail[:, kept], slope[kept], mean[kept], directed[kept]
    quiet, flat, middle = np.percentile(slope, [10, _FLAT, 50])
    is_flat = slope <= flat
    found = {f"slope quiet {scale}": float(quiet), f"slope middle {scale}": float(middle)}
    for name, values in zip(_PLANES, detail, strict=False):
        found |= _of_plane(f"{name} {scale}", values, is_flat)
    found[f"luma {scale} directed"] = float(directed[is_flat].mean())
    found |= _of_luma(f"luma {scale}", detail[0], mean, slope, slope <= middle)
    if len(planes) == 3:
        blue, red = detail[1:, is_flat]
        product = np.sqrt(np.square(blue).sum() * np.square(red).sum() + 1e-6)
        found[f"colors alike {scale}"] = float((blue * red).sum() / product)
    return found


def _gradients(luma: Plane, side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return for each cell its root mean square gradient, and how far the gradients have one direction."""
    across = np.diff(luma, axis=1, append=luma[:, -1:])
    down = np.diff(luma, axis=0, append=luma[-1:])
    slope = np.sqrt(cells((across**2 + down**2)[None], side)[0].mean(axis=-1))
    along, over, cross = (
        cells(part[None], side)[0].mean(axis=-1) for part in (across**2, down**2, across * down)
    )
    return slope, np.sqrt((along - over) ** 2 + 4 * cross**2) / (along + over + 0.02)


def _of_plane(of: str, detail: NDArray[np.float32], is_flat: NDArray[np.bool_]) -> dict[str, float]:
    """Measure the detail of one plane, (cells, side^2)."""
    power = np.square(detail).mean(axis=-1)
    parts = np.percentile(np.sqrt(power), [5, 50, 80]).tolist()
    alike = detail[is_flat] / np.sqrt(power[is_flat] + 1e-3)[:, None]
    return {
        **dict(zip((f"{of} quiet", f"{of} middle", f"{of} busy"), parts, strict=True)),
        f"{of} flat": float(np.sqrt(power[is_flat].mean())),
        f"{of} flat spread": float(np.std(np.log(np.sqrt(power[is_flat]) + 0.1))),
        f"{of} flat tails": float(np.mean(alike**4)),
    }


def _of_luma(
    of: str,
    detail: NDArray[np.float32],
    mean: NDArray[np.float32],
    slope: NDArray[np.float32],
    is_calm: NDArray[np.bool_],
) -> dict[str, float]:
    """Measure what noise has and texture has not, given each cell's detail, mean and gradient."""
    rms = np.sqrt(np.square(detail).mean(axis=-1))
    ratio = (np.log(rms + 0.1) - np.log(slope + 0.1))[is_calm]
    found = {
        f"{of} quietest": float(rms.min()),
        f"{of} share": float(np.exp(ratio.mean())),
        f"{of} steady": float(ratio.std()),
    }
    by_brightness = np.array_split(np.argsort(mean, kind="stable"), len(_SHADES))
    for shade, places in zip(_SHADES, by_brightness, strict=True):
        if len(places):
            found[f"{of} {shade}"] = float(np.percentile(rms[places], 10))
    return found


def _second(planes: Pixels, axis: int) -> Pixels:
    return np.diff(planes, 2, axis=axis)


@cache
def camera_table(*, is_gray: bool) -> DecisionTable:
    """Return the shipped table for gray or for color images."""
    return read_table(GRAY_TABLE if is_gray else COLOR_TABLE)


def camera_level(found: Mapping[str, float]) -> float:
    """Return the root mean square of camera noise, 0-255 scale, given its measurements by name."""
    power = sum(found.get(f"{plane} {scale} flat", 0.0) ** 2 for plane in _PLANES for scale in _SCALES)
    return float(_LEVEL_FACTOR * power**0.5)


@dataclass(frozen=True, slots=True)
class SharedNoise:
    """What was found of noise that neighbors share.

    Attributes:
        name: "film-grain" where it is far more likely than "camera-noise", else that.
        chance: That it is one of them.
        is_sure: Whether that is enough for it to count as found.
        measurements: By name, with its level, 0-255 scale.
        table: What the chance is from.
    """

    name: str
    chance: float
    is_sure: bool
    measurements: Mapping[str, float]
    table: DecisionTable


def find_shared_noise(view: View) -> SharedNoise:
    """Measure an image, and tell whether it has noise that neighbors share.

    Images in color are looked at by the table for gray ones, too: grain of film may have no color.
    """
    measured = measure_camera_noise(view)
    measured |= {LEVEL: camera_level(measured)}
    side = min(view.window.shape[1:])
    found = []
    for is_gray, limit in ((True, _SURE_GRAY),) if view.is_gray else ((False, _SURE), (True, _SURE_GRAY)):
        table = camera_table(is_gray=is_gray)
        chances = table.chances(measured)
        film, camera = (max(chances[name], _MIN_CHANCE) for name in (FILM_GRAIN, CAMERA_NOISE))
        name, chance = FILM_GRAIN if film >= _FILM_ODDS * camera else CAMERA_NOISE, 1 - chances[NONE]
        needed = limit if side >= _ENOUGH_SIDE else _SURE_SMALL
        is_sure = side >= _MIN_SIDE and chance >= needed
        told = measured | {FILM: math.log10(film / camera)}
        found.append(SharedNoise(name, chance, is_sure, told, table))
    return next((one for one in found if one.is_sure), found[0])


def beside_camera_noise(
    names: Sequence[str], found: Mapping[str, float], noise: str, *, is_dark: bool
) -> tuple[str, ...]:
    """Return what counts as found where noise that neighbors share is sure, too.

    White noise stays what it is, and so does every other damage that changes the image more.

    Args:
        names: The damages that were found otherwise.
        found: Measurements by name.
        noise: Its name, "camera-noise" or "film-grain".
        is_dark: Whether darkness, if it was found, is sure beside such noise: a dark scene has no other.
    """
    is_white = not _NOISE.isdisjoint(names) and ("jpeg" in names or found["noise coarse"] < _MIN_COARSE)
    if is_white or ("moire" in names and max(found["wave luma"], found.get("wave color", 0.0)) >= _WAVE):
        return tuple(names)
    others = [name for name in names if name not in _NOISE | _RESEMBLING]
    if not others or (others == ["jpeg"] and found["jpeg quality"] >= _MIN_QUALITY):
        return (noise,)
    if others == [_NIGHT]:
        return (_NIGHT, noise) if is_dark else (noise,)
    return tuple(names)
