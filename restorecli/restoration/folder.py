"""The folder job: walk, read ahead, restore, write behind, one manifest line per image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from restorecli.errors import UsageError
from restorecli.folders.cluster import Cluster
from restorecli.folders.clustered import ClusterRoom
from restorecli.folders.jobs import FolderSummary, Progress, SilentProgress
from restorecli.folders.made import Made
from restorecli.folders.mirror import Mirror
from restorecli.folders.notes import NoteTally
from restorecli.folders.outputs import OutputPlan
from restorecli.folders.places import refuse_same_folder
from restorecli.folders.run import Room, run_folder
from restorecli.folders.shards import WHOLE, Shard
from restorecli.folders.staged import staged
from restorecli.folders.walking import walk
from restorecli.images.options import STRICT, ReadOptions
from restorecli.restoration.auto import AutoRestorer
from restorecli.restoration.by_workers import WorkerPlan
from restorecli.restoration.earlier import LEFT_OUT, without_results
from restorecli.restoration.files import FileRestorer
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.items import Task
from restorecli.restoration.job import RestoreRoom
from restorecli.restoration.known import Known
from restorecli.restoration.records import SourceRecords
from restorecli.restoration.restorer import Restorer


def restore_folder(
    source: Path,
    output: Path,
    restorer: Restorer,
    *,
    tile: int | str = "auto",
    overlap: int | None = None,
    strength: float = 1.0,
    keep_defects: bool = False,
    workers: int | None = None,
    image_format: str | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    shard: Shard = WHOLE,
    reading: ReadOptions = STRICT,
    known: Known | None = None,
    remote: Mirror | None = None,
    cluster: Cluster | None = None,
    make_restorer: Callable[[], Restorer] | None = None,
    progress: Progress | None = None,
) -> FolderSummary:
    """Restore a folder of images, or one file, into another folder.

    The relative tree, bit depth, gray, alpha and metadata are kept. Images are read ahead and written
    behind in threads while the restorer runs in the calling thread. An image that fails costs only itself;
    one that an earlier run finished from the same source with the same restorer is skipped, and earlier
    results that lie in the folder with their sources are left out. An interrupt leaves finished images whole,
    and the same call goes on from there.

    Args:
        source: Folder or file; never changed.
        output: Folder to write into; made when missing. It may lie inside `source`, but cannot be it.
        restorer: What restores.
        tile: "auto", "none" or the largest side of a tile in pixels; see `ImageRestorer`.
        overlap: Pixels that neighboring tiles share; None takes what the network needs.
        strength: Share of what is restored in the result, 0 to 1; the rest is the input.
        keep_defects: Give back structure that was removed with the noise; see `keep_defects`.
        workers: Threads for reading and as many for writing; None takes one for each core.
        image_format: Format to write ("png", "jpeg", "tiff", ...); None keeps lossless ones, else writes PNG.
        quality: For JPEG and WebP, 1 to 100; None takes 95.
        overwrite: Restore finished images again, and replace results of other models and other images.
        shard: The part of the images to make, where several processes write into one folder.
        reading: How to read what is unusual; an image that other options would read otherwise is restored
            again.
        known: What the caller knows about the images, beside their manifest.
        remote: What mirrors `source` or `output`, where one of them is remote.
        cluster: Where images are restored, in place of this process.
        make_restorer: Makes the same restorer in every worker of the cluster, to which it is sent by pickle;
            needed with `cluster`.
        progress: Progress callbacks.

    Returns:
        How many images were written, skipped and failed, and why.

    Raises:
        UsageError: The output would overwrite the source, a clean original, an image of somebody else or a
            result of another model, or an option does not fit.
        DataError: There is no such source, or its manifest is damaged.
        BusyError: Another run is writing into `output`.
        ResourceError: Memory or disk ran out even after backing off, or the device failed.
    """
    progress = progress or SilentProgress()
    image_restorer = ImageRestorer(
        restorer, tile=tile, overlap=overlap, strength=strength, keep_defects=keep_defects
    )
    hidden: list[PurePosixPath] = []
    earlier = NoteTally()
    tasks, sources = plan_tasks(source, output, image_format=image_format, hidden=hidden, earlier=earlier)
    files = FileRestorer(image_restorer, known or Known(), sources, reading, quality, progress)
    room: Room[Task] = RestoreRoom(output, files, workers)
    if cluster is None:
        room = staged(room, output, shard, remote)
    elif make_restorer is None:
        raise UsageError("A cluster needs make_restorer, by which its workers make the restorer.")
    else:
        plan = WorkerPlan(make_restorer, files, output)
        gpus = restorer.device.type == "cuda"
        remember = restorer.take_over if isinstance(restorer, AutoRestorer) else None
        room = ClusterRoom(room, plan, cluster, output, gpus=gpus, remember=remember)
    done = run_folder(
        room, tasks, output, overwrite=overwrite, shard=shard, hidden=len(hidden), progress=progress
    )
    return replace(done, notes=(*earlier.notes, *done.notes))


def plan_tasks(
    source: Path,
    output: Path,
    *,
    image_format: str | None = None,
    hidden: list[PurePosixPath] | None = None,
    earlier: NoteTally | None = None,
) -> tuple[Sequence[Task], SourceRecords]:
    """Return the images to restore with where each goes, and what is known of them.

    Args:
        source: Folder or file.
        output: Folder to write into.
        image_format: As of `restore_folder`.
        hidden: Where the relative paths of hidden files are added.
        earlier: Where it is noted which earlier results are left out.

    Raises:
        UsageError: The output is the source.
        DataError: There is no such source, or its manifest is damaged.
    """
    root = source if source.is_dir() else source.parent
    if source.is_dir():
        refuse_same_folder(source, output)
    files = walk(source, without=output, hidden=hidden)
    files, left_out = without_results(root, files)
    if earlier is not None:
        for result in left_out:
            earlier.add(result, [LEFT_OUT])
    targets = OutputPlan(Made(len(files), lambda number: files[number].relative), image_format)
    sources = SourceRecords(root)

    def make(number: int) -> Task:
        file = files[number]
        return Task(file, targets[file.relative], sources.reference_of(file))

    return Made(len(files), make), sources
