"""`restorecli degrade`: make degraded images and remember what was done to each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restorecli import api
from restorecli.cli import completion, options, render, support
from restorecli.cli.progress import BarProgress
from restorecli.heap import give_back_large_blocks

EXAMPLES = (
    "restorecli degrade --noise gaussian",
    "restorecli degrade photo.png noisy.png --noise gaussian --sigma 25",
    "restorecli degrade ./photos -o ./noisy --noise gaussian --sigma 15..50",
    "restorecli degrade ./photos --noise blur --noise gaussian --severity 3",
    "restorecli degrade ./photos --noise sand-dust --set sand-dust.beta=1.2",
    "restorecli degrade --list",
)

_WHAT = "What is done"


def command(
    source: Annotated[
        Path | None,
        typer.Argument(help="Folder or file; without it the built-in sample photographs.", metavar="SRC"),
    ] = None,
    target: options.Target = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Folder to write into, by default ./degraded; or for one image a file, e.g. noisy.png.",
            metavar="OUT",
        ),
    ] = None,
    noise: Annotated[
        list[str] | None,
        typer.Option(
            "--noise",
            help="Name of a degradation (see --list); repeat it for a chain, in order.",
            autocompletion=completion.degradations,
            rich_help_panel=_WHAT,
            metavar="NAME",
        ),
    ] = None,
    chain: Annotated[
        Path | None, typer.Option("--chain", help="YAML file with a chain.", rich_help_panel=_WHAT)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Set a parameter: a value, a range 0..55 or a choice 15,25,50.",
            rich_help_panel=_WHAT,
            metavar="NAME.PARAM=VALUE",
        ),
    ] = None,
    sigma: Annotated[
        str | None,
        typer.Option(
            "--sigma",
            help="sigma of the step that has one: noise level or width of a blur.",
            rich_help_panel=_WHAT,
            metavar="VALUE",
        ),
    ] = None,
    severity: Annotated[
        int | None,
        typer.Option(
            "--severity", min=1, max=5, help="Severity preset, 1 (mild) to 5 (severe).", rich_help_panel=_WHAT
        ),
    ] = None,
    random: Annotated[
        bool, typer.Option("--random", help="Sample unset parameters at random.", rich_help_panel=_WHAT)
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option("--replay", help="Repeat byte for byte what this manifest says.", rich_help_panel=_WHAT),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Seed of everything random; 0 if left out.", rich_help_panel=_WHAT),
    ] = None,
    unclipped: Annotated[
        bool,
        typer.Option(
            "--unclipped", help="Keep values outside 0..1: float TIFF.", rich_help_panel=options.WRITING
        ),
    ] = False,
    to_srgb: options.ToSrgb = False,
    frames: options.Frames = "refuse",
    value_range: options.Range = "auto",
    allow_truncated: options.AllowTruncated = False,
    image_format: options.Format = None,
    quality: options.Quality = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            "--mask",
            help="Of one image: write where it was hit, white on black, to this file.",
            rich_help_panel=options.WRITING,
            metavar="FILE",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    shard: options.Shard = None,
    cluster: options.Cluster = None,
    quiet: options.Quiet = False,
    workers: options.Workers = None,
    as_json: options.Json = False,
    show_list: Annotated[
        bool,
        typer.Option(
            "--list",
            help="List the degradations; --list NAME shows the parameters of one.",
        ),
    ] = False,
) -> None:
    """Write degraded copies of images, with a manifest of what was done to each.

    The same seed gives the same bytes, with any number of workers.
    """
    if show_list:
        support.degradations.show_degradations(None if source is None else str(source), as_json=as_json)
        return
    words = support.chain_words.ChainWords(noise or (), chain, settings or (), sigma, severity, random)
    words.check(replay=replay is not None, seed=seed)
    give_back_large_blocks()
    summary = api.run_degrade(
        api.DegradeOptions(
            source,
            options.output_of(target, output, "degraded"),
            noise=words.steps(),
            chain=chain,
            replay=replay,
            seed=seed or 0,
            workers=workers,
            unclipped=unclipped,
            to_srgb=to_srgb,
            frames=frames,
            range=value_range,
            allow_truncated=allow_truncated,
            image_format=image_format,
            quality=quality,
            mask=mask,
            overwrite=overwrite,
            shard=shard,
            cluster=cluster,
            progress=None if quiet else BarProgress(),
        )
    )
    render.folder_summary(summary, json_wanted=as_json, quiet=quiet)
