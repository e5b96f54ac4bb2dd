"""An image that memory cannot hold, from file to file: rows are read, degraded and written in turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from restorecli.degradation.base import Degradation
from restorecli.degradation.chain import image_rng
from restorecli.degradation.outside import MOVED
from restorecli.degradation.row_steps import Rows, check_by_rows, degraded_rows
from restorecli.degradation.task import DegradeTask
from restorecli.degradation.values import check_light, clipped_note
from restorecli.folders.samples import Sample
from restorecli.images.forward import Forward
from restorecli.images.image import FileTraits, Pixels
from restorecli.images.reading import probe
from restorecli.images.rows import RowReader, blocks, goes_by_rows, open_rows, write_rows


@dataclass(frozen=True, slots=True)
class RowsDegraded:
    """An image on the disk: what a reader should know of it, its size before, and the pixels it has now."""

    notes: tuple[str, ...]
    source_size: tuple[int, int]
    area: int


def is_too_large(task: DegradeTask) -> bool:
    """Tell whether memory cannot hold a task's image, but it can be read by rows.

    Raises:
        ImageError: Its header cannot be read.
    """
    return not isinstance(task.source, Sample) and goes_by_rows(probe(task.source))


def degrade_by_rows(task: DegradeTask, path: Path) -> RowsDegraded:
    """Write the degraded image of a task, in the memory of some bands of rows.

    Every pixel is that of the image degraded as a whole, with the same random numbers.

    Args:
        task: What to do; its source is of a format that is read by rows, see `images.rows`.
        path: The TIFF or PNG to write; its folder must exist.

    Raises:
        ImageError: A step needs the whole image, the source cannot be read by rows, or the target is neither.
        ResourceError: The disk became full or failed.
    """
    check_by_rows(task.steps)
    assert isinstance(task.source, Path)  # noqa: S101 - see `is_too_large`
    with open_rows(task.source, task.reading) as reader:
        source = _Source(reader, task.source)
        traits, changed = _chain(source.rows, reader.traits, task)
        losses = write_rows(path, changed.bands(), changed.size, changed.channels, traits)
        floating = reader.traits.scale is None and reader.traits.dtype.kind == "f" and not task.unclipped
        notes = clipped_note(source.low, source.high) if floating else ()
        height, width = changed.size
        return RowsDegraded((*reader.traits.notes, *notes, *losses), reader.size, height * width)


class _Source:
    """The image as it is in the file.

    Attributes:
        rows: Its rows.
        low: The least value that was read.
        high: The greatest.
    """

    def __init__(self, reader: RowReader, file: Path) -> None:
        self._reader = reader
        self._file = file
        self.low, self.high = np.inf, -np.inf
        self.rows = Rows(reader.size, reader.channels, self._bands)

    def _bands(self) -> Iterator[Pixels]:
        for start, stop in blocks(*self._reader.size):
            band = self._reader.read(start, stop)
            check_light(band, self._file)
            self.low, self.high = min(self.low, float(band.min())), max(self.high, float(band.max()))
            yield band


def _chain(rows: Rows, traits: FileTraits, task: DegradeTask) -> tuple[FileTraits, Rows]:
    """Return the traits to write and the degraded image; see `writing.write_degraded`."""
    steps = task.steps
    rng = partial(_rng, task)
    if task.unclipped:
        return replace(traits, depth=32, kind=None), degraded_rows(rows, steps, partial(rng, "step"))
    if traits.scale is not None:
        return traits, _beyond(rows, steps, task)
    changed = degraded_rows(rows, steps, partial(rng, "step"))
    return traits, changed.mapped(_clipped) if traits.dtype.kind == "f" else changed


def _beyond(rows: Rows, steps: tuple[Degradation, ...], task: DegradeTask) -> Rows:
    """Return a degraded image whose values outside [0, 1] come through; see `outside.replay_steps_beyond`."""
    inside = degraded_rows(rows.mapped(_clipped), steps, partial(_rng, task, "step"))
    outside = rows.mapped(lambda band: band - _clipped(band))
    for number, step in enumerate(steps):
        if isinstance(step, MOVED):
            generator = _rng(task, "outside", number)
            outside = degraded_rows(outside, [step], partial(_same, generator))

    def bands() -> Iterator[Pixels]:
        others, start = Forward(outside.bands()), 0
        for band in inside.bands():
            stop = start + band.shape[1]
            yield _clipped(band) + others.read(start, stop)
            start = stop

    return Rows(inside.size, inside.channels, bands)


def _rng(task: DegradeTask, purpose: str, number: int) -> np.random.Generator:
    return image_rng(task.seed, task.key, purpose, number)


def _same(generator: np.random.Generator, number: int) -> np.random.Generator:
    del number
    return generator


def _clipped(pixels: Pixels) -> Pixels:
    return np.clip(pixels, np.float32(0), np.float32(1))
