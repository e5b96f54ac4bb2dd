"""`restorecli bench models`, `bench dither` and `bench ablation`: networks trained and tried in one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli.cli import options, render, tables
from restorecli.cli.progress import TrainingBar
from restorecli.counting import counted
from restorecli.errors import ExitCode
from restorecli.result import CommandResult

if TYPE_CHECKING:
    from restorecli.bench.running import Watch

MODELS_EXAMPLES = (
    "restorecli bench models",
    "restorecli bench models swm nafnet --rounds 5",
    "restorecli bench models --data ./photos --test ./test -o runs --markdown models.md",
)
DITHER_EXAMPLES = ("restorecli bench dither --data ./photos --test ./test -o runs",)
ABLATION_EXAMPLES = (
    "restorecli bench ablation sca-unet --data ./train --test ./test -o runs",
    "restorecli bench ablation swm --data ./train --test ./test -o runs --seeds 5",
)

Names = Annotated[list[str] | None, typer.Argument(help="Which networks; by default all.")]
Data = Annotated[Path, typer.Option("--data", help="Folder to train on, laid out as the recipe's.")]
Test = Annotated[
    Path | None, typer.Option("--test", help="Folder for the test; by default images held out of training.")
]
Runs = Annotated[
    Path, typer.Option("-o", "--output", help="Folder of the runs; what is done in it is not done again.")
]
Hours = Annotated[
    float | None, typer.Option("--hours", min=0, help="Budget of each training, in place of the recipe's.")
]
Threads = Annotated[int, typer.Option("--threads", min=1, help="Threads that compute.")]


def models(
    names: Names = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Clean images: each network is trained on them and tried.")
    ] = None,
    test: Test = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the runs; what is done in it is not done again."),
    ] = None,
    hours: Hours = None,
    side: Annotated[int, typer.Option("--side", min=16, help="Side of the square that is timed.")] = 256,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Timed calls; medians are shown.")] = 3,
    threads: Threads = 1,
    markdown: tables.Markdown = None,
    as_json: options.Json = False,
) -> None:
    """Measure every network: parameters, multiply-adds per pixel and speed; with --data, dB gained, too.

    Each is trained by its recipe `quick/NAME` in its small size, for a few minutes, against Gaussian noise of
    sigma 25. A run that was interrupted goes on by the same command.
    """
    from restorecli.bench.complexity import COUNTED
    from restorecli.bench.models import bench_models, models_table

    bench = bench_models(
        names or (),
        data=data,
        test=test,
        runs=output,
        hours=hours,
        side=side,
        rounds=rounds,
        threads=threads,
        watch=_watch(),
    )
    result = _result("models", bench.to_dict(), failed=bool(bench.failed))
    tables.show(*models_table(bench), result, markdown, as_json=as_json)
    render.say(
        f"Speed: megapixels per CPU second of one core on a {side}x{side} RGB image, fp32, "
        f"{counted(threads, 'thread')}, median of {rounds}.",
        f"{COUNTED[0].upper()}{COUNTED[1:]}.",
    )
    _leave(result)


def dither(
    data: Data,
    output: Runs,
    names: Names = None,
    test: Test = None,
    hours: Hours = None,
    threads: Threads = 1,
    markdown: tables.Markdown = None,
    as_json: options.Json = False,
) -> None:
    """Train five baselines against error diffusion: what each gains over the dithered images."""
    from restorecli.bench.dither import bench_dither, dither_table

    bench = bench_dither(
        names or (), data=data, test=test, runs=output, hours=hours, threads=threads, watch=_watch()
    )
    result = _result("dither", bench.to_dict(), failed=bool(bench.failed))
    tables.show(*dither_table(bench), result, markdown, as_json=as_json)
    _leave(result)


def ablation(
    network: Annotated[str, typer.Argument(help="sca-unet, swm or lcdnet.", metavar="NETWORK")],
    data: Data,
    test: Annotated[Path, typer.Option("--test", help="Folder for the test, laid out as the recipe's.")],
    output: Runs,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each variant.")] = 3,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Budget of each training, in place of the recipe's.")
    ] = None,
    threads: Threads = 1,
    markdown: tables.Markdown = None,
    as_json: options.Json = False,
) -> None:
    """Train a network with and without its parts, with several seeds each, and tell whether they help.

    The recipe is `ablation/NETWORK`; its folders are looked for below --data and --test.
    """
    from restorecli.bench.ablations import ablation_table, bench_ablation
    from restorecli.bench.parts import POLICY

    bench = bench_ablation(
        network, data=data, test=test, runs=output, seeds=seeds, steps=steps, threads=threads, watch=_watch()
    )
    result = _result("ablation", bench.to_dict(), failed=bench.failed)
    tables.show(*ablation_table(bench), result, markdown, as_json=as_json)
    render.say(POLICY)
    _leave(result)


def _watch() -> Watch:
    from restorecli.bench.running import Watch

    return Watch(log=render.say, monitor=TrainingBar)


def _result(name: str, content: object, *, failed: bool) -> CommandResult:
    code = ExitCode.SOME_FAILED if failed else ExitCode.DONE
    notes = ["a training failed; its line says why"] if failed else []
    return CommandResult(f"bench {name}", content, notes=notes, exit_code=code)


def _leave(result: CommandResult) -> None:
    if result.exit_code:
        raise typer.Exit(result.exit_code)
