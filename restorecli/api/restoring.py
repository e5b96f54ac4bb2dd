"""The torch half of `restoration`: imported once the options are known to be worth these seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from restorecli.api.restoration import RestoreOptions
from restorecli.api.results import RestoreResult
from restorecli.folders.addresses import shown
from restorecli.folders.cluster import Cluster, refuse_addresses, refuse_cluster
from restorecli.folders.mirror import Mirror
from restorecli.folders.shards import Shard, refuse_shard
from restorecli.folders.single import single_target
from restorecli.folders.walking import check_exists, walk
from restorecli.restoration import dry_run
from restorecli.restoration.check import TileCheck, check_image
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.cutting import parse_tile
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.known import Known
from restorecli.restoration.records import SourceRecords
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.single import restore_file
from restorecli.tune.tuning import Tuning, tune


def restore(options: RestoreOptions) -> RestoreResult:
    """Restore; see `restoration.run_restore`."""
    if options.cluster is not None:
        refuse_addresses(options.source, options.output, options.mask)
    with Mirror() as remote, Cluster.if_asked(options.cluster, options.workers) as cluster:
        return remote.told(_restored(_placed(options, remote), remote, cluster))


def _placed(options: RestoreOptions, remote: Mirror) -> RestoreOptions:
    """Return the options with paths of the mirror in place of addresses."""
    return replace(
        options,
        source=remote.place(options.source),
        output=remote.place(options.output),
        mask=remote.place_if(options.mask),
    )


def _restored(options: RestoreOptions, remote: Mirror, cluster: Cluster | None) -> RestoreResult:
    """Restore what is here or mirrored."""
    source = Path(options.source)
    target = single_target(options.source, options.output, options.image_format)
    shard = Shard.parse(options.shard)
    if target is not None:
        refuse_shard(shard)
        refuse_cluster(options.cluster, "A single image needs no cluster")
    if options.backend == "auto":
        refuse_cluster(
            options.cluster, "--backend auto measures one machine, and each of a cluster may differ"
        )
    known = options.known(remote.hold)
    tuning = _tuned(options, known)
    restorer = _restorer(options, known, tuning)
    if target is None:
        done = restore_folder(
            source,
            Path(options.output),
            restorer,
            tile=options.tile,
            overlap=options.overlap,
            strength=options.strength,
            keep_defects=options.keep_defects,
            workers=options.workers,
            image_format=options.image_format,
            quality=options.quality,
            overwrite=options.overwrite,
            shard=shard,
            reading=options.reading,
            known=known,
            remote=remote,
            cluster=cluster,
            make_restorer=_maker(options, known, tuning, restorer.device.type),
            progress=options.progress,
        )
    else:
        with remote.hold(source):
            done = restore_file(
                source,
                target,
                _image_restorer(options, restorer),
                known=known,
                reading=options.reading,
                quality=options.quality,
                overwrite=options.overwrite,
                progress=options.progress,
            )
        remote.send(target)
    return RestoreResult(**vars(done), tuning=tuning, kinds=tuple(restorer.found or ()))


def plan(options: RestoreOptions) -> dry_run.RestorePlan:
    """Look at everything and write nothing; see `restoration.plan_restore`."""
    refuse_cluster(options.cluster, "A dry run does not restore, so it needs no cluster")
    with Mirror() as remote:
        planned = _planned(_placed(options, remote), remote)
        return replace(planned, output=shown(planned.output))


def _planned(options: RestoreOptions, remote: Mirror) -> dry_run.RestorePlan:
    target = single_target(options.source, options.output, options.image_format)
    source, known = Path(options.source), options.known(remote.hold)
    image_restorer = _image_restorer(options, _restorer(options, known))
    if target is not None:
        return dry_run.plan_file(
            source,
            target,
            image_restorer,
            known=known,
            reading=options.reading,
            overwrite=options.overwrite,
            remote=remote,
        )
    return dry_run.plan_folder(
        source,
        Path(options.output),
        image_restorer,
        known=known,
        reading=options.reading,
        image_format=options.image_format,
        quality=options.quality,
        overwrite=options.overwrite,
        shard=Shard.parse(options.shard),
        remote=remote,
    )


def check_tiles(options: RestoreOptions) -> tuple[Path | str, TileCheck]:
    """Compare tiles with the whole image; see `restoration.check_restore_tiles`."""
    refuse_cluster(options.cluster, "Tiles are checked on one image, which needs no cluster")
    with Mirror() as remote:
        options = _placed(options, remote)
        known, source = options.known(remote.hold), Path(options.source)
        file = walk(source)[0]
        with remote.hold(file.path):
            checked = check_image(
                file,
                _restorer(options, known),
                known,
                SourceRecords(source if source.is_dir() else source.parent),
                tile=parse_tile(options.tile),
                overlap=options.overlap,
                reading=options.reading,
            )
        return shown(file.path), checked


def _restorer(options: RestoreOptions, known: Known, tuning: Tuning | None = None) -> Restorer:
    return _maker(options, known, tuning, options.device)()


def _maker(
    options: RestoreOptions, known: Known, tuning: Tuning | None, device: str | None
) -> Callable[[], Restorer]:
    """Return what makes the restorer, here or in a worker of a cluster."""
    return partial(
        choose_restorer,
        options.model,
        parameters=options.parameters if tuning is None else tuning.values,
        weights=options.weights,
        known=known,
        device=device,
        precision=options.precision,
        ensemble=options.ensemble,
        backend=options.backend,
    )


def _image_restorer(options: RestoreOptions, restorer: Restorer) -> ImageRestorer:
    return ImageRestorer(
        restorer,
        tile=options.tile,
        overlap=options.overlap,
        strength=options.strength,
        keep_defects=options.keep_defects,
    )


def _tuned(options: RestoreOptions, known: Known) -> Tuning | None:
    """Pick the method's parameters where that is asked for."""
    if options.tune is None:
        return None
    check_exists(Path(options.source))  # before minutes of searching
    return tune(
        str(options.model),
        *map(Path, options.tune),
        known=known,
        fixed=options.parameters,
        reading=options.reading,
        progress=options.progress,
    )
