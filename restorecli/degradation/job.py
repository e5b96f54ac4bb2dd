"""The work behind `degrade` and its replay: tasks decided beforehand, done in any order, told in order."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.base import Degradation, Value
from restorecli.degradation.chain import image_rng, replay_steps
from restorecli.degradation.masks import damage_mask
from restorecli.errors import ImageError, RestorecliError, UsageError
from restorecli.folders.digest import digest_of
from restorecli.folders.jobs import (
    Failure,
    FolderSummary,
    Progress,
    SilentProgress,
    run_ordered,
    worker_count,
)
from restorecli.folders.lock import output_lock
from restorecli.folders.manifest import Manifest, Record, make_locator
from restorecli.folders.notes import NoteTally
from restorecli.folders.places import make_folder
from restorecli.folders.protect import file_identity, keep_strangers
from restorecli.folders.samples import Sample, read_sample
from restorecli.folders.walking import mark_output
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.picture import FileTraits, Picture, Pixels
from restorecli.images.reading import read_picture
from restorecli.images.writing import write_picture
from restorecli.version import __version__

MASKS = "masks"
"""The folder of the masks below an output folder; it is marked, so that nobody takes them for pictures."""

FARTHEST = 1e3
"""The largest value of a picture that is degraded, a thousand times white; powers overflow beyond."""

Place = Path | Sample
"""Where a picture comes from: a file, or a built-in sample."""


@dataclass(frozen=True)
class DegradeTask:
    """Everything that decides one degraded picture, before anything is read.

    Attributes:
        target: Path of the picture to write, below the output folder.
        source: The picture to degrade.
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
        """Return what the manifest tells of a step: one that has a place also names the picture's mask."""
        return {**step.record(), "mask": str(self.mask_target)} if step.masked else step.record()


@dataclass(frozen=True, slots=True)
class _Written:
    record: Record
    megapixels: float


def run_tasks(
    tasks: Sequence[DegradeTask],
    output: Path,
    *,
    workers: int | None,
    overwrite: bool,
    progress: Progress | None,
) -> FolderSummary:
    """Do the tasks that are not finished; one that fails costs one picture.

    Args:
        tasks: With targets that all differ.
        output: The folder to write into; made when missing.
        workers: Threads; by default one for each core. Any number gives the same bytes, manifest included.
        overwrite: Do finished tasks again, and replace pictures that `degrade` did not write.
        progress: Who wants to know.

    Raises:
        UsageError: A target is one of the sources, or a picture that `degrade` did not write.
        BusyError: Another run writes into `output`.
        ResourceError: The disk or the memory ran out.
    """
    began = time.perf_counter()
    teller = SilentProgress() if progress is None else progress
    _protect_sources(tasks, output)
    _keep_masks_apart(tasks)
    with output_lock(output):
        manifest = Manifest(output)
        records = manifest.read()
        if not overwrite:
            keep_strangers((task.target for task in tasks), manifest, records, "degrade")
        manifest.start()
        waiting = [task for task in tasks if overwrite or not _is_finished(task, output, records)]
        failures: list[Failure] = []
        written = 0
        megapixels = 0.0
        tally = NoteTally()
        teller.start(len(waiting), "pictures")
        try:
            for done, result in _results(waiting, output, workers):
                if isinstance(result, RestorecliError):
                    failures.append(Failure(done.key, result))
                else:
                    manifest.append(result.record)
                    written += 1
                    megapixels += result.megapixels
                    tally.add(done.key, result.record.notes)
                teller.advance(done.key, result if isinstance(result, RestorecliError) else None)
        finally:
            teller.finish()
    skipped = len(tasks) - len(waiting)
    seconds = time.perf_counter() - began
    return FolderSummary(
        "degrade", output, written, skipped, tuple(failures), megapixels, seconds, tally.notes
    )


def _results(
    tasks: Sequence[DegradeTask], output: Path, workers: int | None
) -> Iterator[tuple[DegradeTask, _Written | RestorecliError]]:
    count = worker_count(workers)
    # No look-ahead beyond the workers: after a sudden end at most one picture of each is done again.
    return run_ordered(lambda task: _degrade_one(task, output), tasks, count, window=count)


