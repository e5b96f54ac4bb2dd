"""Faint haze: from the top of the image to its bottom, neither black, nor white, nor full colors.

Photographs without black or white are common, and so are pale ones. A veil of haze takes all of them away at
once, more of them farther up, where a scene is farther away, and it is gray.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from restorecli.diagnosis.deciding.together import together
from restorecli.diagnosis.faint.hidden_layer import HiddenLayer, Told, read_hidden_layer
from restorecli.diagnosis.measuring.tones import measure_tones
from restorecli.diagnosis.measuring.view import Plane, View

HAZE = "haze"

_FOLDER = Path(__file__).parent
VEIL_COLOR_MODEL, VEIL_GRAY_MODEL = _FOLDER / "veil_color.json", _FOLDER / "veil_gray.json"

_SURE, _SURE_GRAY = 0.948, 0.961
"""Chances from which it counts as found in a whole photograph. Of 1600 clean images of training photographs
that a model was not fitted to, crops, whole ones and JPEG, four count in color and one in gray."""

_MIN_SIDE = 160
"""Pixels of the shorter side below which it is not told."""

_WHOLE, _POWER = 120_000, 1.5
"""Pixels below which the odds that it needs grow, and the power of their ratio: a small part of a scene may
have neither black nor white."""

_BANDS = 6
"""Bands from top to bottom that are looked at by themselves."""

_LOWEST, _BAND_LOWEST = (0, 0.05, 0.2, 1, 5), (0.2, 1, 5, 25, 50)
_HIGHEST, _BAND_HIGHEST = (95, 99, 99.8, 99.95, 100), (50, 75, 95, 99, 99.8)
_DEEPEST, _BAND_DEEPEST = (90, 99, 99.9), (50, 90, 99)

_SMOOTHED = 15
"""Rows and columns over which their darkest levels are averaged."""


def measure_veil(view: View) -> dict[str, float]:
    """Measure where an image ends below and above, as a whole and in bands from top to bottom.

    All but `lowest` and `highest` is of means of 3 x 3 px, for noise reaches farther. Levels are on the 0-255
    scale.

    Returns:
        The tones of `measure_tones`, and percentiles, named by their percent: `lowest 0.05`, of the lowest
        channel, `highest 99.8`, of the highest, `mean lowest 1` and `mean highest 99`, of means. In each
        band, 0 being the uppermost, `band 0 lowest 1`, `band 0 highest 95` and `band 0 detail`, the logarithm
        of the mean difference of rows. `black slope` and `black rest`: the line through the bands' `lowest
        1`, and the deviation from it. Of the darkest levels of each row, `rows least`, `rows most`, `rows
        falling`, the share of rows at which they do not grow downward, and `rows correlation` with the
        row; of those of columns, `columns least` and `columns spread`. For color, `deepest 99` and `band 0
        deepest 99`, percentiles of how much lower the lowest channel is than the highest, as a share of it.
    """
    means = ndimage.uniform_filter(view.window, (0, 3, 3))
    low, high = means.min(axis=0), means.max(axis=0)
    found = {
        **measure_tones(view),
        **_percentiles("lowest", view.window.min(axis=0), _LOWEST),
        **_percentiles("mean lowest", low, _LOWEST),
        **_percentiles("highest", view.window.max(axis=0), _HIGHEST),
        **_percentiles("mean highest", high, _HIGHEST),
        **_of_rows(low),
    }
    depth = 1 - low / (high + 4)
    if not view.is_gray:
        found |= _percentiles("deepest", depth, _DEEPEST)
    blacks = []
    for band in range(_BANDS):
        rows = slice(band * len(low) // _BANDS, (band + 1) * len(low) // _BANDS)
        name = f"band {band}"
        found |= _percentiles(f"{name} lowest", low[rows], _BAND_LOWEST)
        found |= _percentiles(f"{name} highest", high[rows], _BAND_HIGHEST)
        if not view.is_gray:
            found |= _percentiles(f"{name} deepest", depth[rows], _BAND_DEEPEST)
        found[f"{name} detail"] = float(np.log(np.abs(np.diff(view.luma[rows], axis=0)).mean() + 0.2))
        blacks.append(found[f"{name} lowest 1"])
    line = np.polyfit(range(_BANDS), blacks, 1)
    found["black slope"] = float(line[0])
    found["black rest"] = float(np.std(blacks - np.polyval(line, range(_BANDS))))
    return found


def _percentiles(name: str, values: Plane, chosen: Sequence[float]) -> dict[str, float]:
    found = np.percentile(values, chosen).tolist()
    return {f"{name} {part:g}": value for part, value in zip(chosen, found, strict=True)}


def _of_rows(low: Plane) -> dict[str, float]:
    rows, columns = (ndimage.uniform_filter1d(np.percentile(low, 2, axis=axis), _SMOOTHED) for axis in (1, 0))
    changes = rows.std() > 1e-3
    return {
        "rows least": float(rows.min()),
        "rows most": float(rows.max()),
        "rows falling": float(np.mean(np.diff(rows) <= 0.3)),
        "rows correlation": float(np.corrcoef(np.arange(len(rows)), rows)[0, 1]) if changes else 0.0,
        "columns least": float(columns.min()),
        "columns spread": float(columns.std()),
    }


@cache
def veil_model(*, is_gray: bool) -> HiddenLayer:
    """Return the shipped model for gray or for color images; `restorecli bench diagnosis` fits it."""
    return read_hidden_layer(VEIL_GRAY_MODEL if is_gray else VEIL_COLOR_MODEL)


def find_veil(view: View) -> Told:
    """Measure an image, and tell whether it is hazy."""
    measured, model = measure_veil(view), veil_model(is_gray=view.is_gray)
    chance = model.chance(measured)
    is_sure = chance >= _needed(view) and min(view.window.shape[1:]) >= _MIN_SIDE
    return Told(HAZE, chance, is_sure, model.evidence(measured))


def _needed(view: View) -> float:
    """Return the chance that counts as sure."""
    sure = _SURE_GRAY if view.is_gray else _SURE
    odds: float = sure / (1 - sure) * max(_WHOLE / view.luma.size, 1.0) ** _POWER
    return odds / (1 + odds)


def beside_veil(names: Sequence[str]) -> bool:
    """Tell whether faint haze may count as found beside damages that were found otherwise."""
    return len(names) < 2 and all(together(HAZE, name) is not None for name in names)
