"""`restorecli show`: images side by side, in the terminal or as one PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from restorecli.cli import options, support

EXAMPLES = (
    "restorecli show ./degraded ./restored",
    "restorecli show ./degraded ./restored ./photos -o sheet.png --difference",
    "restorecli show ./photos --limit 12",
    "restorecli show before.png after.png --crop 64x64+100+80",
    "restorecli show noisy=./noisy ours=./restored clean=./photos --inset --scores",
)

_VIEWING = "What is looked at"


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files or folders, with a title where wanted; by default ./degraded and ./restored.",
            metavar="[TITLE=]PATH",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="PNG to write instead of showing.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Images at most, evenly spread over the folder.")
    ] = 24,
    crop: Annotated[
        str | None,
        typer.Option(
            "--crop",
            help="Part in pixels of the last image of a row.",
            metavar="WxH+X+Y",
            rich_help_panel=_VIEWING,
        ),
    ] = None,
    zoom: Annotated[
        float,
        typer.Option(
            "--zoom",
            min=1.0,
            help="Show the center (of --crop), so many times larger.",
            rich_help_panel=_VIEWING,
        ),
    ] = 1.0,
    inset: Annotated[
        bool,
        typer.Option(
            "--inset",
            help="Show the whole image, and the part of --crop or --zoom enlarged in a box.",
            rich_help_panel=_VIEWING,
        ),
    ] = False,
    with_scores: Annotated[
        bool,
        typer.Option(
            "--scores",
            help="Write PSNR and SSIM against the last image below each.",
            rich_help_panel=_VIEWING,
        ),
    ] = False,
    difference: Annotated[
        bool,
        typer.Option(
            "--difference",
            help="Add the difference from the last image, 4 times enlarged; mid-gray is equal.",
            rich_help_panel=_VIEWING,
        ),
    ] = False,
    error: Annotated[
        bool,
        typer.Option(
            "--error",
            help="Add the absolute error in colors: black 0, pale yellow 51 of 255.",
            rich_help_panel=_VIEWING,
        ),
    ] = False,
    spectrum: Annotated[
        bool,
        typer.Option("--spectrum", help="Add the spectrum, lowest in the middle.", rich_help_panel=_VIEWING),
    ] = False,
    value_range: Annotated[
        str,
        typer.Option(
            "--range",
            help="Values shown as black and white: auto, file, type, or 0..4095.",
            metavar="RANGE",
            rich_help_panel=_VIEWING,
        ),
    ] = "auto",
    strip_suffix: options.StripSuffix = None,
    size: Annotated[
        int | None, typer.Option("--size", min=16, max=4096, help="Side of an image in the PNG.")
    ] = None,
    colors: Annotated[
        Literal["auto", "24bit", "256", "ascii"],
        typer.Option("--colors", help="What the terminal can show."),
    ] = "auto",
    as_json: options.Json = False,
) -> None:
    """Show images of the same name side by side, in the terminal or as one PNG.

    Each path is a column; images are matched by relative path, then by stem; one folder gives thumbnails.
    What has no counterpart or cannot be read is listed, and gives exit code 3.
    """
    maps = tuple(name for name, wanted in (("difference", difference), ("error", error)) if wanted)
    box = None if crop is None else support.show.box(crop)
    support.show.show(
        paths,
        support.show.View(box, zoom, inset, with_scores, maps, spectrum, value_range),
        limit=limit,
        endings=strip_suffix or (),
        output=output,
        size=size,
        colors=colors,
        as_json=as_json,
    )
