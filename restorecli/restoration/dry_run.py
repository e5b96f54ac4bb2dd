"""What a restoration would do, and about how long: everything is looked at, nothing is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from restorecli.errors import RestorecliError
from restorecli.folders.mirror import Mirror
from restorecli.folders.notes import NoteTally
from restorecli.folders.run import part_of, unfinished
from restorecli.folders.shards import WHOLE, Shard
from restorecli.folders.single import check_target
from restorecli.folders.walking import NO_CATEGORY, ImageFile
from restorecli.images.image import ImageData
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import probe, read_image
from restorecli.restoration.context import Context
from restorecli.restoration.files import FileRestorer
from restorecli.restoration.folder import plan_tasks
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.job import RestoreRoom
from restorecli.restoration.known import Known
from restorecli.restoration.records import SourceRecords

_SIDE = 256
"""Side of the part of an image that is restored to learn the speed."""

_DIAGNOSED = 24
"""Images at most of which it is said what `auto` would do."""

_TRIED = 5
"""Files of which the first that can be restored is timed."""

_LONG = 2.0
"""Seconds after which one trial is enough; a shorter first one may have been spent on getting ready."""


@dataclass(frozen=True)
class RestorePlan:
    """What would be done.

    Attributes:
        model: What would restore.
        output: The folder or file that would be written; an address as text where it is remote.
        images: How many images would be restored.
        finished: How many are finished already.
        megapixels: Size of those to be restored, in millions of pixels.
        seconds: About how long it would take, by a trial on a part of the first image that can be restored;
            None where there is nothing to do or none of the first few can be.
        notes: What a reader should know, e.g. which images cannot be read.
        kinds: What `auto` would do, a line for each kind of image; empty for other models.
    """

    model: str
    output: Path | str
    images: int
    finished: int
    megapixels: float
    seconds: float | None
    notes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "dry_run": True,
            "model": self.model,
            "output": str(self.output),
            "pictures": self.images,
            "finished": self.finished,
            "megapixels": round(self.megapixels, 6),
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "notes": list(self.notes),
            "kinds": list(self.kinds),
        }


def plan_folder(
    source: Path,
    output: Path,
    image_restorer: ImageRestorer,
    *,
    known: Known,
    reading: ReadOptions = STRICT,
    image_format: str | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    shard: Shard = WHOLE,
    remote: Mirror | None = None,
) -> RestorePlan:
    """Return what `restore_folder` with the same arguments would do; its errors are raised here, too.

    Where the source is remote, every image is fetched, one by one, to see its size.
    """
    earlier = NoteTally()
    planned, sources = plan_tasks(source, output, image_format=image_format, earlier=earlier)
    tasks = part_of(planned, shard)
    restorer = FileRestorer(image_restorer, known, sources, reading, quality)
    waiting = unfinished(RestoreRoom(output, restorer), tasks, output, overwrite=overwrite)
    files = [task.file for task in waiting]
    plan = _plan(files, len(tasks) - len(waiting), output, _Trial(restorer, remote or Mirror()))
    return replace(plan, notes=(*map(str, earlier.notes), *plan.notes))


def plan_file(
    source: Path,
    target: Path,
    image_restorer: ImageRestorer,
    *,
    known: Known,
    reading: ReadOptions = STRICT,
    overwrite: bool = False,
    remote: Mirror | None = None,
) -> RestorePlan:
    """Return what `restore_file` with the same arguments would do; its errors are raised here, too."""
    restorer = FileRestorer(image_restorer, known, SourceRecords(source.parent), reading)
    file = ImageFile(source, PurePosixPath(source.name), NO_CATEGORY)
    check_target(target, [source], overwrite=overwrite)
    return _plan([file], 0, target, _Trial(restorer, remote or Mirror()))


def _plan(files: Sequence[ImageFile], finished: int, output: Path, trial: _Trial) -> RestorePlan:
    pixels, notes = 0, []
    for file in files:
        try:
            with trial.remote.hold(file.path):
                height, width = probe(file.path).size
            pixels += height * width
        except RestorecliError as error:
            notes.append(f"{file.relative}: {error.problem}")
    looked_at = files[:: -(-len(files) // _DIAGNOSED)] if files else []
    kinds = trial.kinds(looked_at)
    if kinds and len(looked_at) < len(files):
        notes.append(f"{len(looked_at)} of {len(files)} images were looked at, evenly spread")
    trials = (trial.seconds_per_pixel(file) for file in files[:_TRIED])
    speed = next((seconds for seconds in trials if seconds is not None), None)
    if files and speed is None:
        notes.append(f"{files[0].relative}: a trial failed, so the time is not known")
    return RestorePlan(
        model=trial.files.image_restorer.restorer.spec.name,
        output=output,
        images=len(files),
        finished=finished,
        megapixels=pixels / 1e6,
        seconds=None if speed is None else speed * pixels,
        notes=tuple(notes),
        kinds=kinds,
    )


@dataclass(frozen=True)
class _Trial:
    """Restores a part of an image, to learn how fast that is."""

    files: FileRestorer
    remote: Mirror

    def kinds(self, files: Sequence[ImageFile]) -> tuple[str, ...]:
        """Return what `auto` would do, a line for each kind of image; nothing for other models."""
        restorer = self.files.image_restorer.restorer
        if restorer.found is None:
            return ()
        for file in files:
            with suppress(RestorecliError):  # what cannot be read is noted already
                image, context = self._read(file)
                restorer.steps(image.pixels, context)
        return tuple(restorer.found)

    def _read(self, file: ImageFile) -> tuple[ImageData, Context]:
        with self.remote.hold(file.path):
            image = read_image(file.path, self.files.reading)
            return image, self.files.context(file, image)

    def seconds_per_pixel(self, file: ImageFile) -> float | None:
        """Return the seconds for a pixel of the middle of an image; None where it cannot be restored."""
        try:
            image, context = self._read(file)
            part, rows, columns = _middle(image)
            if context.mask is not None:
                context = replace(context, mask=context.mask[rows, columns])
            took = self._time(part, context)
            took = took if took > _LONG else self._time(part, context)
            return took / (part.size[0] * part.size[1])
        except RestorecliError:
            return None

    def _time(self, image: ImageData, context: Context) -> float:
        began = time.perf_counter()
        self.files.image_restorer(image, context)
        return time.perf_counter() - began


def _middle(image: ImageData) -> tuple[ImageData, slice, slice]:
    """Return the middle of an image without its alpha, and where it lies."""
    rows, columns = (
        slice(max(0, (side - _SIDE) // 2), max(0, (side - _SIDE) // 2) + _SIDE) for side in image.size
    )
    return ImageData(image.pixels[:, rows, columns], replace(image.traits, alpha=None)), rows, columns
