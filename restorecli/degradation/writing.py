"""A task becomes a file: read, degraded and written, plane by plane where it is a stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation
from restorecli.degradation.by_rows import degrade_by_rows, is_too_large
from restorecli.degradation.chain import image_rng, replay_steps
from restorecli.degradation.outside import replay_steps_beyond
from restorecli.degradation.task import DegradeTask
from restorecli.degradation.values import check_light, clipped_note
from restorecli.errors import ImageError
from restorecli.folders.digest import digest_of
from restorecli.folders.samples import Sample, read_sample
from restorecli.images.image import ImageData, Pixels, to_levels
from restorecli.images.planes import Chosen
from restorecli.images.reading import read_image
from restorecli.images.stacks import open_stack, write_stack
from restorecli.images.writing import DEFAULT_QUALITY, write_image


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


def write_degraded(task: DegradeTask, path: Path, quality: int = DEFAULT_QUALITY) -> Degraded:
    """Write the degraded image of a task, or the stack with every plane degraded.

    A TIFF that memory cannot hold is degraded by rows, to the same pixels.

    Args:
        task: What to do.
        path: The file to write; its folder must exist.
        quality: For JPEG, AVIF and WebP, 1 to 100.

    Raises:
        ImageError: The source cannot be read or degraded, or is not the one that a replay expects.
    """
    digest = _digest(task)
    stack = None if isinstance(task.source, Sample) else open_stack(task.source, task.reading)
    if stack is None and is_too_large(task):
        rows = degrade_by_rows(task, path)
        return Degraded(rows.notes, digest, rows.source_size, rows.area)
    if stack is None:
        image = _read(task)
        done, notes = _degraded(image, task, task.key)
        losses = write_image(path, done, quality=quality)
        return Degraded((*notes, *losses), digest, image.size, done.size[0] * done.size[1])
    with stack:
        planes = _Planes(stack, task)
        losses = write_stack(path, planes, stack.layout, quality=quality)
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
            check_light(image.pixels, None if isinstance(task.source, Sample) else task.source)
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
        notes = (*notes, *clipped_note(float(image.pixels.min()), float(image.pixels.max())))
        pixels = np.clip(pixels, 0, 1)
    return ImageData(pixels, traits), notes


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
    check_light(image.pixels, task.source)
    return image


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