def _degrade_one(task: DegradeTask, output: Path) -> _Written:
    digest, picture = _read(task)
    notes = picture.traits.notes
    pixels = replay_steps(picture.pixels, task.steps, task.seed, task.key)
    traits = replace(picture.traits, alpha=_alpha(picture.traits, task))
    if task.unclipped:
        traits = replace(traits, depth=32)
    elif traits.depth == 32:
        notes = (*notes, *_outside(picture.pixels))
        pixels = np.clip(pixels, 0, 1)
    path = output / task.target
    make_folder(path.parent, output)
    losses = write_picture(path, Picture(pixels, traits))
    _write_mask(picture.pixels.shape[1:], task, output)
    record = task.record(output, digest, (*notes, *losses))
    return _Written(record, pixels.shape[1] * pixels.shape[2] / 1e6)


def _read(task: DegradeTask) -> tuple[str | None, Picture]:
    """Return a task's picture, and the digest of its file."""
    if isinstance(task.source, Sample):
        return None, read_sample(task.source.locator)
    digest = digest_of(task.source)
    if task.expected_digest not in (None, digest):
        raise ImageError(
            "The source is not the picture that the manifest tells of: it has changed since.",
            file=task.source,
            hint="degrade it anew instead of replaying",
        )
    picture = read_picture(task.source, task.reading)
    largest = float(np.abs(picture.pixels).max())
    if not largest <= FARTHEST:
        raise ImageError(
            "The picture holds values that no light has.",
            expected=f"finite numbers, nominally 0 to 1, at most {FARTHEST:g}",
            came="values that are not finite" if not math.isfinite(largest) else f"{largest:g}",
            file=task.source,
            hint="replace what marks missing pixels, and scale the others to 0..1",
        )
    return digest, picture


def _outside(pixels: Pixels) -> tuple[str, ...]:
    """Return a note where a floating-point source leaves [0, 1], which clipped output cannot hold."""
    low, high = float(pixels.min()), float(pixels.max())
    if low >= 0 and high <= 1:
        return ()
    return ("values of the source outside 0 to 1 were clipped; --unclipped keeps them",)


def _write_mask(shape: tuple[int, int], task: DegradeTask, output: Path) -> None:
    """Write where the picture was damaged, white on black, where a step has a place."""
    mask = damage_mask(shape, task.steps, task.seed, task.key)
    if mask is None or task.mask_target is None:
        return
    path = output / task.mask_target
    mark_output(output / MASKS, output)
    make_folder(path.parent, output)
    write_picture(path, Picture(mask[None].astype(np.float32), FileTraits()))


def _alpha(traits: FileTraits, task: DegradeTask) -> NDArray[np.generic] | None:
    """Return alpha as it was, or reduced like the picture where a step changes the size."""
    if traits.alpha is None or all(step.scale == 1 for step in task.steps):
        return traits.alpha
    kind = traits.alpha.dtype
    full = np.float32(1 if kind.kind == "f" else 2 ** (8 * kind.itemsize) - 1)
    plane: Pixels = traits.alpha.astype(np.float32)[None] / full
    for number, step in enumerate(task.steps):
        if step.scale > 1:
            plane = step.apply(plane, image_rng(task.seed, task.key, "alpha", number))
    plane = np.clip(plane[0], 0, 1) * full
    return (plane if kind.kind == "f" else np.floor(plane + np.float32(0.5))).astype(kind)


def _is_finished(task: DegradeTask, output: Path, records: dict[str, Record]) -> bool:
    """Tell whether the last line for the target says what gives the task's bytes, and the file is there."""
    found = records.get(task.target.as_posix())
    written = [output / target for target in (task.target, task.mask_target) if target is not None]
    if found is None or any(_identity(path) is None for path in written):
        return False
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


def _protect_sources(tasks: Sequence[DegradeTask], output: Path) -> None:
    if not output.is_dir():
        return
    originals = {_identity(place) for task in tasks for place in (task.source, task.reference)} - {None}
    for task in tasks:
        if _identity(output / task.target) in originals:
            raise UsageError(
                "The output would overwrite a source picture.",
                came=str(output / task.target),
                unchanged="everything",
                hint="choose another folder with -o/--output",
            )


def _keep_masks_apart(tasks: Sequence[DegradeTask]) -> None:
    """Refuse pictures where the masks are to be: both would be taken for the other."""
    below = next((task.target for task in tasks if task.target.parts[0] == MASKS), None)
    if below is not None and any(task.mask_target is not None for task in tasks):
        raise UsageError(
            f"The folder {MASKS!r} holds pictures, and is where the masks of the damage are written.",
            came=str(below),
            unchanged="everything",
            hint=f"give the folder {MASKS!r} of the source another name",
        )


def _identity(place: Place | None) -> tuple[int, int] | None:
    """Return what tells a file from all others, or None where there is no file."""
    return file_identity(place) if isinstance(place, Path) else None
