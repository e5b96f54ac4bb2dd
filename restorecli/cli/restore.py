"""`restorecli restore`: undo degradations on a folder of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from restorecli.cli import options, render
from restorecli.cli.progress import BarProgress
from restorecli.cli.tuning import tune_and_tell

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
    side = options.tile_side(tile)
    from restorecli.folders.walking import check_exists
    from restorecli.images.options import ReadOptions
    from restorecli.restoration.choice import choose_restorer
    from restorecli.restoration.folder import restore_folder
    from restorecli.restoration.known import Known
    from restorecli.restoration.methods.catalog import settings_for

    known = Known.from_words(sigma=sigma, operator=operator or (), mask=mask, device=device)
    reading = ReadOptions(allow_truncated, to_srgb, frames)
    parameters: Mapping[str, object] = settings_for(model, settings or ())
    more: dict[str, object] = {}
    if tune is not None:
        check_exists(source)
        tuning = tune_and_tell(model, tune, known=known, fixed=parameters, reading=reading)
        parameters, more = tuning.values, {"tuned": tuning.to_dict()}
    restorer = choose_restorer(
        model,
        parameters=parameters,
        weights=weights,
        known=known,
        device=device,
        precision=precision,
        ensemble=ensemble,
    )
    summary = restore_folder(
        source,
        output,
        restorer,
        tile=side,
        overlap=overlap,
        workers=workers,
        image_format=image_format,
        overwrite=overwrite,
        reading=reading,
        known=known,
        progress=BarProgress(),
    )
    render.folder_summary(summary, as_json=as_json, more=more)
