"""`restorecli restore`: undo degradations on a folder of images."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli import api
from restorecli.cli import options, render, tuning
from restorecli.cli.progress import BarProgress
from restorecli.result import CommandResult

if TYPE_CHECKING:
    from restorecli.restoration.check import TileCheck
    from restorecli.restoration.dry_run import RestorePlan

EXAMPLES = (
    "restorecli restore photo.jpg -o better.png",
    "restorecli restore ./degraded --model sca-unet",
    "restorecli restore photo.jpg better.jpg --quality 90 --strength 0.7",
    "restorecli restore photo.png -o ./out --tile 512",
    "restorecli restore ./imgs --model sca-unet.noise-blur --format tiff",
    "restorecli restore ./inspection --model sca-unet.noise-blur --keep-defects",
    "restorecli restore ./blurred --model wiener-deconv --operator gaussian-blur:sigma=2 --sigma 3",
    "restorecli restore ./noisy -o ./tuned --model tv --tune ./some/noisy ./some/photos",
)


def command(
    source: Annotated[Path, typer.Argument(help="Folder or file to restore.", metavar="SRC")],
    target: options.Target = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Folder to write into, by default ./restored; or for one image a file, e.g. better.png.",
            metavar="OUT",
        ),
    ] = None,
    model: options.Model = "auto",
    weights: options.Weights = None,
    settings: options.MethodSettings = None,
    sigma: options.KnownSigma = None,
    operator: options.KnownOperator = None,
    mask: options.KnownMask = None,
    tune: options.Tune = None,
    tile: Annotated[
        str,
        typer.Option(
            "--tile",
            help="auto, none, or a side in pixels.",
            rich_help_panel=options.COMPUTING,
            metavar="SIDE",
        ),
    ] = "auto",
    overlap: Annotated[
        int | None,
        typer.Option("--overlap", min=0, help="Pixels that tiles share.", rich_help_panel=options.COMPUTING),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(
            "--strength",
            min=0,
            max=1,
            help="Share of what is restored; the rest is the input.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = 1.0,
    keep_defects: Annotated[
        bool,
        typer.Option(
            "--keep-defects",
            help="Give back structure that a denoiser takes for noise, and say where.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = False,
    ensemble: options.Ensemble = False,
    to_srgb: options.ToSrgb = False,
    frames: options.Frames = "refuse",
    value_range: options.Range = "auto",
    allow_truncated: options.AllowTruncated = False,
    precision: options.Precision = "auto",
    backend: options.Backend = "torch",
    device: options.Device = None,
    workers: options.Workers = None,
    image_format: options.Format = None,
    quality: Annotated[
        int | None,
        typer.Option(
            "--quality",
            min=1,
            max=100,
            help="Of JPEG and WebP; 95 if left out.",
            rich_help_panel=options.WRITING,
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    shard: options.Shard = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would be done, with which model, and about how long it takes."
        ),
    ] = False,
    check_tiles: Annotated[
        bool,
        typer.Option(
            "--check-tiles",
            help="Say what tiles cost on the first image, and the overlap that is enough; write nothing.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Restore one image or a folder: by itself, or with a network or a method that --model names.

    Without --model each image is diagnosed and gets what helps; one without damage is copied as it is.
    Depth, alpha, EXIF and ICC are kept, finished files are skipped, and one bad file costs one file.
    """
    from restorecli.restoration.methods.catalog import settings_for
    from restorecli.restoration.purposes import model_named

    asked = api.RestoreOptions(
        source,
        options.output_of(target, output, "restored"),
        model=model,
        parameters=settings_for(model_named(model), settings or ()),
        sigma=sigma,
        operator=operator or (),
        mask=mask,
        tune=tune,
        weights=weights,
        strength=strength,
        keep_defects=keep_defects,
        tile=tile,
        overlap=overlap,
        device=device,
        precision=precision,
        backend=backend,
        ensemble=ensemble,
        workers=workers,
        to_srgb=to_srgb,
        frames=frames,
        range=value_range,
        allow_truncated=allow_truncated,
        image_format=image_format,
        quality=quality,
        overwrite=overwrite,
        shard=shard,
        progress=None if quiet else BarProgress(),
    )
    if check_tiles:
        _print_tile_check(*api.check_restore_tiles(asked), as_json=as_json)
        return
    if dry_run:
        _print_plan(api.plan_restore(asked), as_json=as_json)
        return
    result = api.run_restore(asked)
    if result.tuning is not None and not quiet:
        tuning.show(result.tuning)
    if not quiet:
        render.say(*result.kinds)
    render.folder_summary(result, json_wanted=as_json, quiet=quiet)


def _print_tile_check(image: Path, check: TileCheck, *, as_json: bool) -> None:
    """Say how far tiles are from the whole image."""
    if as_json:
        render.as_json(CommandResult("restore", {"picture": str(image), **check.to_dict()}))
    close = "equal to the whole" if check.psnr == math.inf else f"{check.psnr:.1f} dB to the whole"
    exact = ", as they must be" if check.exact else ""
    render.say(
        f"{image.name}: tiles of {check.tile} px that share {check.overlap} px are {close}{exact}; "
        f"steps at their joins are {check.seam_ratio:.2f} times those of the whole."
    )
    if check.enough is None:
        render.say(f"No overlap was enough with tiles of {check.tile} px: try a larger --tile.")
    else:
        render.say(
            f"An overlap of {check.enough} px is enough for {check.wanted:.0f} dB. Nothing was written."
        )


def _print_plan(plan: RestorePlan, *, as_json: bool) -> None:
    """Say what a run would do."""
    if as_json:
        render.as_json(CommandResult("restore", plan.to_dict(), notes=plan.notes))
    finished = f" ({plan.finished} more are finished)" if plan.finished else ""
    count = "1 image" if plan.images == 1 else f"{plan.images} images"
    render.say(*plan.kinds)
    render.say(
        f"{count}, {plan.megapixels:.1f} MP, would be restored with {plan.model} -> {plan.output}{finished}"
    )
    if plan.seconds is not None:
        render.say(f"This would take about {render.duration(plan.seconds)}. Nothing was written.")
    render.say(*(f"note: {note}" for note in plan.notes))
