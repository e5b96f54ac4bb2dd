"""The command line: every command in one visible list, inside one error boundary."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import signal
import sys
import warnings
from io import TextIOWrapper
from typing import Annotated, Any

import typer
import typer.main

from restorecli.cli import render
from restorecli.cli.boundary import BoundaryGroup, raise_terminated
from restorecli.cli.plain_help import PlainCommand, examples
from restorecli.plugins import VARIABLE
from restorecli.version import __version__

CHAIN = "The chain"
OTHER_COMMANDS = "Around it"

COMMANDS: tuple[tuple[str, str, str, str], ...] = (
    (
        "degrade",
        "degrade",
        "Write degraded copies of images, with a manifest of what was done to each.",
        CHAIN,
    ),
    ("train", "train", "Train a network by a recipe; Ctrl-C saves, and says how to go on.", CHAIN),
    (
        "restore",
        "restore",
        "Restore one image or a folder: by itself, or with a network or a method that --model names.",
        CHAIN,
    ),
    (
        "eval",
        "evaluate",
        "Score images against their references, degraded against restored, and against other methods.",
        CHAIN,
    ),
    (
        "diagnose",
        "diagnose",
        "Say what damage images have, how strong, how sure that is, and what helps; nothing is changed.",
        OTHER_COMMANDS,
    ),
    (
        "demo",
        "demo",
        "Degrade the built-in samples, restore them with shipped weights, and show by how much.",
        OTHER_COMMANDS,
    ),
    (
        "plot",
        "plot",
        "Draw what `eval` finds (means, distributions, gains, error spectra), or learning curves of `train`.",
        OTHER_COMMANDS,
    ),
    (
        "show",
        "show",
        "Show images of the same name side by side, in the terminal or as one PNG.",
        OTHER_COMMANDS,
    ),
    (
        "bands",
        "bands",
        "Show the bands of an image's spectrum, their thresholds, and what a selection takes out.",
        OTHER_COMMANDS,
    ),
    (
        "models",
        "models",
        "Show which models there are, and what each is for; or one of them.",
        OTHER_COMMANDS,
    ),
    (
        "export",
        "export",
        "Write a trained network as one ONNX file, in float32, for images of any number and size.",
        OTHER_COMMANDS,
    ),
    ("recipes", "recipes", "List the shipped recipes, or print one.", OTHER_COMMANDS),
    ("docs", "docs", "List the pages of the manual, or read one.", OTHER_COMMANDS),
    (
        "doctor",
        "doctor",
        "Show versions, device, precision and weights that would be used, and whether files can be written.",
        OTHER_COMMANDS,
    ),
    (
        "bench",
        "bench",
        "Measure the speed on this machine, ours beside others', and put every network to the test.",
        OTHER_COMMANDS,
    ),
)
"""Name, module in `restorecli.cli`, what the list of commands says of it, and under which heading.

The module is imported when its command is called. It has `EXAMPLES` and the function `command`, or `build`
for a group, whose help begins with the same sentence.
"""

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


class CommandLine(BoundaryGroup):
    """All commands: as a list until one is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:  # noqa: ANN401 - as in boundary
        """Find the command that is called, and import it."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, None if listed is None else loaded(str(listed.name)), rest


def build() -> typer.Typer:
    """Return the application with the list of its commands."""
    app = typer.Typer(name="restorecli", cls=CommandLine, rich_markup_mode="rich", no_args_is_help=True)
    app.callback(epilog=examples(*EXAMPLES))(_start)
    for name, _, told, panel in COMMANDS:
        app.command(name, help=told, rich_help_panel=panel)(_listed)
    return app


def _listed() -> None:
    """Stand for a command in the list."""


def loaded(name: str) -> Any:  # noqa: ANN401 - a command or a group of Typer's private click
    """Return a command with its options, or a group with its commands."""
    [(module_name, panel)] = [(module, panel) for each, module, _, panel in COMMANDS if each == name]
    module = importlib.import_module(f"restorecli.cli.{module_name}")
    alone = typer.Typer(rich_markup_mode="rich", add_completion=False)
    shown = examples(*module.EXAMPLES)
    if hasattr(module, "build"):
        alone.add_typer(module.build(), name=name, epilog=shown, rich_help_panel=panel)
    else:
        alone.command(name, cls=PlainCommand, epilog=shown, rich_help_panel=panel)(module.command)
    return typer.main.get_group(alone).commands[name]


def main() -> None:
    """Run the command line; never returns."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an ASCII locale must not turn a file name into a crash
            stream.reconfigure(errors="backslashreplace")
    for name in ("SIGTERM", "SIGUSR1"):  # the second is what batch systems send before the time is up
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), raise_terminated)
    warnings.showwarning = render.warning
    atexit.register(gc.freeze)  # a process that ends need not look through its modules for garbage
    build()(prog_name="restorecli")
