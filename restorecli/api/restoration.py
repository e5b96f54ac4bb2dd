"""Restoring folders of images: the options, and the one implementation behind Python and command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.api.keywords import from_keywords
from restorecli.core.weights_files import check_known_network, check_weights_file
from restorecli.folders.jobs import Progress
from restorecli.images.options import ReadOptions
from restorecli.restoration.known import Known
from restorecli.restoration.lost_pixels import Hold

if TYPE_CHECKING:
    from restorecli.api.results import RestoreResult
    from restorecli.restoration.check import TileCheck
    from restorecli.restoration.dry_run import RestorePlan


@dataclass(frozen=True)
class RestoreOptions:
    """What to restore, with what, and where to write it.

    Attributes:
        source: Folder or file, or the address of one, such as s3://bucket/folder.
        output: Folder to write into, where the relative tree is kept; or, for one image, the file to write,
            whose suffix chooses the format. Either may be an address.
        model: "auto", which finds out what each image needs and leaves those without damage as they are; or
            "model", "model.tag", a .safetensors or .onnx file, or a method that needs no training, such as
            "wiener-deconv".
        parameters: Of the method, by name.
        sigma: Level of the noise, 0-255 scale, for methods and networks that use it; None takes the
            manifest's, else estimates it.
        operator: For a method: what blurred or reduced the images, e.g. "gaussian-blur:sigma=1.6", or the
            path of a kernel's image; several are applied in order. Empty takes the manifest's.
        mask: For a method: lost pixels, as a file, a folder of masks, the address of either, or a color
            "#RRGGBB".
        tune: For a method: folders of degraded images and of their originals, on which the parameters that
            are not given are picked first; the result and the manifest say which.
        weights: A foreign checkpoint for `model`.
        strength: Share of what is restored in the result, 0 to 1; the rest is the input.
        keep_defects: Give back structure that a denoiser removed with the noise, so that faint defects
            survive; the manifest, a note and the folder `defects` say where.
        tile: "auto", "none" or the side of a tile in pixels.
        overlap: Pixels that neighboring tiles share; by default what the network needs.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32", "bf16" or "fp16".
        backend: What computes a network: "torch", "onnxruntime", "openvino", "ncnn", "compile", or "auto",
            which measures once which is fastest on this machine and gives the same images.
        ensemble: For a network: restore eight turned and mirrored ways and take the mean.
        workers: Threads that read and write; any number gives the same images.
        to_srgb: Convert to sRGB through the color profile; also the only way in for CMYK.
        frames: "refuse" files that hold several images, or take the "first", "all" (written as one again),
            or some by numbers counted from 0: "3" or "3..8".
        range: Which values are black and white: "auto" finds out where values do not fill their type, "file"
            takes the file's tags, "type" the whole type, and "0..4095" two values.
        allow_truncated: Read what is left of damaged files instead of refusing them.
        image_format: "png", "jpeg", "tiff", "webp", "avif", "bmp" or "ppm" for all; None keeps lossless
            formats and makes the others PNG.
        quality: For JPEG and WebP, 1 to 100; None takes 95.
        overwrite: Restore finished images again, and replace results of other models and images that
            `restore` did not write.
        shard: "I/N" restores part I of N of the images: N processes or machines do all, into one folder,
            each with another I.
        cluster: A Ray cluster whose workers restore, one file at a time: "auto" for the one that RAY_ADDRESS
            names, else for all cores of this machine, or HOST:PORT. `workers` counts its processes then.
        progress: Progress callbacks of the job.
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
    cluster: str | None = None
    progress: Progress | None = None

    @property
    def reading(self) -> ReadOptions:
        """How to read what is unusual in files."""
        return ReadOptions(self.allow_truncated, self.to_srgb, self.frames, self.range)

    def known(self, hold: Hold = nullcontext) -> Known:
        """Return what the caller says about the images.

        Args:
            hold: Fetches masks of a remote store.
        """
        return Known.from_words(
            sigma=self.sigma,
            operator=(self.operator,) if isinstance(self.operator, str) else self.operator,
            mask=None if self.mask is None else str(self.mask),
            device=self.device,
            hold=hold,
        )


def run_restore(options: RestoreOptions) -> RestoreResult:
    """Restore a folder of images, or one image.

    Args:
        options: See the class.

    Returns:
        How many images were written, skipped and failed, and why, and what tuning picked.

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
    from restorecli.api import restoring

    return restoring.restore(options)


restore = from_keywords("restore", RestoreOptions, run_restore)


def plan_restore(options: RestoreOptions) -> RestorePlan:
    """Return what `run_restore` would do with the same options, and about how long it would take.

    Raises:
        RestorecliError: As of `run_restore`, as far as it shows before anything is restored.
    """
    _check_files(options)
    from restorecli.api import restoring

    return restoring.plan(options)


def check_restore_tiles(options: RestoreOptions) -> tuple[Path | str, TileCheck]:
    """Return the first image of the source, and what cutting it into tiles costs with the same options.

    Raises:
        RestorecliError: As of `run_restore`, or there is no seam: the image fits into one tile.
    """
    _check_files(options)
    from restorecli.api import restoring

    return restoring.check_tiles(options)


def _check_files(options: RestoreOptions) -> None:
    """Look at named weights files before torch is imported, which takes seconds.

    Raises:
        WeightsError: One of them cannot hold weights.
    """
    for named in (options.model, options.weights):
        if named is not None:
            check_weights_file(Path(named))
    if options.weights is None:
        check_known_network(Path(options.model))
