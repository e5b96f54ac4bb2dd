"""`restorecli restore`: undo degradations on a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli import api
from restorecli.cli import options, render, tuning
from restorecli.cli.progress import BarProgress

EXAMPLES = (
    "restorecli restore ./degraded --model sca-unet",
    "restorecli restore photo.png -o ./out --tile 512",
    "restorecli restore ./imgs --model sca-unet.noise-blur --format tiff",
    "restorecli restore ./blurred --model wiener-deconv --operator gaussian-blur:sigma=2 --sigma 3",
    "restorecli restore ./noisy -o ./tuned --model tv --tune ./some/noisy ./some/photos",
)


def command(
    source: Annotated[Path, typer.Argument(help="Folder or file to restore.", metavar="SRC")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder to write into; the tree of SRC is kept.")
    ] = Path("restored"),
    model: options.Model = "sca-unet",
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
    ensemble: options.Ensemble = False,
    to_srgb: options.ToSrgb = False,
    frames: options.Frames = "refuse",
    allow_truncated: options.AllowTruncated = False,
    precision: options.Precision = "auto",
    device: options.Device = None,
    workers: options.Workers = None,
    image_format: options.Format = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """Restore a folder of pictures with a trained network, or with a method that needs no training.

    Depth, alpha, EXIF and ICC are kept, finished files are skipped, and one bad file costs one file.
    """
    from restorecli.restoration.methods.catalog import settings_for

    result = api.run_restore(
        api.RestoreOptions(
            source,
            output,
            model=model,
            parameters=settings_for(model, settings or ()),
            sigma=sigma,
            operator=operator or (),
            mask=mask,
            tune=tune,
            weights=weights,
            tile=tile,
            overlap=overlap,
            device=device,
            precision=precision,
            ensemble=ensemble,
            workers=workers,
            to_srgb=to_srgb,
            frames=frames,
            allow_truncated=allow_truncated,
            image_format=image_format,
            overwrite=overwrite,
            progress=BarProgress(),
        )
    )
    if result.tuning is not None:
        tuning.show(result.tuning)
    render.folder_summary(result, json_wanted=as_json)
