"""`restorecli bench`: speed on this machine, ours beside others' in one run, and networks put to the test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restorecli.cli import (
    bench_auto,
    bench_card,
    bench_methods,
    bench_speed,
    bench_trials,
    bench_weights,
    options,
    render,
)
from restorecli.cli.plain_help import PlainCommand, PlainGroup, examples
from restorecli.counting import counted
from restorecli.result import CommandResult

if TYPE_CHECKING:
    from restorecli.bench.evaluation import EvaluationBench
    from restorecli.bench.throughput import ThroughputBench

EXAMPLES = ("restorecli bench eval", "restorecli bench eval --json", "restorecli bench models")

EVAL_EXAMPLES = (
    "restorecli bench eval",
    "restorecli bench eval --data ./photos --rounds 9",
    "restorecli bench eval --json",
)

RESTORE_EXAMPLES = (
    "restorecli bench restore --model dncnn",
    "restorecli bench restore --model sca-unet --data ./photos --threads 2 --json",
)

Rounds = Annotated[int, typer.Option("--rounds", min=1, help="Timed calls of each kind; medians are shown.")]


def build() -> typer.Typer:
    """Return the group of the benches."""
    group = typer.Typer(cls=PlainGroup, no_args_is_help=True, rich_markup_mode="rich")
    group.callback()(_start)
    group.command("eval", cls=PlainCommand, epilog=examples(*EVAL_EXAMPLES))(evaluation)
    group.command("restore", cls=PlainCommand, epilog=examples(*RESTORE_EXAMPLES))(restoration)
    for command, lines in (
        (bench_speed.train, bench_speed.TRAIN_EXAMPLES),
        (bench_speed.degrade, bench_speed.DEGRADE_EXAMPLES),
        (bench_speed.start, bench_speed.START_EXAMPLES),
        (bench_trials.models, bench_trials.MODELS_EXAMPLES),
        (bench_trials.dither, bench_trials.DITHER_EXAMPLES),
        (bench_trials.ablation, bench_trials.ABLATION_EXAMPLES),
        (bench_methods.methods, bench_methods.METHODS_EXAMPLES),
        (bench_weights.weights, bench_weights.WEIGHTS_EXAMPLES),
        (bench_card.card, bench_card.CARD_EXAMPLES),
        (bench_auto.auto, bench_auto.AUTO_EXAMPLES),
        (bench_auto.orders, bench_auto.ORDER_EXAMPLES),
        (bench_auto.diagnosis, bench_auto.FIT_EXAMPLES),
    ):
        group.command(command.__name__, cls=PlainCommand, epilog=examples(*lines))(command)
    return group


def _start() -> None:
    """Measure the speed on this machine, ours beside others', and put every network to the test."""


def evaluation(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder with RGB images; by default the built-in photographs."),
    ] = None,
    rounds: Rounds = 5,
    workers: options.Workers = None,
    as_json: options.Json = False,
) -> None:
    """Time PSNR + SSIM of 768x512 RGB pairs: ours, and every other library that is installed.

    All take turns in one run, each on one core, so that a busy machine slows each alike; "CPU ms" hardly
    depends on it.
    """
    from restorecli.bench.evaluation import bench_evaluation

    bench = bench_evaluation(data, rounds=rounds, workers=workers)
    if as_json:
        render.as_json(CommandResult("bench eval", bench.to_dict()))
        return
    _show_methods(bench)
    render.data("")
    _print_throughput(bench)
    _print_summary(bench)


def restoration(
    model: options.Model = "sca-unet",
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder with RGB images; by default the built-in photographs."),
    ] = None,
    rounds: Rounds = 3,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads that compute.")] = 1,
    crop: Annotated[
        int | None, typer.Option("--crop", min=16, help="Largest side of what is restored; else 768x512.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", help="Time cuda, mps or cpu beside what limits it: the network alone, codecs alone."
        ),
    ] = None,
    precision: Annotated[
        options.PrecisionName, typer.Option("--precision", help="Arithmetic of the network, with --device.")
    ] = "auto",
    images: Annotated[
        int, typer.Option("--images", min=1, help="Images of each size that a call restores, with --device.")
    ] = 32,
    as_json: options.Json = False,
) -> None:
    """Time restoring beside the usual research loop, in memory and from PNG to PNG; or one device by itself.

    All take turns in one run, so that a busy machine slows each alike; "CPU ms" hardly depends on it.
    """
    if device is not None:
        from restorecli.bench.throughput import bench_throughput

        measured = bench_throughput(
            model,
            data,
            device=device,
            precision=precision,
            rounds=rounds,
            threads=threads,
            crop=crop,
            images=images,
        )
        if as_json:
            render.as_json(CommandResult("bench restore", measured.to_dict()))
        else:
            _show_throughput(measured)
        return
    from restorecli.bench.restoration import bench_restoration

    bench = bench_restoration(model, data, rounds=rounds, threads=threads, crop=crop)
    if as_json:
        render.as_json(CommandResult("bench restore", bench.to_dict()))
        return
    height, width = bench.size
    pixels = height * width / 1e6
    for title, ways in (("in memory", bench.in_memory), ("from files", bench.from_files)):
        rows = [
            (
                way.name,
                f"{pixels / way.taken.wall:.3f}",
                f"{way.taken.cpu * 1e3:.0f}",
                f"{way.times_as_fast.wall:.2f}",
                f"{way.times_as_fast.cpu:.2f}",
                f"{way.difference:.2f}",
                f"{way.loss:+.4f}",
            )
            for way in ways
        ]
        heads = (title, "MP/s", "CPU ms", "times the loop", "by CPU time", "largest difference", "dB lost")
        render.table(heads, rows)
        render.data("")
    render.say(
        f"{bench.model}, {width}x{height}, {counted(bench.threads, 'thread')}; differences in 8-bit levels.",
        "In a CPU second torch does, of the operations that the machine can do: "
        + ", ".join(
            f"{share:.0%} in {name} ({bench.limits[name] / 1e9:.0f} GFLOP/s)"
            for name, share in bench.share_of_limit.items()
        ),
    )


