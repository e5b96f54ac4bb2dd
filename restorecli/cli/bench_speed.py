"""`restorecli bench train`, `bench degrade` and `bench start`: speed beside the usual way, in one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli.cli import options, render
from restorecli.counting import counted
from restorecli.result import CommandResult

if TYPE_CHECKING:
    from restorecli.bench.timing import Taken

TRAIN_EXAMPLES = (
    "restorecli bench train",
    "restorecli bench train dncnn-s-25 --threads 2 --rounds 5",
    "restorecli bench train my-recipe.yaml --data ./photos --batch 16 --json",
)
DEGRADE_EXAMPLES = (
    "restorecli bench degrade",
    "restorecli bench degrade --noise gaussian:sigma=25 --noise jpeg:quality=40 --rounds 9",
    "restorecli bench degrade --data ./photos --json",
)
START_EXAMPLES = ("restorecli bench start", "restorecli bench start --rounds 9 --json")

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder with RGB images; by default the built-in photographs.")
]
Rounds = Annotated[int, typer.Option("--rounds", min=1, help="Timed calls of each kind; medians are shown.")]
Threads = Annotated[int, typer.Option("--threads", min=1, help="Threads that compute.")]
Crop = Annotated[int | None, typer.Option("--crop", min=16, help="Side of the crops, in place of the usual.")]


def train(
    recipe: Annotated[str, typer.Argument(help="Name or file of a recipe.", metavar="RECIPE")] = "dncnn-s-25",
    data: Data = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps of each timed call.")] = 2,
    rounds: Rounds = 3,
    threads: Threads = 1,
    crop: Crop = None,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Crops of a step, in place of the recipe's.")
    ] = None,
    device: Annotated[
        str, typer.Option("--device", help="cpu, cuda or mps.", rich_help_panel=options.COMPUTING)
    ] = "cpu",
    as_json: options.Json = False,
) -> None:
    """Time training steps beside a plain loop, and beside the same network on random tensors.

    All take turns in one run, so that a busy machine slows each alike; "CPU ms" hardly depends on it. Batches
    that the device degrades are timed where it can; with --device cuda also steps as one graph.
    """
    from restorecli.bench.training import bench_training

    bench = bench_training(
        recipe, data, steps=steps, rounds=rounds, threads=threads, crop=crop, batch=batch, device=device
    )
    if as_json:
        render.as_json(CommandResult("bench train", bench.to_dict()))
        return
    rows = [
        (
            way.name,
            f"{1 / way.taken.wall:.2f}",
            f"{bench.batch / way.taken.wall:.1f}",
            f"{way.taken.cpu * 1e3:.0f}",
            *_ratios(way.times_as_fast),
            f"{way.waited:.1%}",
            "-" if way.share_of_limit is None else f"{way.share_of_limit:.0%}",
        )
        for way in bench.ways
    ]
    heads = (
        "training",
        "steps/s",
        "crops/s",
        "CPU ms",
        "times the loop",
        "by CPU time",
        "waited for batches",
        "of the limit",
    )
    render.table(heads, rows)
    limits = ", ".join(f"{name} {speed / 1e9:.0f} GFLOP/s" for name, speed in bench.limits.items())
    render.say(
        f"{bench.recipe}, crops of {bench.crop}, batch {bench.batch}, on {bench.device}, "
        f"{counted(bench.threads, 'thread')}.",
        f"What the machine can do in a CPU second (product or convolution): {limits}.",
    )


def degrade(
    noise: Annotated[
        list[str] | None,
        typer.Option(
            "--noise", help="What to time, e.g. gaussian:sigma=25; may be repeated.", metavar="NAME"
        ),
    ] = None,
    data: Data = None,
    rounds: Rounds = 3,
    crop: Crop = None,
    as_json: options.Json = False,
) -> None:
    """Time degradations beside other libraries, and the folder job beside the usual loop and the codec.

    All take turns in one run, each on one core; "CPU ms" hardly depends on what else the machine does.
    """
    from restorecli.bench.degradation import CHAINS, bench_degradation

    bench = bench_degradation(noise or CHAINS, data, rounds=rounds, crop=crop)
    if as_json:
        render.as_json(CommandResult("bench degrade", bench.to_dict()))
        return
    height, width = bench.size
    pixels = height * width / 1e6
    rows = [
        (
            row.name,
            f"{pixels / row.taken.wall:.1f}",
            f"{row.taken.cpu * 1e3:.1f}",
            row.peer or "-",
            *(("-", "-") if row.times_as_fast is None else _ratios(row.times_as_fast)),
        )
        for row in bench.in_memory
    ]
    render.table(("in memory", "MP/s", "CPU ms", "beside", "times as fast", "by CPU time"), rows)
    render.data("")
    files = [
        (name, f"{pixels / taken.wall:.1f}", f"{taken.cpu * 1e3:.1f}")
        for name, taken in bench.from_files.items()
    ]
    render.table(("from files", "MP/s", "CPU ms"), files)
    copy = bench.machine.bytes_moved / 1e9
    render.say(
        f"{width}x{height}. By CPU time the folder job is {bench.times_the_loop.cpu:.2f} times as fast as "
        f"the usual loop, and {bench.share_of_codec.cpu:.0%} of it is reading and writing, the limit.",
        f"{bench.in_memory[0].name} reaches {bench.moved:.0%} of a copy in memory ({copy:.1f} GB/s).",
    )


def start(rounds: Rounds = 5, model: options.Model = "sca-unet", as_json: options.Json = False) -> None:
    """Time how long programs take from start to end: ours beside the imports that it cannot do without."""
    from restorecli.bench.start import bench_start

    starts = bench_start(rounds=rounds, model=model)
    if as_json:
        render.as_json(CommandResult("bench start", {"programs": [each.to_dict() for each in starts]}))
        return
    rows = [
        (
            each.name,
            f"{each.taken.wall * 1e3:.0f}",
            f"{each.taken.cpu * 1e3:.0f}",
            *_ratios(each.times_the_base),
        )
        for each in starts
    ]
    render.table(("from start to end", "ms", "CPU ms", "times the imports", "by CPU time"), rows)
    render.say("The imports are those of typer and rich, which every such command line needs.")


def _ratios(ratio: Taken) -> tuple[str, str]:
    return f"{ratio.wall:.2f}", f"{ratio.cpu:.2f}"
