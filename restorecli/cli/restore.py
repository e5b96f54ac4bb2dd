"""`restorecli restore`: undo degradations on a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli import api
from restorecli.cli import options, support
from restorecli.cli.progress import BarProgress

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
        typer.Option(
            "--overlap",
            min=0,
            help="Pixels by which neighboring tiles overlap.",
            rich_help_panel=options.COMPUTING,
        ),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(
            "--strength",
            min=0,
            max=1,
            help="1 gives the restored image, 0 the input, 0.7 a mix of both.",
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
    quality: options.Quality = None,
    overwrite: options.Overwrite = False,
    shard: options.Shard = None,
    cluster: options.Cluster = None,
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
            help="Measure on the first image what tiles change and which overlap is enough; write nothing.",
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
    asked = api.RestoreOptions(
        source,
        options.output_of(target, output, "restored"),
        model=model,
        parameters=support.restoring.parameters(model, settings or ()),
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
        cluster=cluster,
        progress=None if quiet else BarProgress(),
    )
    if check_tiles:
        support.restoring.check_tiles(asked, as_json=as_json)
    elif dry_run:
        support.restoring.plan(asked, as_json=as_json)
    else:
        support.restoring.run(asked, quiet=quiet, as_json=as_json)
