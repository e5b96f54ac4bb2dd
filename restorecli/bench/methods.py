"""`bench methods`: what every method without weights reaches and costs, next to the trained networks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from restorecli.core.restorer import Restorer
from restorecli.core.zoo import load
from restorecli.degrade.chain import Chain, degrade_array
from restorecli.degrade.masks import damage_mask
from restorecli.degrade.operators import noise_of, operator_of
from restorecli.errors import DataError, ImageError, UsageError
from restorecli.evaluate.metrics import psnr
from restorecli.images.folders import walk
from restorecli.images.picture import Picture, Pixels
from restorecli.images.reading import read_picture
from restorecli.images.samples import read_sample
from restorecli.restore.adapter import MethodRestorer
from restorecli.restore.classical.superresolution import Enlarging
from restorecli.restore.context import Context
from restorecli.restore.method import Method
from restorecli.restore.methods import METHODS, create_method, find_method
from restorecli.restore.picture import PictureRestorer

SIDE = 256
"""Pixels of a side of the central crop that is restored; a multiple of every factor."""

PUBLISHED = "BM3D in published tables, gray BSD68, sigma 15 / 25 / 50: 31.07 / 28.57 / 25.62 dB"

INPUT = "as degraded"

SLOW = frozenset({"dip", "hopfield", "inpaint-exemplar"})
"""Methods that take minutes for a picture, measured only where they are named."""

_SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")
_MOST = 4
_ALSO_DENOISE = frozenset(
    {"median", "j-invariant", "hopfield", "dip"}
)  # beside those that ask for sigma alone


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of damage.

    Attributes:
        name: Its name in the table.
        specs: The degradations.
        networks: Shipped weights that were trained for it, or for more.
    """

    name: str
    specs: tuple[Mapping[str, object], ...]
    networks: tuple[str, ...] = ()


