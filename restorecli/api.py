"""The Python interface: the same four verbs as the command line, and the two ways to a network.

Every function imports what it needs when it is called, so that `import restorecli` stays instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from restorecli.core.restorer import TorchRestorer
    from restorecli.evaluation.result import Evaluation
    from restorecli.folders.jobs import FolderSummary
    from restorecli.restoration.onnx_runtime import OnnxRestorer
    from restorecli.training.run import TrainResult

    Step = str | Mapping[str, object]


def create_model(name: str, **arguments: object) -> nn.Module:
    """Build an untrained network.

    Args:
        name: A name of `restorecli models`, e.g. "sca-unet".
        arguments: The network's own arguments, e.g. `channels=1`; a misspelt one is an error.

    Returns:
        A torch module that maps (N, C, H, W) to the same shape (times its scale), float32, range [0, 1].

    Raises:
        UsageError: The name or an argument is unknown.
    """
    from restorecli.core.models.catalog import create_model as build

    return build(name, **arguments)


def load(
    name_or_file: str | Path,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    precision: str = "auto",
) -> TorchRestorer | OnnxRestorer:
    """Load a trained network, ready to restore.

    Args:
        name_or_file: "model" or "model.tag" of `restorecli models`, or a file that `restorecli train` or
            `restorecli export` wrote.
        weights: A foreign checkpoint (.pth or .safetensors) for the network `name_or_file`.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32", "bf16" or "fp16".

    Returns:
        A restorer: called with a float32 (N, C, H, W) batch in [0, 1], C = 1 or 3 and any H and W, it
        returns the restored batch in the same shape (times its scale) and range.

    Raises:
        UsageError: The name is unknown, or a package for an exported file is missing.
        WeightsError: The weights are missing, damaged or do not fit.
    """
    from restorecli.restoration.backends import load_network

    return load_network(name_or_file, weights=weights, device=device, precision=precision)


def degrade(
    source: str | Path | None = None,
    output: str | Path = "degraded",
    *,
    noise: Sequence[Step],
    seed: int = 0,
    workers: int | None = None,
    unclipped: bool = False,
    to_srgb: bool = False,
    frames: str = "refuse",
    allow_truncated: bool = False,
) -> FolderSummary:
    """Write degraded versions of a folder of pictures, with a manifest of what was done to each.

    Args:
        source: Folder or file; None takes the built-in sample photographs.
        output: Folder to write into; made when missing.
        noise: The chain, in order: names ("gaussian") or mappings ({"name": "gaussian", "sigma": "0..55"}).
        seed: Seed of the run; the seed of each image is derived from it and the image's relative path.
        workers: Threads; any number gives the same bytes.
        unclipped: Keep values outside [0, 1] by writing 32-bit float TIFF, as papers test.
        to_srgb: Convert to sRGB through the colour profile; also the only way in for CMYK.
        frames: "refuse" files that hold several pictures, or read the "first".
        allow_truncated: Read what is left of damaged files instead of refusing them.

    Returns:
        How many pictures were written, skipped and failed, and why.

    Raises:
        UsageError: A degradation or parameter is unknown or out of range.
        BusyError: Another run is writing into `output`.
    """
    from restorecli.degradation.chain import Chain
    from restorecli.degradation.folder import degrade_folder
    from restorecli.images.options import ReadOptions

    return degrade_folder(
        None if source is None else Path(source),
        Path(output),
        Chain.from_specs(noise),
        seed=seed,
        workers=workers,
        unclipped=unclipped,
        reading=ReadOptions(allow_truncated, to_srgb, frames),
    )


def train(
    recipe: str | Path,
    *,
    output: str | Path | None = None,
    resume: bool = False,
    allow_change: Sequence[str] = (),
    data: Sequence[str | Path] = (),
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
) -> TrainResult:
    """Train a network by a recipe.

    Args:
        recipe: A YAML file, or the name of a shipped recipe (`restorecli recipes`).
        output: The run folder; by default `runs/NAME`.
        resume: Continue exactly where the run folder's last checkpoint stopped.
        allow_change: What may differ when resuming: "pictures", "torch", or keys of the recipe.
        data: Folders of clean pictures, in place of the recipe's.
        seed: In place of the recipe's.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32" or "bf16", in place of the recipe's.

    Returns:
        The run folder, the steps done and the best validation scores.

    Raises:
        RecipeError: The recipe is wrong; every fault is listed and nothing was started.
        DivergedError: The loss was not finite several times in a row; the last good checkpoint is kept.
    """
    from restorecli.training.run import train as run_training

    return run_training(
        recipe,
        output=None if output is None else Path(output),
        resume=resume,
        allow_change=allow_change,
        data=[Path(folder) for folder in data],
        seed=seed,
        device=device,
        precision=precision,
    )


def restore(
    source: str | Path,
    output: str | Path = "restored",
    *,
    model: str | Path = "sca-unet",
    parameters: Mapping[str, object] | None = None,
    sigma: float | None = None,
    operator: str | Sequence[str] = (),
    mask: str | Path | None = None,
    tune: tuple[str | Path, str | Path] | None = None,
    weights: str | Path | None = None,
    tile: int | str = "auto",
    overlap: int | None = None,
    device: str | None = None,
    precision: str = "auto",
    ensemble: bool = False,
    workers: int | None = None,
    to_srgb: bool = False,
    frames: str = "refuse",
    allow_truncated: bool = False,
) -> FolderSummary:
    """Restore a folder of pictures.

    Args:
        source: Folder or file.
        output: Folder to write into; the relative tree is kept.
        model: "model", "model.tag", a .safetensors file, or a method that needs no training, such as
            "wiener-deconv".
        parameters: Of the method, by name.
        sigma: For a method: level of the noise, 0-255 scale; None takes the manifest's, else estimates it.
        operator: For a method: what blurred or reduced the pictures, e.g. "gaussian-blur:sigma=1.6", or the
            path of a kernel's picture; several are applied in order. Empty takes the manifest's.
        mask: For a method: lost pixels, as a file, a folder of masks, or a colour "#RRGGBB".
        tune: For a method: folders of degraded pictures and of their originals, on which the parameters that
            are not given are picked first; the manifest says which.
        weights: A foreign checkpoint for `model`.
        tile: "auto", "none" or the side of a tile in pixels.
        overlap: Pixels that neighbouring tiles share; by default what the network needs.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32", "bf16" or "fp16".
        ensemble: For a network: restore eight turned and mirrored ways and take the mean.
        workers: Threads that read and write; any number gives the same pictures.
        to_srgb: Convert to sRGB through the colour profile; also the only way in for CMYK.
        frames: "refuse" files that hold several pictures, or read the "first".
        allow_truncated: Read what is left of damaged files instead of refusing them.

    Returns:
        How many pictures were written, skipped and failed, and why.

    Raises:
        UsageError: The model or an option is unknown, or the output would overwrite the source.
        DataError: There is no source, its manifest is damaged, or `tune` holds no pair.
        WeightsError: The weights are missing, damaged or do not fit.
        BusyError: Another run is writing into `output`.
        ResourceError: Memory or disk ran out even after backing off.
    """
    from restorecli.images.options import ReadOptions
    from restorecli.restoration.choice import choose_restorer
    from restorecli.restoration.folder import restore_folder
    from restorecli.restoration.known import Known

    reading = ReadOptions(allow_truncated, to_srgb, frames)
    known = Known.from_words(
        sigma=sigma,
        operator=(operator,) if isinstance(operator, str) else operator,
        mask=None if mask is None else str(mask),
        device=device,
    )
    if tune is not None:
        from restorecli.folders.walking import check_exists
        from restorecli.tune.tuning import tune as pick

        check_exists(Path(source))
        pairs = Path(tune[0]), Path(tune[1])
        parameters = pick(str(model), *pairs, known=known, fixed=parameters, reading=reading).values
    restorer = choose_restorer(
        model,
        parameters=parameters,
        weights=weights,
        known=known,
        device=device,
        precision=precision,
        ensemble=ensemble,
    )
    return restore_folder(
        Path(source),
        Path(output),
        restorer,
        tile=tile,
        overlap=overlap,
        workers=workers,
        reading=reading,
        known=known,
    )


def evaluate(
    restored: str | Path | None = None,
    reference: str | Path | None = None,
    *,
    degraded: str | Path | None = None,
    by: Sequence[str] = ("category",),
    metrics: Sequence[str] = ("psnr", "ssim"),
    protocol: str = "rgb",
    masks: str | Path | None = None,
    workers: int | None = None,
) -> Evaluation:
    """Score restored pictures against their references: per image, then by category and any other field.

    Args:
        restored: Folder of restored pictures; None takes `./restored`, else `./degraded`.
        reference: Folder of references; None follows the manifest.
        degraded: Folder of degraded pictures to compare with; None follows the manifest.
        by: Fields whose values, crossed, make the groups: "category", "defect", "degradation", "severity",
            "model", "seed", or a drawn value of the manifest such as "sigma".
        metrics: Names of `restorecli eval --list-metrics`, or "all" for those that need no extra package.
        protocol: Whose convention PSNR and SSIM follow, e.g. "y-matlab" or "basicsr:4".
        masks: Folder of masks of the defects; None takes those of an MVTec-style tree.
        workers: Threads; any number gives the same table to the last digit.

    Returns:
        Scores by image, by category, by group and overall, and every picture that found no mate.

    Raises:
        UsageError: A metric, the protocol or a field is unknown.
        DataError: A folder is missing, nothing says where references are, or not one pair could be scored.
    """
    from restorecli.degradation.again import degrade_again
    from restorecli.evaluation.folder import evaluate_folders

    folders = [None if place is None else Path(place) for place in (restored, reference, degraded, masks)]
    return evaluate_folders(
        folders[0],
        folders[1],
        degraded=folders[2],
        by=by,
        metrics=metrics,
        protocol=protocol,
        masks=folders[3],
        redegrade=degrade_again,
        workers=workers,
    )
