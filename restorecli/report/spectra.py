"""The chart of error spectra: at which frequencies a restoration helped, group by group."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import RestorecliError
from restorecli.evaluation.pairing.pairs import Source
from restorecli.evaluation.result import PairScore
from restorecli.images.image import Pixels
from restorecli.report.chart_style import (
    AFTER,
    BEFORE,
    INK,
    MUTED,
    SCREEN,
    Chart,
    Look,
    blank_chart,
    shortened,
)
from restorecli.report.lineup import spread
from restorecli.report.maps import radial_spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rings = NDArray[np.float64]

IMAGES: Final = 8
"""How many images of a group are read, evenly spread over it."""

_BINS = 32
_SIDE = 512  # pixels of the central part that is looked at
_CELL = 2.0  # inches of one small chart, with its labels, at least
_MIN_LEVEL = 1e-4  # in levels of 255, the least that is drawn


def error_spectra(members: Mapping[str, Sequence[PairScore]]) -> dict[str, dict[str, Rings]]:
    """Return the mean error spectrum of both sides of each group.

    Args:
        members: The images of each group; at most eight of them are read, one after another.

    Returns:
        By group, then by "degraded" and "restored": (32,) root mean power density in rings of frequency,
        on the 0-255 scale. What cannot be read any more is left out.
    """
    spectra = {}
    for name, scores in members.items():
        sides: dict[str, list[Rings]] = {}
        for score in spread(scores, IMAGES):
            for side, rings in _of_pair(score):
                sides.setdefault(side, []).append(rings)
        means = {side: _mean(lines) for side, lines in sides.items()}
        if means:
            spectra[name] = means
    return spectra


def spectrum_chart(spectra: Mapping[str, Mapping[str, Rings]], by: str, look: Look = SCREEN) -> Chart:
    """Draw a small chart for each group: error against frequency, degraded and restored.

    Args:
        spectra: What `error_spectra` gives, at least one group.
        by: What the groups are of, in words.
        look: Where the chart is to stand.
    """
    left = look.inches(0.45)
    across = max(1, round((look.width - 2 * look.edge) / look.inches(_CELL)))
    pitch = (look.width - 2 * look.edge - left + look.inches(0.1)) / across
    cell, row_pitch = pitch - look.inches(0.35), pitch + look.inches(0.2)
    rows = math.ceil(len(spectra) / across)
    drawing = blank_chart(
        f"Error by frequency and {by}",
        "How strong the error is at coarse (left) and at fine structures (right); lower is better. "
        "White noise in gray images is a flat line at its sigma.",
        f"Luma of the central {_SIDE} x {_SIDE} pixels, periodic Hann window, root of the mean power in "
        f"{_BINS} rings of frequency; mean over at most {IMAGES} images of a group, evenly spread.",
        rows * row_pitch + look.inches(0.35),
        look,
    )
    low, high = _limits(spectra)
    for index, (name, sides) in enumerate(spectra.items()):
        row, column = divmod(index, across)
        place = look.edge + left + column * pitch, drawing.top + look.inches(0.22) + row * row_pitch
        axes = drawing.axes_at(*place, cell, cell)
        _small_chart(axes, sides, (low, high), look.points(0.9))
        axes.set_title(shortened(name, 22), size=look.size, color=INK, loc="left", pad=5)
        if column == 0:
            axes.set_ylabel("error, 0-255", size=look.points(0.9))
        axes.tick_params(labelleft=column == 0)
        if index + across >= len(spectra):
            axes.set_xlabel("cycles per pixel", size=look.points(0.9))
    drawing.key([("degraded", BEFORE), ("restored", AFTER)])
    return drawing


def _small_chart(axes: Axes, sides: Mapping[str, Rings], limits: tuple[float, float], size: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    frequencies = (np.arange(_BINS) + 0.5) / (2 * _BINS)
    for side, color in (("degraded", BEFORE), ("restored", AFTER)):
        if side in sides:
            axes.plot(frequencies, np.maximum(sides[side], _MIN_LEVEL), color=color, linewidth=1.8)
    axes.set_xlim(0, 0.5)
    axes.set_yscale("log")
    axes.set_ylim(limits)
    decades = range(math.floor(math.log10(limits[0])), math.ceil(math.log10(limits[1])) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in ((1, 3) if len(decades) < 4 else (1,))]
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if limits[0] <= tick <= limits[1]]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xticks([0, 0.25, 0.5], ["0", "0.25", "0.5"])
    axes.grid(visible=True)
    axes.tick_params(labelsize=size, labelcolor=MUTED)


def _limits(spectra: Mapping[str, Mapping[str, Rings]]) -> tuple[float, float]:
    lines = np.concatenate([rings for sides in spectra.values() for rings in sides.values()])
    known = np.maximum(lines[np.isfinite(lines)], _MIN_LEVEL)
    if not len(known):
        return 0.1, 100.0
    return float(known.min() / 1.3), float(known.max() * 1.5)


def _of_pair(score: PairScore) -> Iterator[tuple[str, Rings]]:
    """Yield the spectrum of each side's error, as far as the images can be read and have one size."""
    reference = _pixels(score.pair.reference)
    for side, source in (("degraded", score.pair.degraded), ("restored", score.pair.restored)):
        pixels = None if reference is None else _pixels(source)
        if pixels is not None and reference is not None and pixels.shape == reference.shape:
            yield side, radial_spectrum(_central(pixels) - _central(reference), _BINS)


def _pixels(source: Source | None) -> Pixels | None:
    """Read an image, or None: a table of an earlier day may name files that are gone."""
    try:
        return None if source is None else source.read().pixels
    except RestorecliError:
        return None


def _central(pixels: Pixels) -> Pixels:
    top, left = (max(side - _SIDE, 0) // 2 for side in pixels.shape[1:])
    return pixels[:, top : top + _SIDE, left : left + _SIDE]


def _mean(lines: Sequence[Rings]) -> Rings:
    """Average the power of several images, ring by ring, over those that have this ring."""
    stacked = np.stack(lines)
    counts = np.isfinite(stacked).sum(axis=0)
    sums = np.nansum(stacked, axis=0)
    powers = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return np.asarray(255 * np.sqrt(powers))
