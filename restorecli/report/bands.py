"""The chart of a frequency selection: the spectrum, its bands, the thresholds, and what was suppressed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from restorecli.report.chart_style import (
    AFTER,
    INK,
    MUTED,
    PALETTE,
    SCREEN,
    WORSE,
    Chart,
    blank_chart,
    chart_style,
    shortened,
    write_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Plane = NDArray[np.float32]

_GAP: Final = 0.16
_TILE: Final = (SCREEN.width - 2 * SCREEN.edge - 3 * _GAP) / 4  # inches of a square tile
_ROW: Final = _TILE + 0.4
_LABELS: Final = 0.5  # inches of the labels beside and below the two charts with axes
_DOTS: Final = 20_000
_CLOSED: Final = 0.5  # of the gate, from where a bin counts as suppressed


@dataclass(frozen=True, slots=True)
class BandImage:
    """What a layer did to one channel, ready to be drawn.

    Planes have DC in the middle.

    Attributes:
        before: What came in, (C, H, W), C = 1 or 3; stretched where it leaves [0, 1].
        after: What went out, of the same shape.
        edges: Between the K bands, as shares of the Nyquist frequency.
        bands: Memberships, (K, H', W').
        level: Log-magnitudes, (H', W').
        threshold: (H', W').
        gate: 1 keeps, 0 suppresses, (H', W').
        patch_level: Log-magnitudes of the central patch, (h, w).
        patch_threshold: (h, w).
        rows: Lines of a small table, its head first.
    """

    before: Plane
    after: Plane
    edges: tuple[float, ...]
    bands: Plane
    level: Plane
    threshold: Plane
    gate: Plane
    patch_level: Plane
    patch_threshold: Plane
    rows: Sequence[Sequence[str]]


def write_band_chart(shown: BandImage, path: Path, *, title: str, about: str) -> None:
    """Draw a frequency selection and write it as PNG; the same arrays give the same bytes.

    Args:
        shown: What is drawn.
        path: The file, whose name ends in .png; its folder must exist.
        title: Of the chart.
        about: What was looked at, for the footnote.

    Raises:
        ResourceError: The disk is full.
    """
    with chart_style():
        drawing = blank_chart(
            shortened(title, 60),
            "In each band of frequencies, what stands out by more than lambda standard deviations of the "
            "log-magnitudes is suppressed. The middle of a plane is the lowest frequency, the mean, which is "
            "never touched.",
            about,
            3 * _ROW + _LABELS - 0.1,
        )
        _draw_images(drawing, shown)
        _draw_planes(drawing, shown)
        _draw_levels(drawing, shown)
        _draw_patch(drawing, shown)
        write_figure(drawing.figure, path.with_suffix(""), ("png",))


def _tile(drawing: Chart, row: int, column: int, title: str) -> Axes:
    left, top = SCREEN.edge + column * (_TILE + _GAP), drawing.top + 0.22 + row * _ROW
    axes = drawing.axes_at(left, top, _TILE, _TILE)
    axes.set_title(title, size=9.5, color=INK, loc="left", pad=4)
    axes.set_axis_off()
    axes.set_anchor("NW")
    return axes


def _draw_images(drawing: Chart, shown: BandImage) -> None:
    low, high = _limits(shown.before)
    for column, (title, pixels) in enumerate((("before", shown.before), ("after", shown.after))):
        _show(_tile(drawing, 0, column, title), (pixels - low) / (high - low))
    taken = shown.before - shown.after
    most = float(np.percentile(np.abs(taken), 99.5)) / (high - low)
    gain = 0.5 / max(most, 1e-4)
    title = f"taken out, {gain:.3g} times" if most > 0 else "taken out: nothing"
    _show(_tile(drawing, 0, 2, title), 0.5 + gain * taken / (high - low))
    axes = _tile(drawing, 0, 3, "suppressed of each band")
    for number, line in enumerate(shown.rows):
        for cell, text in enumerate(line):
            weight, color = ("bold", MUTED) if number == 0 else ("normal", INK)
            x, align = (0.0, "left") if cell == 0 else (0.28 + 0.72 * cell / (len(line) - 1), "right")
            axes.text(x, 0.94 - 0.1 * number, text, size=7, ha=align, va="top", color=color, weight=weight)


def _draw_planes(drawing: Chart, shown: BandImage) -> None:
    low, high = float(shown.level.min()), float(np.percentile(shown.level, 99.9))
    _show_plane(_tile(drawing, 1, 0, "spectrum, log(1 + |F|)"), shown.level, low, high)
    colors = np.array([_rgb(PALETTE[band % len(PALETTE)]) for band in range(len(shown.bands))])
    axes = _tile(drawing, 1, 1, "bands")
    _show(axes, np.einsum("khw,kc->chw", shown.bands, colors).astype(np.float32))
    _show_plane(_tile(drawing, 1, 2, "threshold, same scale"), shown.threshold, low, high)
    gray = np.clip((shown.level - low) / max(high - low, 1e-6), 0, 1)
    overlay = np.where(shown.gate < _CLOSED, np.array(_rgb(WORSE))[:, None, None], 0.75 - 0.6 * gray)
    _show(_tile(drawing, 1, 3, "suppressed bins"), overlay.astype(np.float32))


def _draw_levels(drawing: Chart, shown: BandImage) -> None:
    """Draw every bin's log-magnitude over its frequency, with the threshold."""
    axes = _chart(drawing, 0, "every bin, and the threshold", "frequency, share of Nyquist")
    height, width = shown.level.shape
    rows, columns = (np.fft.fftshift(np.fft.fftfreq(side)) for side in (height, width))
    rho = np.minimum(1, 2 * np.hypot(rows[:, None], columns)).ravel()
    level, threshold, closed = shown.level.ravel(), shown.threshold.ravel(), shown.gate.ravel() < _CLOSED
    step = max(1, len(rho) // _DOTS)
    kept = np.flatnonzero(~closed)[::step]
    out = np.flatnonzero(closed)[:: max(1, int(closed.sum()) // _DOTS)]
    axes.scatter(rho[kept], level[kept], s=1.5, color=MUTED, alpha=0.35, linewidths=0, rasterized=True)
    axes.scatter(rho[out], level[out], s=3, color=WORSE, linewidths=0, rasterized=True)
    order = np.argsort(rho)
    axes.plot(rho[order], threshold[order], color=AFTER, linewidth=1.6)
    for edge in shown.edges:
        axes.axvline(edge, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_xlim(0, 1)


def _draw_patch(drawing: Chart, shown: BandImage) -> None:
    """Draw the source's figure: the log-magnitudes of one patch, row after row, with the threshold."""
    height, width = shown.patch_level.shape
    title = f"central {width} x {height}, bins row by row"
    axes = _chart(drawing, 2, title, f"bin; the mean is {height // 2 * width + width // 2}")
    level, threshold = shown.patch_level.ravel(), shown.patch_threshold.ravel()
    number = np.arange(len(level))
    above = level > threshold
    above[height // 2 * width + width // 2] = False
    axes.vlines(number[~above], 0, level[~above], color=MUTED, linewidth=0.4, alpha=0.7)
    axes.vlines(number[above], 0, level[above], color=WORSE, linewidth=0.9)
    axes.plot(number, threshold, color=AFTER, linewidth=0.7)
    axes.set_xlim(0, max(len(level) - 1, 1))
    axes.set_ylim(bottom=0)


def _chart(drawing: Chart, column: int, title: str, below: str) -> Axes:
    left, top = SCREEN.edge + column * (_TILE + _GAP) + 0.3, drawing.top + 0.22 + 2 * _ROW
    axes = drawing.axes_at(left, top, 2 * _TILE + _GAP - 0.4, _TILE)
    axes.set_title(title, size=9.5, color=INK, loc="left", pad=4)
    axes.set_xlabel(below, size=8.5)
    axes.tick_params(labelsize=8.5, labelcolor=MUTED)
    axes.grid(visible=True, axis="y")
    return axes


def _show(axes: Axes, pixels: Plane) -> None:
    whole = np.broadcast_to(np.clip(np.nan_to_num(pixels), 0, 1), (3, *pixels.shape[1:]))
    axes.imshow(whole.transpose(1, 2, 0), interpolation="nearest" if whole.shape[-1] < 128 else "antialiased")


def _show_plane(axes: Axes, plane: Plane, low: float, high: float) -> None:
    axes.imshow(plane, vmin=low, vmax=max(high, low + 1e-6), cmap="magma")


def _limits(pixels: Plane) -> tuple[float, float]:
    """Return what is shown as black and white: 0 and 1, or the range of something that is no image."""
    low, high = float(pixels.min()), float(pixels.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, max(high, low + 1e-6))


def _rgb(color: str) -> tuple[float, ...]:
    return tuple(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