TASKS = (
    Task(
        "noise, sigma 25", ({"name": "gaussian", "sigma": 25},), ("sca-unet.gaussian", "sca-unet.noise-blur")
    ),
    Task(
        "Gaussian blur 1.6 px, noise 2",
        ({"name": "gaussian-blur", "sigma": 1.6}, {"name": "gaussian", "sigma": 2}),
        ("sca-unet.noise-blur",),
    ),
    Task("reduced x2", ({"name": "downscale", "factor": 2},)),
    Task("reduced x4", ({"name": "downscale", "factor": 4},)),
    Task("half of the pixels lost", ({"name": "holes", "kind": "bernoulli", "share": 0.5},)),
    Task("strokes lost", ({"name": "holes", "kind": "strokes", "share": 0.2},)),
)
"""Nothing is clipped or rounded between degrading and restoring, as the field's tables have it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one task.

    Attributes:
        task: The task's name.
        method: The method's name, the weights', or `INPUT` for the degraded pictures themselves.
        trained: Whether it is a network.
        psnr: Mean over pictures in dB (RGB, 8 bits, whole picture); None where it could not restore them.
        seconds: For each megapixel of the result, by the clock; None as `psnr`.
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


@dataclass(frozen=True, slots=True)
class _Example:
    """A degraded picture, what is known about it, and its reference."""

    degraded: Pixels
    context: Context
    reference: Pixels


def bench_methods(
    data: Path | None = None,
    *,
    names: Sequence[str] = (),
    side: int = SIDE,
    tell: Callable[[Row], None] | None = None,
) -> list[Row]:
    """Restore the same degraded pictures with every method and network that fits.

    Args:
        data: A folder, of which the first four RGB pictures are taken; None takes four built-in photographs.
        names: Methods to measure, slow ones included; none for all but the slow ones and the networks too.
        side: Of the central crop, a multiple of 4; pictures that are smaller are not taken.
        tell: Called with every row as soon as it is known.

    Returns:
        Rows by task, the degraded pictures first, then by PSNR, best first.

    Raises:
        UsageError: An unknown method, or a side that is no multiple of 4.
        DataError: The folder holds no RGB picture of that size.
    """
    chosen = [find_method(name).name for name in names] or [name for name in METHODS if name not in SLOW]
    if side < 4 or side % 4:
        raise UsageError("The crop's side does not fit.", expected="a multiple of 4", came=str(side))
    references = list(itertools.islice(_crops(data, side), _MOST))
    if not references:
        raise DataError(
            "there is nothing to measure on",
            expected=f"RGB pictures of at least {side}x{side}",
            came="none",
            file=data,
        )
    rows: list[Row] = []
    for task in TASKS:
        found = []
        for row in _rows(task, references, chosen, networks=not names):
            found.append(row)
            if tell is not None:
                tell(row)
        rows += sorted(
            found, key=lambda row: (row.method != INPUT, -np.inf if row.psnr is None else -row.psnr)
        )
    return rows


def _crops(data: Path | None, side: int) -> Iterator[Pixels]:
    """Yield the middles of RGB pictures that are large enough."""
    pictures = (
        map(read_sample, _SAMPLES) if data is None else (read_picture(file.path) for file in walk(data))
    )
    for picture in pictures:
        if picture.channels == 3 and min(picture.size) >= side:
            top, left = ((length - side) // 2 for length in picture.size)
            yield np.ascontiguousarray(picture.pixels[:, top : top + side, left : left + side])


def _rows(task: Task, references: Sequence[Pixels], names: Sequence[str], *, networks: bool) -> Iterator[Row]:
    examples = [_degrade(task, reference, str(number)) for number, reference in enumerate(references)]
    if examples[0].degraded.shape == examples[0].reference.shape:
        scores = [psnr(np.clip(example.degraded, 0, 1), example.reference) for example in examples]
        yield Row(task.name, INPUT, False, float(np.mean(scores)), 0.0)
    for name in names:
        method = create_method(name)
        if fits(method, examples[0].context):
            bound = [MethodRestorer(method, example.context) for example in examples]
            yield _measured(task, name, bound, examples)
    for name in task.networks if networks else ():
        yield _measured(task, name, [load(name)] * len(examples), examples)


def _degrade(task: Task, reference: Pixels, key: str) -> _Example:
    degraded, steps = degrade_array(reference, Chain.from_specs(list(task.specs)), 0, key)
    records = [step.record() for step in steps]
    mask = damage_mask((reference.shape[1], reference.shape[2]), steps, 0, key)
    return _Example(degraded, Context(noise_of(records), operator_of(records), mask), reference)


def fits(method: Method, context: Context) -> bool:
    """Tell whether a method is meant for what is known about a picture.

    Lost pixels need one that uses a mask, a blur or reduction one that uses an operator, and grows the
    picture by its factor; noise alone one that asks for its level and nothing else, or a few that do not ask.
    """
    if context.mask is not None:
        return bool(method.needs & {"mask", "mask?"})
    if context.operator is not None:
        enlarges = context.operator.factor > 1
        if isinstance(method, Enlarging) != enlarges and "mask?" not in method.needs:
            return False
        same_size = method.scale_for(context) == context.operator.factor
        return same_size and bool(method.needs & {"operator", "operator?"})
    return method.needs == {"sigma?"} or method.name in _ALSO_DENOISE


def _measured(task: Task, name: str, restorers: Sequence[Restorer], examples: Sequence[_Example]) -> Row:
    trained = name not in METHODS
    scores, began, pixels = [], time.perf_counter(), 0
    for restorer, example in zip(restorers, examples, strict=True):
        try:
            restored, _ = PictureRestorer(restorer, tile="none")(Picture(example.degraded))
        except (ImageError, UsageError) as error:
            return Row(task.name, name, trained, None, None, error.problem)
        scores.append((restored.pixels, example.reference))
        pixels += restored.pixels[0].size
    seconds = (time.perf_counter() - began) / pixels * 1e6
    return Row(task.name, name, trained, float(np.mean([psnr(*pair) for pair in scores])), seconds)
