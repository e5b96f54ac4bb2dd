"""Degrading folders of images: the options, and the one implementation behind Python and command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from restorecli.api.keywords import from_keywords, listed
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.degradation.folder import replay as replay_folder
from restorecli.degradation.single import degrade_file
from restorecli.degradation.task import MASKS
from restorecli.errors import UsageError
from restorecli.folders.cluster import Cluster, refuse_addresses, refuse_cluster
from restorecli.folders.jobs import FolderSummary, Progress
from restorecli.folders.mirror import Mirror
from restorecli.folders.shards import Shard, refuse_shard
from restorecli.folders.single import single_target
from restorecli.images.options import STRICT, ReadOptions

Step = str | Mapping[str, object]


@dataclass(frozen=True)
class DegradeOptions:
    """What to degrade, how, and where to write it.

    Attributes:
        source: Folder or file, or the address of one, such as s3://bucket/folder; None takes the built-in
            sample photographs.
        output: Folder to write into, made when missing; or, for one image, the file to write, whose suffix
            chooses the format. Either may be an address.
        noise: The chain, in order: names ("gaussian") or mappings ({"name": "gaussian", "sigma": "0..55"});
            a single one needs no list.
        chain: A YAML file with the chain, in place of `noise`.
        replay: A folder that `degrade` wrote, whose images are made again byte for byte; it says by itself
            what is read and done.
        seed: Seed of the run; the seed of each image is derived from it and the image's relative path.
        workers: Threads; any number gives the same bytes.
        unclipped: Keep values outside [0, 1] by writing 32-bit float TIFF, as papers test.
        to_srgb: Convert to sRGB through the color profile; also the only way in for CMYK.
        frames: "refuse" files that hold several images, or take the "first", "all" (written as one again),
            or some by numbers counted from 0: "3" or "3..8".
        range: Which values are black and white: "auto" finds out where values do not fill their type, "file"
            takes the file's tags, "type" the whole type, and "0..4095" two values.
        allow_truncated: Read what is left of damaged files instead of refusing them.
        image_format: "png", "jpeg", "tiff", "webp", "avif", "bmp" or "ppm" for all; None keeps lossless
            formats and makes the others PNG.
        quality: For one image that is written to one file, JPEG, AVIF or WebP: 1 to 100; None takes 95.
        mask: For one image that is written to one file: the file for the mask of the damage, white where
            scratches or holes hit the image. A folder has its masks in `masks`.
        overwrite: Make finished images again, and replace images that `degrade` did not write.
        shard: "I/N" makes part I of N of the images: N processes or machines do all, into one folder, each
            with another I.
        cluster: A Ray cluster whose workers degrade, one file at a time: "auto" for the one that RAY_ADDRESS
            names, else for all cores of this machine, or HOST:PORT. `workers` counts its processes then.
        progress: Progress callbacks of the job.
    """

    source: str | Path | None = None
    output: str | Path = "degraded"
    _: KW_ONLY
    noise: Step | Sequence[Step] = ()
    chain: str | Path | None = None
    replay: str | Path | None = None
    seed: int = 0
    workers: int | None = None
    unclipped: bool = False
    to_srgb: bool = False
    frames: str = "refuse"
    range: str = "auto"
    allow_truncated: bool = False
    image_format: str | None = None
    quality: int | None = None
    mask: str | Path | None = None
    overwrite: bool = False
    shard: str | None = None
    cluster: str | None = None
    progress: Progress | None = None

    @property
    def reading(self) -> ReadOptions:
        """How to read what is unusual in files."""
        return ReadOptions(self.allow_truncated, self.to_srgb, self.frames, self.range)


def run_degrade(options: DegradeOptions) -> FolderSummary:
    """Write degraded versions of a folder of images, with a manifest of what was done to each.

    Args:
        options: See the class.

    Returns:
        How many images were written, skipped and failed, and why.

    Raises:
        UsageError: A degradation or parameter is unknown or out of range, options exclude one another, or the
            output would overwrite what it must not.
        RecipeError: The file of the chain is wrong.
        DataError: There is nothing to degrade, or a manifest is damaged.
        BusyError: Another run is writing into `output`.

    Example:
        >>> import restorecli
        >>> made = restorecli.degrade(None, "noisy", noise=[{"name": "gaussian", "sigma": 25}], seed=1)
        >>> made.written + made.skipped > 0, made.failures
        (True, ())
    """
    if options.cluster is not None:
        refuse_addresses(options.source, options.output, options.replay)
    with Mirror() as remote, Cluster.if_asked(options.cluster, options.workers) as cluster:
        here = replace(
            options,
            source=remote.place_if(options.source),
            output=remote.place(options.output),
            replay=remote.place_if(options.replay),
            mask=remote.place_if(options.mask),
        )
        return remote.told(_degraded(here, remote, cluster))


def _degraded(options: DegradeOptions, remote: Mirror, cluster: Cluster | None) -> FolderSummary:
    """Degrade what is here or mirrored."""
    shard = Shard.parse(options.shard)
    target = single_target(options.source, options.output, options.image_format)
    if target is not None and options.replay is None:
        refuse_shard(shard)
        refuse_cluster(options.cluster, "A single image needs no cluster")
        return _one_degraded(options, target, remote)
    _refuse_for_folders(options)
    output = Path(options.output)
    if options.replay is not None:
        _refuse_beside_replay(options)
        return replay_folder(
            Path(options.replay),
            output,
            workers=options.workers,
            image_format=options.image_format,
            overwrite=options.overwrite,
            shard=shard,
            remote=remote,
            cluster=cluster,
            progress=options.progress,
        )
    return degrade_folder(
        None if options.source is None else Path(options.source),
        output,
        chain_of(options),
        seed=options.seed,
        workers=options.workers,
        unclipped=options.unclipped,
        image_format=options.image_format,
        overwrite=options.overwrite,
        shard=shard,
        reading=options.reading,
        remote=remote,
        cluster=cluster,
        progress=options.progress,
    )


def _one_degraded(options: DegradeOptions, target: Path, remote: Mirror) -> FolderSummary:
    """Degrade one image into one file."""
    source = Path(options.source or "")
    mask = None if options.mask is None else Path(options.mask)
    with remote.hold(source):
        done = degrade_file(
            source,
            target,
            chain_of(options),
            seed=options.seed,
            unclipped=options.unclipped,
            reading=options.reading,
            quality=options.quality,
            mask=mask,
            overwrite=options.overwrite,
        )
    for written in (target,) if mask is None else (target, mask):
        remote.send(written)
    return done


degrade = from_keywords("degrade", DegradeOptions, run_degrade)


def chain_of(options: DegradeOptions) -> Chain:
    """Return the chain that `noise` or `chain` describes.

    Raises:
        UsageError: There is neither or both, or a step is wrong.
        RecipeError: The file of the chain is wrong.
    """
    if options.chain is not None:
        if options.noise:
            raise UsageError("--noise and --chain exclude each other.", expected="one of them", got="both")
        return Chain.from_yaml(options.chain)
    if not options.noise:
        raise UsageError(
            "Nothing says how to degrade.",
            expected=f"--noise, --chain or --replay; names of degradations: {', '.join(DEGRADATIONS)}",
            hint="restorecli degrade --noise gaussian",
        )
    return Chain.from_specs(listed(options.noise))


def _refuse_for_folders(options: DegradeOptions) -> None:
    """Refuse what is for one image: a folder is made again byte for byte by its manifest.

    Raises:
        UsageError: There is such an option.
    """
    given = {"--quality": options.quality is not None, "--mask": options.mask is not None}
    vain = " and ".join(name for name, there in given.items() if there)
    if vain:
        raise UsageError(
            f"{vain} is for one image that is written to one file.",
            expected="-o with a name such as noisy.jpg",
            got=f"-o {options.output}",
            unchanged="everything",
            hint=f"leave out {vain}; a folder has the masks of its images in {MASKS!r}",
        )


def _refuse_beside_replay(options: DegradeOptions) -> None:
    """Refuse what a replay, which takes everything from the manifest, would not follow.

    Raises:
        UsageError: There is such an option.
    """
    given = {
        "SRC": options.source is not None,
        "--noise": bool(options.noise),
        "--chain": options.chain is not None,
        "--unclipped": options.unclipped,
        "--to-srgb, --frames, --range or --allow-truncated": options.reading != STRICT,
    }
    beside = ", ".join(name for name, there in given.items() if there)
    if beside:
        raise UsageError(
            "--replay takes everything from the manifest.",
            expected="--replay alone",
            got=f"--replay beside {beside}",
            hint=f"leave out {beside}",
        )
