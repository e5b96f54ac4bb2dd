"""Restoring folders of pictures: the options, and the one implementation behind Python and command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.api.keywords import from_keywords

if TYPE_CHECKING:
    from restorecli.api.results import RestoreResult
    from restorecli.folders.jobs import FolderSummary, Progress
    from restorecli.images.options import ReadOptions
    from restorecli.restoration.check import TileCheck
    from restorecli.restoration.dry_run import RestorePlan
    from restorecli.restoration.known import Known
    from restorecli.restoration.picture import PictureRestorer
    from restorecli.restoration.restorer import Restorer
    from restorecli.tune.tuning import Tuning


@dataclass(frozen=True)
class RestoreOptions:
    """What to restore, with what, and where to write it.

    Attributes:
        source: Folder or file.
        output: Folder to write into, where the relative tree is kept; or, for one picture, the file to write,
            whose suffix chooses the format.
        model: "auto", which finds out what each picture needs and leaves those without damage as they are; or
            "model", "model.tag", a .safetensors or .onnx file, or a method that needs no training, such as
            "wiener-deconv".
        parameters: Of the method, by name.
        sigma: Level of the noise, 0-255 scale, for methods and networks that use it; None takes the
            manifest's, else estimates it.
        operator: For a method: what blurred or reduced the pictures, e.g. "gaussian-blur:sigma=1.6", or the
            path of a kernel's picture; several are applied in order. Empty takes the manifest's.
        mask: For a method: lost pixels, as a file, a folder of masks, or a color "#RRGGBB".
        tune: For a method: folders of degraded pictures and of their originals, on which the parameters that
            are not given are picked first; the result and the manifest say which.
        weights: A foreign checkpoint for `model`.
        strength: Share of what is restored in the result, 0 to 1; the rest is the input.
        keep_defects: Give back structure that a denoiser removed with the noise, so that faint defects
            survive; the manifest, a note and the folder `defects` say where.
        tile: "auto", "none" or the side of a tile in pixels.
        overlap: Pixels that neighboring tiles share; by default what the network needs.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32", "bf16" or "fp16".
        backend: What computes a network: "torch", "onnxruntime", or "auto", which measures once which is
            faster on this machine.
        ensemble: For a network: restore eight turned and mirrored ways and take the mean.
        workers: Threads that read and write; any number gives the same pictures.
        to_srgb: Convert to sRGB through the color profile; also the only way in for CMYK.
        frames: "refuse" files that hold several pictures, or take the "first", "all" (written as one again),
            or some by numbers counted from 0: "3" or "3..8".
        range: Which values are black and white: "auto" finds out where values do not fill their type, "file"
            takes the file's tags, "type" the whole type, and "0..4095" two values.
        allow_truncated: Read what is left of damaged files instead of refusing them.
        image_format: "png", "jpeg", "tiff", "webp", "avif", "bmp" or "ppm" for all; None keeps lossless
            formats and makes the others PNG.
        quality: For JPEG and WebP, 1 to 100; None takes 95.
        overwrite: Restore finished pictures again, and replace results of other models and pictures that
            `restore` did not write.
        shard: "I/N" restores part I of N of the pictures: N processes or machines do all, into one folder,
            each with another I.
        progress: Who is told how far the job is.
    """

    source: str | Path
    output: str | Path = "restored"
    _: KW_ONLY
    model: str | Path = "auto"
    parameters: Mapping[str, object] | None = None
    sigma: float | None = None
    operator: str | Sequence[str] = ()
    mask: str | Path | None = None
    tune: tuple[str | Path, str | Path] | None = None
    weights: str | Path | None = None
    strength: float = 1.0
    keep_defects: bool = False
    tile: int | str = "auto"
    overlap: int | None = None
    device: str | None = None
    precision: str = "auto"
    backend: str = "torch"
    ensemble: bool = False
    workers: int | None = None
    to_srgb: bool = False
    frames: str = "refuse"
    range: str = "auto"
    allow_truncated: bool = False
    image_format: str | None = None
    quality: int | None = None
    overwrite: bool = False
    shard: str | None = None
    progress: Progress | None = None

    @property
    def reading(self) -> ReadOptions:
        """How to read what is unusual in files."""
        from restorecli.images.options import ReadOptions

        return ReadOptions(self.allow_truncated, self.to_srgb, self.frames, self.range)

    @property
    def known(self) -> Known:
        """What the caller says about the pictures."""
        from restorecli.restoration.known import Known

        return Known.from_words(
            sigma=self.sigma,
            operator=(self.operator,) if isinstance(self.operator, str) else self.operator,
            mask=None if self.mask is None else str(self.mask),
            device=self.device,
        )


def run_restore(options: RestoreOptions) -> RestoreResult:
    """Restore a folder of pictures, or one picture.

    Args:
        options: See the class.

    Returns:
        How many pictures were written, skipped and failed, and why, and what tuning picked.

    Raises:
        UsageError: The model or an option is unknown, or the output would overwrite the source.
        DataError: There is no source, its manifest is damaged, or `tune` holds no pair.
        WeightsError: The weights are missing, damaged or do not fit.
        BusyError: Another run is writing into `output`.
        ResourceError: Memory or disk ran out even after backing off.

    Example:
        >>> import restorecli
        >>> made = restorecli.degrade(None, "noisy", noise=["salt-pepper"])
        >>> done = restorecli.restore("noisy", "clean", model="median")
        >>> done.written == made.written
        True
    """
    _check_files(options)
    from restorecli.api.results import RestoreResult
    from restorecli.folders.shards import Shard, refuse_shard
    from restorecli.folders.single import single_target
    from restorecli.restoration.auto import kinds_found

    target = single_target(options.source, options.output, options.image_format)
    shard = Shard.parse(options.shard)
    if target is not None:
        refuse_shard(shard)
    known = options.known
    tuning = _tuned(options, known)
    restorer = _restorer(options, known, None if tuning is None else tuning.values)
    if target is None:
        done = _folder_done(options, restorer, known)
    else:
        done = _file_done(options, restorer, known, target)
    return RestoreResult(**vars(done), tuning=tuning, kinds=kinds_found(restorer))


restore = from_keywords("restore", RestoreOptions, run_restore)


def _check_files(options: RestoreOptions) -> None:
    """Look at named weights files before torch is imported, which takes seconds.

    Raises:
        WeightsError: One of them cannot hold weights.
    """
    from restorecli.core.weights_files import check_weights_file

    for named in (options.model, options.weights):
        if named is not None:
            check_weights_file(Path(named))


def plan_restore(options: RestoreOptions) -> RestorePlan:
    """Return what `run_restore` would do with the same options, and about how long it would take.

    Raises:
        RestorecliError: As of `run_restore`, as far as it shows before anything is restored.
    """
    _check_files(options)
    from restorecli.folders.shards import Shard
    from restorecli.folders.single import single_target
    from restorecli.restoration.dry_run import plan_file, plan_folder

    target = single_target(options.source, options.output, options.image_format)
    known, reading = options.known, options.reading
    restorer = _restorer(options, known, None)
    source, overwrite = Path(options.source), options.overwrite
    painter = _painter(options, restorer)
    if target is not None:
        return plan_file(source, target, painter, known=known, reading=reading, overwrite=overwrite)
    return plan_folder(
        source,
        Path(options.output),
        painter,
        known=known,
        reading=reading,
        image_format=options.image_format,
        quality=options.quality,
        overwrite=overwrite,
        shard=Shard.parse(options.shard),
    )


def check_restore_tiles(options: RestoreOptions) -> tuple[Path, TileCheck]:
    """Return the first picture of the source, and what cutting it into tiles costs with the same options.

    Raises:
        RestorecliError: As of `run_restore`, or there is no seam: the picture fits into one tile.
    """
    from restorecli.folders.walking import walk
    from restorecli.restoration.check import check_picture
    from restorecli.restoration.picture import parse_tile
    from restorecli.restoration.records import SourceRecords

    known, source = options.known, Path(options.source)
    file = walk(source)[0]
    checked = check_picture(
        file,
        _restorer(options, known, None),
        known,
        SourceRecords(source if source.is_dir() else source.parent),
        tile=parse_tile(options.tile),
        overlap=options.overlap,
        reading=options.reading,
    )
    return file.path, checked


def _restorer(options: RestoreOptions, known: Known, tuned: Mapping[str, object] | None) -> Restorer:
    from restorecli.restoration.choice import choose_restorer

    return choose_restorer(
        options.model,
        parameters=options.parameters if tuned is None else tuned,
        weights=options.weights,
        known=known,
        device=options.device,
        precision=options.precision,
        ensemble=options.ensemble,
        backend=options.backend,
    )


def _folder_done(options: RestoreOptions, restorer: Restorer, known: Known) -> FolderSummary:
    from restorecli.folders.shards import Shard
    from restorecli.restoration.folder import restore_folder

    return restore_folder(
        Path(options.source),
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
        shard=Shard.parse(options.shard),
        reading=options.reading,
        known=known,
        progress=options.progress,
    )


def _painter(options: RestoreOptions, restorer: Restorer) -> PictureRestorer:
    from restorecli.restoration.picture import PictureRestorer

    return PictureRestorer(
        restorer,
        tile=options.tile,
        overlap=options.overlap,
        strength=options.strength,
        keep_defects=options.keep_defects,
    )


def _file_done(options: RestoreOptions, restorer: Restorer, known: Known, target: Path) -> FolderSummary:
    from restorecli.restoration.single import restore_file

    return restore_file(
        Path(options.source),
        target,
        _painter(options, restorer),
        known=known,
        reading=options.reading,
        quality=options.quality,
        overwrite=options.overwrite,
        progress=options.progress,
    )


def _tuned(options: RestoreOptions, known: Known) -> Tuning | None:
    """Pick the method's parameters where that is asked for."""
    if options.tune is None:
        return None
    from restorecli.folders.walking import check_exists
    from restorecli.tune import tuning

    check_exists(Path(options.source))  # before minutes of searching
    return tuning.tune(
        str(options.model),
        Path(options.tune[0]),
        Path(options.tune[1]),
        known=known,
        fixed=options.parameters,
        reading=options.reading,
        progress=options.progress,
    )
