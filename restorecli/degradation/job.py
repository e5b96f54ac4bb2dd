"""`degrade` and its replay over a folder: how images are made, and when one counts as done."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from restorecli.degradation.damage_masks import damage_mask
from restorecli.degradation.task import MASKS, DegradeTask
from restorecli.degradation.writing import write_degraded
from restorecli.errors import RestorecliError
from restorecli.folders.digest import digest_of
from restorecli.folders.jobs import run_ordered, worker_count
from restorecli.folders.places import make_folder
from restorecli.folders.record import Command, Record
from restorecli.folders.run import Append, Done
from restorecli.folders.samples import Sample
from restorecli.folders.walking import mark_output
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.writing import write_image


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
                record, done = result
                append(record)
                yield item, done


def _degrade_one(task: DegradeTask, output: Path) -> tuple[Record, Done]:
    path = output / task.target
    make_folder(path.parent, output)
    done = write_degraded(task, path)
    _write_mask(done.source_size, task, output)
    return task.record(output, done.digest, done.notes), Done(done.area / 1e6, done.notes)


def _write_mask(shape: tuple[int, int], task: DegradeTask, output: Path) -> None:
    """Write where the image was damaged, white on black, where a step has a place."""
    mask = damage_mask(shape, task.steps, task.seed, task.key)
    if mask is None or task.mask_target is None:
        return
    path = output / task.mask_target
    mark_output(output / MASKS, output)
    make_folder(path.parent, output)
    write_image(path, ImageData(mask[None].astype(np.float32), FileTraits()))


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
    if isinstance(task.source, Sample) or wanted.source_version is not None:
        return True
    return digest_of(task.source) == found.source_digest


def _without_severity(record: Record) -> Record:
    """Return a record without the severities that its values were drawn from, which decide no byte."""
    steps = ({key: value for key, value in step.items() if key != "severity"} for step in record.degradations)
    return replace(record, degradations=tuple(steps))
