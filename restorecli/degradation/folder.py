"""`degrade` on a folder, a file or the built-in samples, and the replay of what a manifest says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from restorecli.degradation.again import recorded_steps
from restorecli.degradation.chain import Chain, image_rng
from restorecli.degradation.job import DegradeRoom
from restorecli.degradation.task import DegradeTask, Place, keep_masks_apart
from restorecli.errors import DataError, UsageError
from restorecli.folders.cluster import Cluster
from restorecli.folders.clustered import ClusterRoom, one_by_one
from restorecli.folders.jobs import FolderSummary, Progress
from restorecli.folders.made import Made
from restorecli.folders.manifest import Manifest, Record
from restorecli.folders.mirror import Mirror
from restorecli.folders.outputs import OutputPlan
from restorecli.folders.places import refuse_same_folder
from restorecli.folders.run import Room, run_folder
from restorecli.folders.samples import sample_files
from restorecli.folders.shards import WHOLE, Shard
from restorecli.folders.staged import staged
from restorecli.folders.walking import walk
from restorecli.images.formats import format_named
from restorecli.images.options import STRICT, ReadOptions

_UNCLIPPED_DEPTH = 32


@dataclass(frozen=True, slots=True)
class _Source:
    relative: PurePosixPath
    place: Place
    reference: Place | None
    category: str
    defect: str | None
    reading: ReadOptions = STRICT
    reference_reading: ReadOptions = STRICT
    earlier: tuple[Mapping[str, Any], ...] = ()


def degrade_folder(
    source: Path | None,
    output: Path,
    chain: Chain,
    *,
    seed: int = 0,
    workers: int | None = None,
    unclipped: bool = False,
    image_format: str | None = None,
    overwrite: bool = False,
    shard: Shard = WHOLE,
    reading: ReadOptions = STRICT,
    remote: Mirror | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> FolderSummary:
    """Write degraded versions of images and a manifest line for each.

    The values drawn and the noise of an image follow from (seed, its path below `source`) alone: any number
    of workers, a part of the folder or a second run give the same bytes. An image is skipped when it is
    there and its line says the same source, steps and seed. Where `source` holds a manifest itself, its
    references and categories are carried on.

    Args:
        source: Folder or file; None takes the built-in samples.
        output: Folder to write into; made when missing.
        chain: What to do.
        seed: Seed of the run.
        workers: Threads; by default one for each core.
        unclipped: Keep values outside [0, 1] by writing 32-bit float TIFF. Otherwise values are clipped and
            rounded once, to the depth of the source.
        image_format: "png", "jpeg", "tiff" ... for all; by default lossless formats stay, others become PNG.
        overwrite: Make finished images again, and replace images that `degrade` did not write.
        shard: The part of the images to make, where several processes write into one folder.
        reading: How to read what is unusual in files; built-in samples need nothing of it. The manifest
            remembers it, so that the reference is read the same way when it is compared.
        remote: What mirrors the folders, where one of them is remote.
        cluster: Where images are made, in place of threads.
        progress: Progress callbacks.

    Raises:
        UsageError: `output` is `source` or would overwrite what it must not; `image_format` does not fit.
        DataError: There is nothing to degrade, or the manifest of `output` or `source` is damaged.
        BusyError: Another run writes into `output`.
        ResourceError: The disk or the memory ran out.
    """
    if source is not None:
        refuse_same_folder(source, output)
    hidden: list[PurePosixPath] = []
    sources = _samples() if source is None else _images(source, output, reading, hidden)
    if not sources:
        raise DataError(
            "There is no image to degrade.", file=source, expected="PNG, JPEG, TIFF, WebP, BMP or PPM"
        )
    targets = _targets(Made(len(sources), lambda number: sources[number].relative), unclipped, image_format)

    def make(number: int) -> DegradeTask:
        item = sources[number]
        key = item.relative.as_posix()
        return DegradeTask(
            target=targets[item.relative],
            source=item.place,
            reference=item.reference,
            category=item.category,
            defect=item.defect,
            seed=seed,
            key=key,
            steps=chain.draw(image_rng(seed, key, "draw")),
            unclipped=unclipped,
            reading=item.reading,
            reference_reading=item.reference_reading,
            earlier=item.earlier,
        )

    tasks = Made(len(sources), make)
    keep_masks_apart(tasks)
    room = _room(output, workers, shard, remote, cluster)
    return run_folder(
        room, tasks, output, overwrite=overwrite, shard=shard, hidden=len(hidden), progress=progress
    )


def replay(
    manifest_folder: Path,
    output: Path,
    *,
    workers: int | None = None,
    image_format: str | None = None,
    overwrite: bool = False,
    shard: Shard = WHOLE,
    remote: Mirror | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> FolderSummary:
    """Make the images that a manifest tells of again, byte for byte, from their sources.

    Args:
        manifest_folder: A folder that `degrade` wrote, or its manifest file.
        output: Folder to write into; not the same.
        workers: Threads; by default one for each core.
        image_format: Another format than the one that was written.
        overwrite: Make finished images again.
        shard: The part of the images to make, where several processes write into one folder.
        remote: What mirrors the folders, where one of them is remote.
        cluster: Where images are made, in place of threads.
        progress: Progress callbacks.

    Raises:
        UsageError: `output` is `manifest_folder`, or a step that this version does not know.
        DataError: There is no manifest, or none of its lines tells what `degrade` did.
        BusyError: Another run writes into `output`.
        ResourceError: The disk or the memory ran out.
    """
    folder = manifest_folder.parent if manifest_folder.is_file() else manifest_folder
    refuse_same_folder(folder, output)
    manifest = Manifest(folder)
    records = manifest.read()
    paths = [record.path for record in records.values() if record.command == "degrade"]
    if not paths:
        raise DataError(
            "There is nothing to replay.",
            expected="a manifest.jsonl that `restorecli degrade` wrote",
            file=manifest.file,
        )
    names = Made(len(paths), lambda number: PurePosixPath(paths[number]))
    targets = None
    if image_format is not None:
        targets = _targets(names, any(records[path].unclipped for path in paths), image_format)

    def make(number: int) -> DegradeTask:
        name = names[number]
        return _task(records[paths[number]], manifest, name if targets is None else targets[name])

    tasks = Made(len(paths), make)
    keep_masks_apart(tasks)
    room = _room(output, workers, shard, remote, cluster)
    return run_folder(room, tasks, output, overwrite=overwrite, shard=shard, progress=progress)


def _room(
    output: Path, workers: int | None, shard: Shard, remote: Mirror | None, cluster: Cluster | None
) -> Room[DegradeTask]:
    """Return what makes the images, here or by the workers of a cluster."""
    room = DegradeRoom(output, workers)
    if cluster is None:
        return staged(room, output, shard, remote)
    return ClusterRoom(room, partial(one_by_one, DegradeRoom(output, 1)), cluster, output)


def _task(record: Record, manifest: Manifest, target: PurePosixPath) -> DegradeTask:
    try:
        steps, seed, key = recorded_steps(record)
    except DataError as error:
        error.file = str(manifest.file)
        raise
    return DegradeTask(
        target=target,
        source=manifest.locate(record.source),
        reference=None if record.reference is None else manifest.locate(record.reference),
        category=record.category,
        defect=record.defect,
        seed=seed,
        key=key,
        steps=steps,
        unclipped=record.unclipped,
        reading=record.reading,
        reference_reading=record.reference_reading,
        earlier=record.earlier,
        expected_digest=record.source_digest,
    )


def _samples() -> Sequence[_Source]:
    return [_Source(item.relative, item, item, item.category, None) for item in sample_files()]


def _images(
    source: Path, output: Path, reading: ReadOptions, hidden: list[PurePosixPath]
) -> Sequence[_Source]:
    manifest = Manifest(source if source.is_dir() else source.parent)
    records = manifest.read()
    files = walk(source, without=output, hidden=hidden)

    def make(number: int) -> _Source:
        file = files[number]
        record = records.get(file.relative.as_posix())
        if record is None:
            return _Source(file.relative, file.path, file.path, file.category, file.defect, reading, reading)
        return _Source(
            file.relative,
            file.path,
            None if record.reference is None else manifest.locate(record.reference),
            record.category,
            record.defect,
            reading,
            record.reference_reading.in_colors_of(reading),
            record.history,
        )

    return Made(len(files), make)


def _targets(paths: Sequence[PurePosixPath], unclipped: bool, image_format: str | None) -> OutputPlan:
    if not unclipped:
        return OutputPlan(paths, image_format)
    if image_format is not None and format_named(image_format) != "TIFF":
        raise UsageError(
            "Unclipped images are 32-bit floating point, which only TIFF holds.",
            expected="tiff",
            got=image_format,
            hint="leave out --format, or --unclipped",
        )
    return OutputPlan(paths, "tiff", _UNCLIPPED_DEPTH)
