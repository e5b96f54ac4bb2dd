"""The chart of learning curves: how validation scores grew, run beside run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from restorecli.errors import UsageError
from restorecli.folders.walking import mark_output
from restorecli.report.chart_style import (
    MUTED,
    PALETTE,
    SCREEN,
    Chart,
    Look,
    blank_chart,
    chart_style,
    shortened,
    write_figure,
)

Curve = Sequence[tuple[int, float]]
"""Steps, each with a score."""

_TITLES: Final = {"psnr": "PSNR (dB)", "ssim": "SSIM"}
_HEIGHT = 2.6  # inches of the drawing, with its labels


def write_curves(
    runs: Mapping[str, Mapping[str, Curve]], folder: Path, formats: Sequence[str], *, look: Look = SCREEN
) -> tuple[Path, ...]:
    """Draw the curves of runs, and write `psnr-curves` and `ssim-curves`.

    Args:
        runs: The curves of each run, by the run's name and the score's; at most as many as there are colors.
        folder: Where to; made when missing, and marked so that nothing is trained on the charts.
        formats: "png", "svg" or "pdf".
        look: Where the charts are to stand.

    Returns:
        The files.

    Raises:
        UsageError: There are more runs than colors.
        ResourceError: The disk is full.
    """
    if len(runs) > len(PALETTE):
        raise UsageError(
            "So many runs cannot be told apart.", expected=f"at most {len(PALETTE)}", got=str(len(runs))
        )
    mark_output(folder, folder)
    paths: list[Path] = []
    with chart_style(look):
        for score in _TITLES:
            drawn = {name: curves[score] for name, curves in runs.items()}
            before = {curve[0][1] for curves in runs.values() if (curve := curves[f"degraded_{score}"])}
            chart = curve_chart(drawn, score, look, before=before.pop() if len(before) == 1 else None)
            paths += write_figure(chart.figure, folder / f"{score}-curves", formats)
    return tuple(paths)


def curve_chart(
    curves: Mapping[str, Curve], score: str, look: Look = SCREEN, *, before: float | None = None
) -> Chart:
    """Draw one line for each run.

    Args:
        curves: By the name of the run.
        score: "psnr" or "ssim".
        look: Where the chart is to stand.
        before: The score of the degraded images, where all runs share it: a dashed line.
    """
    title = _TITLES[score]
    drawing = blank_chart(
        f"{title} of validation by step",
        "How well each run restores the images that it is not trained on."
        + ("" if before is None else " Dashed: as degraded."),
        "Mean over the validation images of each run; runs that validate on other images cannot be compared.",
        look.inches(_HEIGHT),
        look,
    )
    left, below = look.inches(0.6), look.inches(0.45)
    width = look.width - 2 * look.edge - left
    axes = drawing.axes_at(look.edge + left, drawing.top, width, look.inches(_HEIGHT) - below)
    colors = dict(zip(curves, PALETTE, strict=False))
    for name, curve in curves.items():
        steps, values = zip(*curve, strict=True) if curve else ((), ())
        axes.plot(steps, values, color=colors[name], linewidth=1.6, marker="o", markersize=look.points(0.3))
    if before is not None:
        axes.axhline(before, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlabel("step", size=look.points(0.9))
    axes.set_ylabel(title, size=look.points(0.9))
    axes.grid(visible=True)
    letters = 2 * look.letters // max(2, len(colors))  # so that all names fit into one row
    drawing.key([(shortened(name, letters), color) for name, color in colors.items()])
    return drawing
