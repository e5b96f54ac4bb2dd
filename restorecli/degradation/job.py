"""What `degrade` and its replay do to one image, and when it counts as done."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, Value
from restorecli.degradation.chain import image_rng, replay_steps
from restorecli.degradation.masks import damage_mask
from restorecli.degradation.outside import replay_steps_beyond
from restorecli.errors import ImageError, RestorecliError, UsageError
from restorecli.folders.digest import digest_of
from restorecli.folders.jobs import run_ordered, worker_count
from restorecli.folders.locators import make_locator
from restorecli.folders.places import make_folder
from restorecli.folders.record import Command, Record
from restorecli.folders.run import Append, Done
from restorecli.folders.samples import Sample, read_sample
from restorecli.folders.walking import mark_output
from restorecli.images.image import FileTraits, ImageData, Pixels, to_levels
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.planes import Chosen
from restorecli.images.reading import read_image
from restorecli.images.stacks import open_stack, write_stack
from restorecli.images.writing import write_image
from restorecli.version import __version__

MASKS = "masks"
"""The folder of the masks below an output folder; it is marked, so that nobody takes them for images."""

MAX_ABS_VALUE = 1e3
"""The largest value of an image that is degraded, a thousand times white; powers overflow beyond."""

Place = Path | Sample
"""Where an image comes from: a file, or a built-in sample."""


@dataclass(frozen=True)
class DegradeTask:
    """Everything that decides one degraded image, before anything is read.

    Attributes:
        target: Path of the image to write, below the output folder.
        source: The image to degrade.
        reference: The clean original: the source, or what the source's own manifest names.
        category: Its category.
        defect: Its kind of defect, if any.
        seed: The run's seed.
        key: What its generators are derived from, beside the seed.
        steps: The degradations with their values drawn.
        earlier: What the source's own manifest says was done to it before.
        expected_digest: Of the source; a replay fails where it is another. None takes any.
        unclipped: Keep values outside [0, 1] in 32-bit floating point.
        reading: How to read the source.
        reference_reading: How to read the reference for a comparison.
    """

    target: PurePosixPath
    source: Place
    reference: Place | None
    category: str
    defect: str | None
    seed: int
    key: str
    steps: tuple[Degradation, ...]
    unclipped: bool
    reading: ReadOptions = STRICT
    reference_reading: ReadOptions = STRICT
    earlier: tuple[Mapping[str, Any], ...] = ()
    expected_digest: str | None = None

    @property
    def name(self) -> str:
        """The task as it is printed."""
        return self.key

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files that must never be written over."""
        return tuple(place for place in (self.source, self.reference) if isinstance(place, Path))

    @property
    def mask_target(self) -> PurePosixPath | None:
        """Path of the mask to write, below the output folder; None where no step has a place."""
        if not any(step.masked for step in self.steps):
            return None
        name = self.target.name
        return PurePosixPath(MASKS) / self.target.with_name(name if name.endswith(".png") else f"{name}.png")

    def record(self, folder: Path, digest: str | None, notes: tuple[str, ...] = ()) -> Record:
        """Return the manifest's line for this task in `folder`."""
        return Record(
            path=self.target.as_posix(),
            command="degrade",
            category=self.category,
            reference=None if self.reference is None else make_locator(self.reference, folder),
            source=make_locator(self.source, folder),
            version=__version__,
            defect=self.defect,
            seed=self.seed,
            key=self.key,
            source_digest=digest,
            earlier=self.earlier,
            degradations=tuple(self._step_record(step) for step in self.steps),
            unclipped=self.unclipped,
            notes=notes,
            reading=self.reading,
            reference_reading=self.reference_reading,
        )

    def _step_record(self, step: Degradation) -> dict[str, Value]:
        """Return what the manifest tells of a step: one that has a place also names the image's mask."""
        return {**step.record(), "mask": str(self.mask_target)} if step.masked else step.record()


