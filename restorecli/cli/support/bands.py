"""What `bands` does: look at the central part of an image through every selecting layer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from restorecli.cli import render
from restorecli.core.inspection import BandStatistics, BandView, central, inspect
from restorecli.core.models.blocks.frequency import SelectiveFrequency
from restorecli.core.zoo import load
from restorecli.errors import UsageError
from restorecli.folders.places import refuse_file_name
from restorecli.folders.protect import keep_inputs
from restorecli.folders.walking import mark_output
from restorecli.images.reading import read_image
from restorecli.report.bands import BandImage, write_band_chart
from restorecli.result import CommandResult

_FULL = 255  # the scale of the source's figure: magnitudes far below 1 have no logarithm to speak of
_HEAD = ("band", "mean", "sigma", "lambda", "limit", "weight", "bins", "energy")


def show(
    image: Path, model: str | None, output: Path, *, side: int, tolerance: float | None, as_json: bool
) -> None:
    """Write a chart for each selecting layer, and print a table of their bands; see the command."""
    refuse_file_name(output, [".png"])
    pixels = central(torch.from_numpy(read_image(image).pixels), side)
    network = _network(model, pixels.shape[0], tolerance)
    views = inspect(network, pixels if model is not None else _FULL * pixels)
    namesakes = [path for path in image.parent.iterdir() if path.stem == image.stem]
    keep_inputs([_chart(view, image, output) for view in views], namesakes)
    mark_output(output, output)
    written = [_draw(view, image, model, output) for view in views]
    if as_json:
        layers = [
            {"layer": view.name, "file": str(path), "bands": [asdict(band) for band in view.statistics]}
            for view, path in zip(views, written, strict=True)
        ]
        found = {"picture": str(image), "model": model, "layers": layers}
        render.as_json(CommandResult("bands", found))
        return
    rows = [(view.name or "image", *_line(band)) for view in views for band in view.statistics]
    render.table(("layer", *_HEAD), rows)
    render.say(*(f"wrote {path}" for path in written))


def _network(model: str | None, channels: int, tolerance: float | None) -> nn.Module:
    if model is None:
        return SelectiveFrequency(channels, threshold=2.0 if tolerance is None else tolerance)
    if tolerance is not None:
        raise UsageError("--lambda is for the untrained layer.", expected="--model or --lambda", got="both")
    network: nn.Module = load(model, device="cpu").module
    return network


def _chart(view: BandView, image: Path, output: Path) -> Path:
    return output / f"{image.stem}{f'.{view.name}' if view.name else ''}.png"


def _draw(view: BandView, image: Path, model: str | None, output: Path) -> Path:
    channels, height, width = view.before.shape
    busiest = view.busiest
    is_image = model is None
    seen = slice(None) if is_image else slice(busiest, busiest + 1)
    full = np.float32(_FULL if is_image else 1)
    shown = BandImage(
        before=view.before[seen] / full,
        after=view.after[seen] / full,
        edges=view.edges,
        bands=view.bands,
        level=view.level[busiest],
        threshold=view.threshold[busiest],
        gate=view.gate[busiest],
        patch_level=view.patch_level[busiest],
        patch_threshold=view.patch_threshold[busiest],
        rows=[("band", "lambda", "bins", "energy"), *(_short_line(band) for band in view.statistics)],
    )
    own = "an untrained layer on the image itself, on the 0-255 scale"
    about = (
        f"{image.name}: {own if is_image else f'layer {view.name} of {model}'}; {width} x {height}, "
        f"mirrored at its border. Planes and charts are of channel {busiest + 1} of {channels}, of which the "
        "largest share is suppressed; the table is the mean of all, in shares of bins and of energy."
    )
    path = _chart(view, image, output)
    where = "" if is_image else f", {view.name.removesuffix('.selection')}"
    write_band_chart(shown, path, title=f"Frequency selection: {image.name}{where}", about=about)
    return path


def _line(band: BandStatistics) -> tuple[str, ...]:
    numbers = (band.mean, band.deviation, band.strictness, band.threshold, band.weight)
    shares = (f"{100 * share:.1f} %" for share in (band.suppressed, band.removed))
    return (f"{band.low:g}-{band.high:g}", *(f"{number:.3f}" for number in numbers), *shares)


def _short_line(band: BandStatistics) -> tuple[str, ...]:
    edges, _, _, strictness, _, _, bins, energy = _line(band)
    return edges, f"{float(strictness):.2f}", bins, energy
