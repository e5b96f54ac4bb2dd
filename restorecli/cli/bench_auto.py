"""`restorecli bench auto`: damage named, specialist taken, and how near `--model auto` comes to the best."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from restorecli.cli import options, render, tables
from restorecli.cli.progress import BarProgress
from restorecli.errors import UsageError
from restorecli.result import CommandResult

if TYPE_CHECKING:
    from restorecli.bench.auto import Cell

AUTO_EXAMPLES = (
    "restorecli bench auto --test ./photos",
    "restorecli bench auto --test ./photos --pictures 4 --damages jpeg,haze --no-rivals",
    "restorecli bench auto --test ./photos --crop 192 --keep measured.jsonl",
    "restorecli bench auto --test ./photos --picture confusion.png --json",
)

FIT_EXAMPLES = (
    "restorecli bench diagnosis --data ./data -o table.json",
    "restorecli bench diagnosis --data ./data -o table.json --pictures 20",
    "restorecli bench diagnosis --data ./data -o network.safetensors --part network --hours 0.5",
    "restorecli bench diagnosis --data ./data -o votes.json --part votes",
    "restorecli bench diagnosis --data ./data -o tables --part camera",
    "restorecli bench diagnosis --data ./data -o tables --part dark",
    "restorecli bench diagnosis --data ./data -o tables --part veil",
)

_PHOTOGRAPHS, _HOURS = 90, 0.5

Crop = Annotated[
    int | None,
    typer.Option("--crop", min=64, help="Take the middle square of this side in pixels; default: all."),
]

ORDER_EXAMPLES = (
    "restorecli bench orders --test ./photos",
    "restorecli bench orders --test ./photos --pictures 4 --crop 192 --pairs haze+jpeg,gaussian+jpeg",
)

ORDER_HEADERS = ("pair", "way", "PSNR")

HEADERS = ("damage", "severity", "named", "specialist", "degraded", "auto", "worst", "best", "by")


def auto(
    test: Annotated[Path, typer.Option("--test", help="Folder of clean images that nothing was fitted on.")],
    images: Annotated[
        int, typer.Option("--pictures", min=1, help="How many, taken evenly over the sorted folder.")
    ] = 24,
    crop: Crop = None,
    damages: Annotated[
        str, typer.Option("--damages", help="Only these degradations, by commas; by default all.")
    ] = "",
    severities: Annotated[str, typer.Option("--severities", help="Of `degrade`, by commas.")] = "1,3,5",
    rivals: Annotated[
        bool, typer.Option("--rivals/--no-rivals", help="Measure single models and methods, too.")
    ] = True,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", help="Keep measurements in this file, and go on where a stopped run was."),
    ] = None,
    image: Annotated[
        Path | None, typer.Option("--picture", help="Draw which damage was taken for which (PNG, SVG, PDF).")
    ] = None,
    markdown: tables.Markdown = None,
    as_json: options.Json = False,
) -> None:
    """Degrade clean images in every way, let `--model auto` restore them, and compare with the best."""
    from restorecli.bench.auto import bench_auto
    from restorecli.bench.auto_image import draw_confusion

    cells = bench_auto(
        test,
        images=images,
        crop=crop,
        damages=options.names(damages),
        severities=options.whole_numbers(severities, "--severities"),
        rivals=rivals,
        keep=keep,
        progress=BarProgress(),
    )
    if image is not None:
        draw_confusion(cells, image)
    result = CommandResult("bench auto", [cell.to_dict() for cell in cells])
    tables.show(HEADERS, [_row(cell) for cell in cells], result, markdown, as_json=as_json, names=1)


def _row(cell: Cell) -> tuple[str, ...]:
    best = cell.best
    return (
        cell.damage,
        str(cell.severity or "-"),
        f"{100 * cell.named.get(cell.damage, 0) / cell.images:.0f} %",
        f"{100 * cell.right:.0f} %",
        _decibels(cell.degraded),
        _decibels(cell.auto),
        _decibels(cell.worst),
        _decibels(None if best is None else best[1]),
        "-" if best is None else best[0],
    )


def _decibels(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def orders(
    test: Annotated[Path, typer.Option("--test", help="Folder of clean images, e.g. for training.")],
    images: Annotated[
        int, typer.Option("--pictures", min=1, help="How many, taken evenly over the sorted folder.")
    ] = 8,
    crop: Crop = None,
    pairs: Annotated[str, typer.Option("--pairs", help="Only these, by commas; by default all.")] = "",
    markdown: tables.Markdown = None,
    as_json: options.Json = False,
) -> None:
    """Damage images twice and undo it in every order: which step comes first?"""
    from restorecli.bench.orders import bench_orders

    found = bench_orders(
        test,
        images=images,
        crop=crop,
        pairs=options.names(pairs),
        progress=BarProgress(),
    )
    rows = [
        (order.pair, way, _decibels(score) + ("  best" if way == order.best else ""))
        for order in found
        for way, score in order.scores.items()
    ]
    result = CommandResult("bench orders", [order.to_dict() for order in found])
    tables.show(ORDER_HEADERS, rows, result, markdown, as_json=as_json, names=2)


def diagnosis(
    data: Annotated[
        Path,
        typer.Option(
            "--data", help="Folder with bsds400, sand-dust/train, magnetic-tile/train and train400-gray."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="The file to write: JSON; safetensors for the network; a folder for camera, dark, veil "
            "and saved.",
        ),
    ],
    part: Annotated[
        Literal["table", "network", "votes", "camera", "dark", "veil", "saved", "marks", "drops"],
        typer.Option(
            help="The table over measurements, the network, how their chances are joined, the tables of "
            "noise that neighbors share, of cameras and of film, the models of faint darkness, of faint "
            "haze and of noise that was saved as JPEG, or the tables of the second look, for scratches and "
            "for rain."
        ),
    ] = "table",
    images: Annotated[
        int | None,
        typer.Option(
            "--pictures",
            min=1,
            help="Photographs that are damaged in every way for the table, twice as many in all; default 90.",
        ),
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0.001, help="How long the network is trained; default 0.5.")
    ] = None,
    start: Annotated[Path | None, typer.Option(help="Weights from which the network goes on.")] = None,
) -> None:
    """Fit a part of `diagnose` again to damaged training photographs, and write it.

    The votes are fitted last, to photographs that the shipped table and network were not fitted to.
    """
    _refuse_unused(part, {"--pictures": images}, {"--hours": hours, "--start": start})
    if part == "network":
        from restorecli.bench.diagnosis_network import train_network

        hours = hours or _HOURS
        train_network(data, output, hours, start, BarProgress())
        about = f"Trained by `restorecli bench diagnosis` for {hours:g} h"
    elif part in ("camera", "dark", "veil", "saved"):
        from restorecli.bench.diagnosis_camera import write_noise_tables
        from restorecli.bench.diagnosis_dark import write_dark_models
        from restorecli.bench.diagnosis_saved import write_saved_noise_models
        from restorecli.bench.diagnosis_veil import write_veil_models

        write = {
            "camera": write_noise_tables,
            "dark": write_dark_models,
            "veil": write_veil_models,
            "saved": write_saved_noise_models,
        }[part]
        count = write(data, output)
        about = f"Fitted by `restorecli bench diagnosis` to {count} examples"
    elif part == "votes":
        from restorecli.bench.diagnosis_votes import classify, fit_votes, held_out_examples
        from restorecli.diagnosis.deciding.votes import write_votes

        classified = classify(held_out_examples(data))
        about = f"Fitted by `restorecli bench diagnosis` to {len(classified.labels)} other examples"
        write_votes(fit_votes(classified), output, about)
    elif part in ("marks", "drops"):
        from restorecli.bench.diagnosis_looks import fit_drops, fit_marks, looks
        from restorecli.diagnosis.deciding.decide import write_table
        from restorecli.restoration.auto import AutoRestorer

        damage, fit = {"marks": ("scratches", fit_marks), "drops": ("rain", fit_drops)}[part]
        about = f"Fitted by `restorecli bench diagnosis` to what a network against {damage} takes away"
        write_table(fit(looks(data, damage, AutoRestorer().restored_by)), output, about)
    else:
        from restorecli.bench.diagnosis_examples import training_examples
        from restorecli.bench.diagnosis_fit import fit_table, fitted_to, measure_examples
        from restorecli.diagnosis.deciding.decide import write_table

        measured = measure_examples(training_examples(data, images or _PHOTOGRAPHS))
        about = fitted_to(len(measured.labels))
        write_table(fit_table(measured), output, about)
    render.say(f"{about} -> {output}")


def _refuse_unused(part: str, of_table: Mapping[str, object], of_network: Mapping[str, object]) -> None:
    unused = {"table": of_network, "network": of_table}.get(part, {**of_table, **of_network})
    given = [name for name, value in unused.items() if value is not None]
    if given:
        raise UsageError(
            f"--part {part} has no use for {' and '.join(given)}.",
            expected=f"{', '.join(of_table)} for the table, {' and '.join(of_network)} for the network",
        )