@dataclass(frozen=True, slots=True)
class DegradeRoom:
    """What `degrade` adds to a run over a folder; see `folders.run.Room`.

    Attributes:
        output: The folder to write into.
        workers: Threads; None takes one for each core. Any number gives the same bytes, manifest included.
    """

    output: Path
    workers: int | None = None
    command: Command = "degrade"

    def is_finished(self, item: DegradeTask, record: Record) -> bool:
        """Tell whether a manifest's line says what gives the task's bytes, and the files are there."""
        written = [self.output / target for target in (item.target, item.mask_target) if target is not None]
        return all(path.is_file() for path in written) and _made_alike(item, self.output, record)

    def check_replaced(self, items: Sequence[DegradeTask], records: Mapping[str, Record]) -> None:
        """Let every earlier result be replaced: the same words make it again."""

    def results(
        self, items: Iterable[DegradeTask], append: Append
    ) -> Generator[tuple[DegradeTask, Done | RestorecliError], None, None]:
        """Degrade images in threads; the manifest follows their order."""
        count = worker_count(self.workers)
        work = partial(_degrade_one, output=self.output)
        # No look-ahead beyond the workers: after a sudden end at most one image of each is done again.
        for item, result in run_ordered(work, items, count, window=count):
            if isinstance(result, RestorecliError):
                yield item, result
            else:
                append(result.record)
                yield item, Done(result.megapixels, result.record.notes)


@dataclass(frozen=True, slots=True)
class _Written:
    record: Record
    megapixels: float


@dataclass(frozen=True, slots=True)
class Degraded:
    """What was read and written for a degraded image or stack.

    Attributes:
        notes: What a reader should know.
        digest: Of the source; None for a built-in sample.
        source_size: Height and width of the source.
        area: Pixels that were written.
    """

    notes: tuple[str, ...]
    digest: str | None
    source_size: tuple[int, int]
    area: int


def write_degraded(task: DegradeTask, path: Path) -> Degraded:
    """Write the degraded image of a task, or the stack with every plane degraded.

    Args:
        task: What to do.
        path: The file to write; its folder must exist.

    Raises:
        ImageError: The source cannot be read or degraded, or is not the one that a replay expects.
    """
    digest = _digest(task)
    stack = None if isinstance(task.source, Sample) else open_stack(task.source, task.reading)
    if stack is None:
        image = _read(task)
        done, notes = _degraded(image, task, task.key)
        losses = write_image(path, done)
        return Degraded((*notes, *losses), digest, image.size, done.size[0] * done.size[1])
    with stack:
        planes = _Planes(stack, task)
        losses = write_stack(path, planes, stack.layout)
    return Degraded((*planes.notes, *losses), digest, planes.source_size, planes.area)


class _Planes:
    """The planes of a stack, degraded one after another: the same steps, but each with noise of its own.

    Where the steps have a place, as scratches have, it is the same in all, since one mask tells of it.

    Attributes:
        notes: What a reader should know of those that were done.
        source_size: Height and width of the last one, as it was.
        area: Pixels of all, as they became.
    """

    def __init__(self, stack: Chosen, task: DegradeTask) -> None:
        self._stack = stack
        self._task = task
        self._notes: dict[str, None] = {}
        self.source_size = (0, 0)
        self.area = 0

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def __iter__(self) -> Iterator[ImageData]:
        task = self._task
        for number, image in enumerate(self._stack):
            _check_light(image, task)
            key = task.key if any(step.masked for step in task.steps) else f"{task.key}#{number}"
            done, notes = _degraded(image, task, key)
            self._notes |= dict.fromkeys(notes)
            self.source_size = image.size
            self.area += done.size[0] * done.size[1]
            yield done


def _degraded(image: ImageData, task: DegradeTask, key: str) -> tuple[ImageData, tuple[str, ...]]:
    """Return a degraded image, and what a reader should know."""
    notes, steps, seed = image.traits.notes, task.steps, task.seed
    traits = replace(image.traits, alpha=reduced_alpha(image.traits.alpha, steps, seed, key))
    if traits.scale is not None and not task.unclipped:
        pixels = replay_steps_beyond(image.pixels, steps, seed, key)
    else:
        pixels = replay_steps(image.pixels, steps, seed, key)
    if task.unclipped:
        traits = replace(traits, depth=32, kind=None)
    elif traits.scale is None and traits.dtype.kind == "f":
        notes = (*notes, *_outside(image.pixels))
        pixels = np.clip(pixels, 0, 1)
    return ImageData(pixels, traits), notes


def _degrade_one(task: DegradeTask, output: Path) -> _Written:
    path = output / task.target
    make_folder(path.parent, output)
    done = write_degraded(task, path)
    _write_mask(done.source_size, task, output)
    return _Written(task.record(output, done.digest, done.notes), done.area / 1e6)


