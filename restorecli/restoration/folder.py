"""The folder job: walk, read ahead, restore, write behind, one manifest line per picture."""

from __future__ import annotations

import time
from pathlib import Path

from restorecli.errors import UsageError
from restorecli.folders.jobs import FolderSummary, Progress, SilentProgress
from restorecli.folders.lock import output_lock
from restorecli.folders.manifest import locate
from restorecli.folders.outputs import plan_outputs
from restorecli.folders.protect import file_identity
from restorecli.folders.walking import ImageFile, walk
from restorecli.images.options import STRICT, ReadOptions
from restorecli.restoration.items import Task
from restorecli.restoration.job import FolderJob
from restorecli.restoration.known import Known
from restorecli.restoration.picture import PictureRestorer
from restorecli.restoration.records import SourceRecords
from restorecli.restoration.restorer import Restorer


def restore_folder(
    source: Path,
    output: Path,
    restorer: Restorer,
    *,
    tile: int | str = "auto",
    overlap: int | None = None,
    workers: int | None = None,
    image_format: str | None = None,
    overwrite: bool = False,
    reading: ReadOptions = STRICT,
    known: Known | None = None,
    progress: Progress | None = None,
) -> FolderSummary:
    """Restore a folder of pictures, or one file, into another folder.

    The relative tree, bit depth, gray, alpha and metadata are kept. Pictures are read ahead and written
    behind in threads while the restorer runs in the calling thread. A picture that fails costs only itself;
    one that an earlier run finished from the same source with the same restorer is skipped. An interrupt
    leaves finished pictures whole, and the same call goes on from there.

    Args:
        source: Folder or file; never changed.
        output: Folder to write into; made when missing. It may lie inside `source`, but cannot be it.
        restorer: What restores.
        tile: "auto", "none" or the largest side of a tile in pixels; see `PictureRestorer`.
        overlap: Pixels that neighbouring tiles share; None takes what the network needs.
        workers: Threads for reading and as many for writing; None takes one for each core.
        image_format: Format to write ("png", "jpeg", "tiff", ...); None keeps lossless ones, else writes PNG.
        overwrite: Restore finished pictures again.
        reading: How to read what is unusual; a picture that other options would read otherwise is restored
            again.
        known: What the restorer is told about the pictures, beside their manifest.
        progress: Who wants to know how far the job is.

    Returns:
        How many pictures were written, skipped and failed, and why.

    Raises:
        UsageError: The output would overwrite the source, a clean original or a picture of somebody else, or
            an option does not fit.
        DataError: There is no such source, or its manifest is damaged.
        BusyError: Another run is writing into `output`.
        ResourceError: Memory or disk ran out even after backing off, or the device failed.
    """
    started = time.perf_counter()
    progress = progress or SilentProgress()
    painter = PictureRestorer(restorer, tile=tile, overlap=overlap)
    root = source if source.is_dir() else source.parent
    if source.is_dir() and output.resolve() == root.resolve():
        raise _in_place(output)
    plan = _plan(walk(source, without=output), root, output, image_format)
    with output_lock(output):
        sources = SourceRecords(root)
        _keep_references(plan, output, sources)
        job = FolderJob(output, painter, known or Known(), sources, progress, reading)
        if not overwrite:
            job.keep_strangers(plan)
        todo = [task for task in plan if overwrite or not job.is_finished(task)]
        job.run(todo, workers)
    return FolderSummary(
        command="restore",
        output=output,
        written=job.written,
        skipped=len(plan) - len(todo),
        failures=tuple(job.failures),
        megapixels=job.megapixels,
        seconds=time.perf_counter() - started,
        notes=job.notes,
    )


def _plan(files: list[ImageFile], root: Path, output: Path, image_format: str | None) -> list[Task]:
    targets = plan_outputs(files, image_format)
    tasks = [Task(file, targets[file.relative]) for file in files]
    if root.resolve().is_relative_to(output.resolve()):
        sources = {file.path.resolve() for file in files}
        hit = next((task for task in tasks if (output / task.target).resolve() in sources), None)
        if hit is not None:
            raise _in_place(hit.file.path)
    return tasks


def _keep_references(plan: list[Task], output: Path, sources: SourceRecords) -> None:
    """Refuse to write over the clean originals that the source's manifest names."""
    targets = {file_identity(output / task.target) for task in plan} - {None}
    for task in plan:
        record = sources.find(task.file)
        place = (
            None if record is None or record.reference is None else locate(record.reference, sources.folder)
        )
        if isinstance(place, Path) and file_identity(place) in targets:
            raise UsageError(
                "The result would overwrite the clean original of a picture.",
                came=str(place),
                unchanged="everything",
                hint="choose another folder: -o/--output DIR",
            )


def _in_place(place: Path) -> UsageError:
    return UsageError(
        "The result would overwrite the source.",
        expected="an output folder other than the source",
        came=str(place),
        unchanged="everything",
        hint="choose another folder: -o/--output DIR",
    )
