"""Options that several commands share, each defined once, and the readers of their values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from restorecli.cli import completion
from restorecli.errors import UsageError

WRITING = "How it is written"
COMPUTING = "How it is computed"
READING = "Reading"
KNOWN = "Known degradation"

ImageFormat = Literal["png", "jpeg", "tiff", "webp", "avif", "bmp", "ppm"]
PrecisionName = Literal["auto", "fp32", "bf16", "fp16"]
BackendName = Literal["auto", "torch", "onnxruntime", "openvino", "ncnn", "compile"]

Open = Annotated[
    bool, typer.Option("--open", help="Open the HTML page in the browser.", rich_help_panel="Files")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Make finished files again instead of skipping.", rich_help_panel=WRITING
    ),
]
Format = Annotated[
    ImageFormat | None,
    typer.Option(
        "--format", help="File format; by default lossless files keep theirs.", rich_help_panel=WRITING
    ),
]
Quality = Annotated[
    int | None,
    typer.Option(
        "--quality", min=1, max=100, help="Of JPEG, AVIF and WebP; 95 if left out.", rich_help_panel=WRITING
    ),
]
Target = Annotated[
    str | None,
    typer.Argument(help="File or folder to write, in place of -o.", metavar="OUT"),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=WRITING),
]
ToSrgb = Annotated[
    bool,
    typer.Option(
        "--to-srgb",
        help="Convert to sRGB by the color profile; needed for CMYK and Lab.",
        rich_help_panel=READING,
    ),
]
Frames = Annotated[
    str,
    typer.Option(
        "--frames",
        help="Files of several images: refuse, first, all, or by numbers from 0: 3 or 3..8.",
        metavar="FRAMES",
        rich_help_panel=READING,
    ),
]
Range = Annotated[
    str,
    typer.Option(
        "--range",
        help="Values that are black and white: auto, file (its tags), type (its type), or 0..4095.",
        metavar="RANGE",
        rich_help_panel=READING,
    ),
]
AllowTruncated = Annotated[
    bool,
    typer.Option("--allow-truncated", help="Read what is left of damaged files.", rich_help_panel=READING),
]
Shard = Annotated[
    str | None,
    typer.Option(
        "--shard",
        help="Do part I of N of the images, so that N processes or machines share a folder.",
        metavar="I/N",
        rich_help_panel=COMPUTING,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Let the workers of a Ray cluster do it: auto (RAY_ADDRESS, else all cores here), or HOST:PORT.",
        metavar="ADDRESS",
        rich_help_panel=COMPUTING,
    ),
]
StripSuffix = Annotated[
    list[str] | None,
    typer.Option(
        "--strip-suffix",
        help="Ending to take off file names before they are matched, e.g. _x1_Mine; else guessed.",
        rich_help_panel=READING,
        metavar="TEXT",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Threads; any number gives the same result.", rich_help_panel=COMPUTING
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device", help="cuda, mps or cpu; by default the first that is here.", rich_help_panel=COMPUTING
    ),
]
Precision = Annotated[
    PrecisionName, typer.Option("--precision", help="Arithmetic of the network.", rich_help_panel=COMPUTING)
]
Backend = Annotated[
    BackendName,
    typer.Option(
        "--backend",
        help="What computes a network; auto measures once which is fastest here.",
        rich_help_panel=COMPUTING,
    ),
]
Ensemble = Annotated[
    bool,
    typer.Option(
        "--ensemble",
        help="Self-ensemble: mean over 8 flips and rotations; a little better, 8 times slower.",
        rich_help_panel=COMPUTING,
    ),
]
TrainPrecision = Annotated[
    Literal["auto", "fp32", "bf16"] | None,
    typer.Option("--precision", help="Arithmetic, in place of the recipe's.", rich_help_panel=COMPUTING),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        help="auto, a name of `restorecli models`, a word like denoise or jpeg, or a weights file.",
        autocompletion=completion.models,
    ),
]
MethodSettings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Parameter of the method.", rich_help_panel=KNOWN, metavar="NAME.PARAM=VALUE"),
]
KnownSigma = Annotated[
    float | None,
    typer.Option(
        "--sigma",
        min=0,
        help="Noise on the 0-255 scale; else the manifest's, else estimated.",
        rich_help_panel=KNOWN,
    ),
]
KnownOperator = Annotated[
    list[str] | None,
    typer.Option(
        "--operator",
        help="Blur or reduction, or an image of the kernel; else the manifest's.",
        rich_help_panel=KNOWN,
        metavar="NAME:PARAM=VALUE,...",
    ),
]
KnownMask = Annotated[
    str | None,
    typer.Option(
        "--mask",
        help="Lost pixels: a file, a folder, or a color; else the manifest's.",
        rich_help_panel=KNOWN,
        metavar="FILE|DIR|#RRGGBB",
    ),
]
Tune = Annotated[
    tuple[Path, Path] | None,
    typer.Option(
        "--tune",
        help="Pick the method's parameters on these pairs of folders; --set fixes one.",
        rich_help_panel=KNOWN,
        metavar="DEGRADED REFERENCE",
    ),
]
Reference = Annotated[
    Path | None,
    typer.Argument(help="Clean originals; by default what the manifest names.", metavar="REFERENCE"),
]
Degraded = Annotated[
    Path | None, typer.Option("--degraded", help="Degraded images; by default what the manifest names.")
]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="Foreign checkpoint (.pth, .safetensors) for the network that is named."),
]


def output_of(target: str | None, output: str | None, default: str) -> str:
    """Return where to write: the argument OUT, or `-o`, or the default.

    Raises:
        UsageError: Both are given.
    """
    if target is not None and output is not None:
        raise UsageError(
            "The output is named twice.", expected="OUT or -o/--output", got=f"{target} and {output}"
        )
    return target or output or default


def names(text: str | None) -> tuple[str, ...]:
    """Return the names in the value of an option, which stand between commas."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """Return the whole numbers in the value of an option, which stand between commas.

    Raises:
        UsageError: Something else stands there.
    """
    try:
        return tuple(int(word) for word in names(text))
    except ValueError:
        raise UsageError(f"Invalid {option}.", expected="whole numbers by commas", got=text) from None
