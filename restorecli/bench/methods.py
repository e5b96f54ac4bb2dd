"""`bench methods`: what every method without weights reaches and costs, next to the trained networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from restorecli.bench.tasks import TASKS, Example, Task, degraded_example
from restorecli.core.zoo import load
from restorecli.errors import DataError, ImageError, UsageError
from restorecli.evaluation.metrics.psnr_ssim import psnr
from restorecli.folders.samples import read_sample
from restorecli.folders.walking import walk
from restorecli.images.image import ImageData, Pixels
from restorecli.images.reading import probe, read_image
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.methods.catalog import METHODS, create_method
from restorecli.restoration.restorer import Restorer
from restorecli.tune.crops import evenly, middle

SIDE = 256
"""Pixels of a side of the central crop that is restored; a multiple of every factor."""

IMAGES = 4
"""How many images are restored, unless more or fewer are asked for."""

PUBLISHED = "BM3D in published tables, gray BSD68, sigma 15 / 25 / 50: 31.07 / 28.57 / 25.62 dB"

INPUT = "as degraded"

SLOW = frozenset({"dip", "hopfield", "inpaint-exemplar"})
"""Methods that take minutes for an image, measured only where they are named."""

_SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one task.

    Attributes:
        task: The task's name.
        method: The method's name, the weights', or `INPUT` for the degraded images themselves.
        trained: Whether it is a network.
        psnr: Mean over images in dB (RGB, 8 bits, whole image); None where it could not restore them.
        seconds: For each megapixel of the result, by the clock, the median over images, so that what is
            compiled or imported with the first does not count; None as `psnr`.
        note: Why there is no value.
    """

    task: str
    method: str
    trained: bool
    psnr: float | None
    seconds: float | None
    note: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the row as JSON values."""
        return asdict(self)


def bench_methods(
    data: Path | None = None,
    *,
    names: Sequence[str] = (),
    side: int = SIDE,
    images: int = IMAGES,
    on_row: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Restore the same degraded images with every method and network that is meant for their damage.

    Args:
        data: A folder; None takes four built-in photographs.
        names: Methods to measure, slow ones included; none for all but the slow ones and the networks too.
        side: Of the central crop, a multiple of 4; images that are smaller are not taken.
        images: How many, taken evenly over the folder's RGB images of that size, sorted by path.
        on_row: Called with every row as soon as it is known.

    Returns:
        Rows by task, the degraded images first, then by PSNR, best first; no rows of a task for which none
        of the methods is meant.

    Raises:
        UsageError: An unknown method, a side that is no multiple of 4, or no image is asked for.
        DataError: The folder holds no RGB image of that size.
    """
    chosen = [METHODS.find(name).name for name in names] or [name for name in METHODS if name not in SLOW]
    if side < 4 or side % 4:
        raise UsageError("The crop's side does not fit.", expected="a multiple of 4", got=str(side))
    if images < 1:
        raise UsageError("There must be an image.", expected="1 or more", got=str(images))
    references = _references(data, side, images)
    rows: list[Row] = []
    for task in TASKS:
        if not set(chosen) & set(task.methods):
            continue
        found = []
        for row in _rows(task, references, chosen, networks=not names):
            found.append(row)
            if on_row is not None:
                on_row(row)
        rows += sorted(
            found, key=lambda row: (row.method != INPUT, np.inf if row.psnr is None else -row.psnr)
        )
    return rows


def _references(data: Path | None, side: int, count: int) -> list[Pixels]:
    """Return the middles of RGB images that are large enough.

    Raises:
        DataError: There is none.
    """
    if data is None:
        images = [read_sample(name) for name in _SAMPLES]
        chosen = evenly([image for image in images if min(image.size) >= side], count)
    else:
        files = [file.path for file in walk(data)]
        chosen = [read_image(path) for path in evenly([p for p in files if _is_large(p, side)], count)]
    if not chosen:
        raise DataError(
            "There is nothing to measure on.",
            expected=f"RGB images of at least {side}x{side}",
            got="none",
            file=data,
        )
    return [middle(image.pixels, side, side) for image in chosen]


def _is_large(path: Path, side: int) -> bool:
    header = probe(path)
    return header.channels == 3 and min(header.size) >= side


def _rows(task: Task, references: Sequence[Pixels], names: Sequence[str], *, networks: bool) -> Iterator[Row]:
    examples = [degraded_example(task, reference, str(number)) for number, reference in enumerate(references)]
    if examples[0].degraded.shape == examples[0].reference.shape:
        scores = [psnr(np.clip(example.degraded, 0, 1), example.reference) for example in examples]
        yield Row(task.name, INPUT, False, float(np.mean(scores)), 0.0)
    for name in names:
        if name in task.methods:
            bound = [MethodRestorer(create_method(name), example.context) for example in examples]
            yield _measured(task, name, bound, examples)
    for name in task.networks if networks else ():
        yield _measured(task, name, [load(name)] * len(examples), examples)


def _measured(task: Task, name: str, restorers: Sequence[Restorer], examples: Sequence[Example]) -> Row:
    trained = name not in METHODS
    scores, seconds = [], []
    for restorer, example in zip(restorers, examples, strict=True):
        began = time.perf_counter()
        try:
            restored, _ = ImageRestorer(restorer, tile="none")(ImageData(example.degraded))
        except (ImageError, UsageError) as error:
            return Row(task.name, name, trained, None, None, error.problem)
        seconds.append((time.perf_counter() - began) / restored.pixels[0].size * 1e6)
        scores.append(psnr(restored.pixels, example.reference))
    return Row(task.name, name, trained, float(np.mean(scores)), float(np.median(seconds)))