def _digest(task: DegradeTask) -> str | None:
    """Return the digest of a task's file, or None for a built-in sample."""
    if isinstance(task.source, Sample):
        return None
    digest = digest_of(task.source)
    if task.expected_digest not in (None, digest):
        raise ImageError(
            "The source is not the image that the manifest tells of: it has changed since.",
            file=task.source,
            hint="degrade it anew instead of replaying",
        )
    return digest


def _read(task: DegradeTask) -> ImageData:
    """Return a task's image."""
    if isinstance(task.source, Sample):
        return read_sample(task.source.locator)
    image = read_image(task.source, task.reading)
    _check_light(image, task)
    return image


def _check_light(image: ImageData, task: DegradeTask) -> None:
    """Refuse values beyond any light.

    Raises:
        ImageError: There are some.
    """
    largest = float(np.abs(image.pixels).max())
    if not largest <= MAX_ABS_VALUE:
        raise ImageError(
            "Pixel values are out of range.",
            expected=f"finite numbers, nominally 0 to 1, at most {MAX_ABS_VALUE:g}",
            got="values that are not finite" if not math.isfinite(largest) else f"{largest:g}",
            file=None if isinstance(task.source, Sample) else task.source,
            hint="replace what marks missing pixels, and scale the others to 0..1",
        )


def _outside(pixels: Pixels) -> tuple[str, ...]:
    """Return a note where a floating-point source leaves [0, 1], which clipped output cannot hold."""
    low, high = float(pixels.min()), float(pixels.max())
    if low >= 0 and high <= 1:
        return ()
    return ("values of the source outside 0 to 1 were clipped; --unclipped keeps them",)


def _write_mask(shape: tuple[int, int], task: DegradeTask, output: Path) -> None:
    """Write where the image was damaged, white on black, where a step has a place."""
    mask = damage_mask(shape, task.steps, task.seed, task.key)
    if mask is None or task.mask_target is None:
        return
    path = output / task.mask_target
    mark_output(output / MASKS, output)
    make_folder(path.parent, output)
    write_image(path, ImageData(mask[None].astype(np.float32), FileTraits()))


def reduced_alpha(
    alpha: NDArray[np.generic] | None, steps: Sequence[Degradation], seed: int, key: str
) -> NDArray[np.generic] | None:
    """Return alpha as it was, or reduced like the image where a step changes the size."""
    if alpha is None or all(step.scale == 1 for step in steps):
        return alpha
    kind = alpha.dtype
    full = np.float32(1 if kind.kind == "f" else 2 ** (8 * kind.itemsize) - 1)
    plane: Pixels = alpha.astype(np.float32)[None] / full
    for number, step in enumerate(steps):
        if step.scale > 1:
            plane = step.apply(plane, image_rng(seed, key, "alpha", number))
    return (
        np.clip(plane[0], 0, 1).astype(kind) if kind.kind == "f" else to_levels(plane[0], 8 * kind.itemsize)
    )


def _made_alike(task: DegradeTask, output: Path, found: Record) -> bool:
    """Tell whether a line tells of the same source, steps and seed, so that it gives the task's bytes."""
    if not task.reading.reads_like(found.reading):
        return False
    if not task.reference_reading.reads_like(found.reference_reading):
        return False
    wanted = task.record(output, found.source_digest)
    alike = {name: getattr(wanted, name) for name in ("version", "notes", "reading", "reference_reading")}
    if replace(_without_severity(found), **alike) != _without_severity(wanted):
        return False
    return isinstance(task.source, Sample) or digest_of(task.source) == found.source_digest


def _without_severity(record: Record) -> Record:
    """Return a record without the severities that its values were drawn from, which decide no byte."""
    steps = ({key: value for key, value in step.items() if key != "severity"} for step in record.degradations)
    return replace(record, degradations=tuple(steps))


def keep_masks_apart(tasks: Sequence[DegradeTask]) -> None:
    """Refuse images where the masks are to be: both would be taken for the other.

    Raises:
        UsageError: A task would write an image there, and a task a mask.
    """
    below = next((task.target for task in tasks if task.target.parts[0] == MASKS), None)
    if below is not None and any(task.mask_target is not None for task in tasks):
        raise UsageError(
            f"The folder {MASKS!r} holds images, and is where the masks of the damage are written.",
            got=str(below),
            unchanged="everything",
            hint=f"give the folder {MASKS!r} of the source another name",
        )
