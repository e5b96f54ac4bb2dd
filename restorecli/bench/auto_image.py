"""The confusion table of `bench auto` as an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from restorecli.bench.auto import Cell
from restorecli.diagnosis.deciding.decide import NONE
from restorecli.errors import UsageError

_FORMATS = (".png", ".svg", ".pdf")


def draw_confusion(cells: Sequence[Cell], file: Path) -> None:
    """Draw how often each damage (rows) was taken for which (columns), in percent.

    Args:
        cells: Of `bench_auto`.
        file: PNG, SVG or PDF by its suffix.

    Raises:
        UsageError: Another suffix.
    """
    if file.suffix.lower() not in _FORMATS:
        raise UsageError("Unknown format of an image.", expected=", ".join(_FORMATS), got=file.suffix)
    columns = [NONE, *sorted({name for cell in cells for name in cell.named} - {NONE})]
    rows = [f"{cell.damage} {cell.severity or ''}".strip() for cell in cells]
    shares = np.array([[100 * cell.named.get(name, 0) / cell.images for name in columns] for cell in cells])
    figure = Figure(figsize=(2.5 + 0.42 * len(columns), 1.8 + 0.24 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=130, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel("named")
    axes.set_ylabel("damage and severity")
    axes.set_title("Which damage was named, in percent of the images")
    for row, column in np.argwhere(shares > 0):
        axes.text(column, row, f"{shares[row, column]:.0f}", ha="center", va="center", fontsize=7)
    figure.savefig(file, dpi=150)