def _show_throughput(bench: ThroughputBench) -> None:
    for one in bench.sizes:
        height, width = one.size
        rows = [
            (name, f"{seconds * 1e3:.2f}", f"{height * width / 1e6 / seconds:.1f}", share)
            for name, seconds, share in (
                ("network alone", one.network, "-"),
                ("in memory", one.in_memory, f"{one.network_share:.0%} of it is the network"),
                ("reading and writing alone", one.codecs, "-"),
                ("PNG to PNG", one.from_files, f"{one.share_of_limit:.0%} of it is the slower of both alone"),
            )
        ]
        cut = "whole" if one.use.tile is None else f"tiles of {one.use.tile}"
        render.table(
            (f"{width}x{height}, {cut}, batches of {one.batch}", "ms per image", "MP/s", "share"), rows
        )
        render.data("")
    render.say(
        f"{bench.model} on {bench.device}, {bench.precision}.",
        f"{counted(bench.workers, 'thread')} read, as many write.",
        f"From torch imported to the first image, as a new process: {bench.first_image:.2f} s.",
    )


def _show_methods(bench: EvaluationBench) -> None:
    rows = []
    for method in bench.methods:
        ratio = bench.times_as_fast(method)
        psnr, ssim = method.values
        rows.append(
            (
                method.name,
                f"{1 / method.taken.wall:.1f}",
                f"{method.taken.cpu * 1e3:.1f}",
                f"{ratio.wall:.2f}",
                f"{ratio.cpu:.2f}",
                f"{psnr:.4f}",
                f"{ssim:.7f}",
                "yes" if method.same_value else "no",
            )
        )
    heads = (
        "PSNR + SSIM on one core",
        "pairs/s",
        "CPU ms",
        "ours, times as fast",
        "by CPU time",
        "PSNR",
        "SSIM",
        "same value",
    )
    render.table(heads, rows)


def _print_throughput(bench: EvaluationBench) -> None:
    machine = bench.machine
    rows = (
        ("decoding a PNG, one core", f"{1 / bench.decoding.cpu:.0f} images/s"),
        (f"whole folder, {counted(bench.workers, 'thread')}", _folder_speed(bench)),
        (
            "arithmetic of ours, one core",
            f"{bench.share_of_flops:.0%} of a float64 BLAS product ({machine.flops / 1e9:.1f} GFLOP/s)",
        ),
        (
            "bytes of ours, one core",
            f"{bench.share_of_bytes:.0%} of a copy in memory ({machine.bytes_moved / 1e9:.1f} GB/s)",
        ),
        ("processes that wanted a core", "unknown" if bench.load is None else f"{bench.load:.1f}"),
    )
    render.table(("beside it", "measured"), rows)


def _folder_speed(bench: EvaluationBench) -> str:
    taken, idle = bench.folder, bench.folder_when_idle
    return f"{1 / taken.wall:.1f} pairs/s; {taken.cpu * 1e3:.1f} CPU ms a pair ({idle:.1f} pairs/s if idle)"


def _print_summary(bench: EvaluationBench) -> None:
    from restorecli.bench.images import PREPARED

    best = bench.times_as_fast(bench.rival)
    render.say(
        f"Fastest other library with the same value: {bench.rival.name}.",
        f"Ours is {best.wall:.1f} times as fast ({best.cpu:.1f} times by CPU time).",
        f"Images: {', '.join(bench.images)}: {PREPARED}.",
    )
    for peer in bench.missing:
        render.say(f"not measured: {peer.name}: {peer.reason}")
