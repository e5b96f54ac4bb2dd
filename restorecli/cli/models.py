"""`restorecli models`: what ships and for what, methods by purpose, networks to train; or one of them."""

from __future__ import annotations

from typing import Annotated

import typer

from restorecli.cli import completion, options, support

EXAMPLES = (
    "restorecli models",
    "restorecli models sca-unet",
    "restorecli models tv",
    "restorecli models --all",
)


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Show one: a network, its weights (NAME.TAG), a method, or a weights file.",
            metavar="NAME|FILE",
            autocompletion=completion.models,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List all networks and all parameters.")] = False,
    as_json: options.Json = False,
) -> None:
    """Show which models there are, and what each is for; or one of them."""
    if name is not None:
        support.models.show(name, as_json=as_json)
    elif as_json:
        support.models.as_json()
    elif everything:
        support.models.show_all()
    else:
        support.overview.show()
