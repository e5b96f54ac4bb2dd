"""The command line: every command in one visible list, inside one error boundary."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated

import typer

from restorecli.cli import (
    bands,
    bench,
    degrade,
    demo,
    diagnose,
    docs,
    doctor,
    evaluate,
    export,
    models,
    plot,
    recipes,
    render,
    restore,
    show,
    train,
)
from restorecli.cli.boundary import BoundaryGroup, raise_terminated
from restorecli.cli.options import examples
from restorecli.cli.plain_help import PlainCommand
from restorecli.plugins import VARIABLE
from restorecli.version import __version__

CHAIN = "The chain"
OTHER_COMMANDS = "Around it"

Command = Callable[..., None]

COMMANDS: tuple[tuple[str, Command, tuple[str, ...], str], ...] = (
    ("degrade", degrade.command, degrade.EXAMPLES, CHAIN),
    ("train", train.command, train.EXAMPLES, CHAIN),
    ("restore", restore.command, restore.EXAMPLES, CHAIN),
    ("eval", evaluate.command, evaluate.EXAMPLES, CHAIN),
    ("diagnose", diagnose.command, diagnose.EXAMPLES, OTHER_COMMANDS),
    ("demo", demo.command, demo.EXAMPLES, OTHER_COMMANDS),
    ("plot", plot.command, plot.EXAMPLES, OTHER_COMMANDS),
    ("show", show.command, show.EXAMPLES, OTHER_COMMANDS),
    ("bands", bands.command, bands.EXAMPLES, OTHER_COMMANDS),
    ("models", models.command, models.EXAMPLES, OTHER_COMMANDS),
    ("export", export.command, export.EXAMPLES, OTHER_COMMANDS),
    ("recipes", recipes.command, recipes.EXAMPLES, OTHER_COMMANDS),
    ("docs", docs.command, docs.EXAMPLES, OTHER_COMMANDS),
    ("doctor", doctor.command, doctor.EXAMPLES, OTHER_COMMANDS),
)

GROUPS: tuple[tuple[str, Callable[[], typer.Typer], tuple[str, ...], str], ...] = (
    ("bench", bench.build, bench.EXAMPLES, OTHER_COMMANDS),
)

EXAMPLES = (
    "restorecli demo",
    "restorecli degrade --noise gaussian",
    "restorecli restore ./degraded --model sca-unet",
    "restorecli eval --by-category",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"restorecli {__version__}")
        raise typer.Exit


def _allow(wanted: bool) -> None:
    if wanted:
        os.environ[VARIABLE] = "1"


def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where in the program an error arose.")
    ] = False,
    plugins: Annotated[
        bool,
        typer.Option(
            "--plugins",
            help="Allow package.module:Name, code that is not part of restorecli.",
            callback=_allow,
        ),
    ] = False,
) -> None:
    """Degrade images, train networks that undo it, restore folders, and say by how much, by category."""


def build() -> typer.Typer:
    """Return the application with all its commands."""
    app = typer.Typer(name="restorecli", cls=BoundaryGroup, rich_markup_mode="rich", no_args_is_help=True)
    app.callback(epilog=examples(*EXAMPLES))(_start)
    for name, command, shown, panel in COMMANDS:
        app.command(name, cls=PlainCommand, epilog=examples(*shown), rich_help_panel=panel)(command)
    for name, group, shown, panel in GROUPS:
        app.add_typer(group(), name=name, epilog=examples(*shown), rich_help_panel=panel)
    return app


def main() -> None:
    """Run the command line; never returns."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an ASCII locale must not turn a file name into a crash
            stream.reconfigure(errors="backslashreplace")
    for name in ("SIGTERM", "SIGUSR1"):  # the second is what batch systems send before the time is up
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), raise_terminated)
    warnings.showwarning = render.warning
    build()(prog_name="restorecli")
