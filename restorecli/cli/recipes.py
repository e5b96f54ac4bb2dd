"""`restorecli recipes`: the shipped recipes, and the text of one."""

from __future__ import annotations

from typing import Annotated

import typer

from restorecli.cli import completion, options, render
from restorecli.result import CommandResult

EXAMPLES = ("restorecli recipes", "restorecli recipes quick > recipe.yaml")


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Print this recipe; send it into a file to make it yours.", autocompletion=completion.recipes
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the shipped recipes, or print one."""
    from restorecli.training.shelf import shipped_recipe, shipped_recipes, summary_of

    if name is not None:
        text = shipped_recipe(name).read_text(encoding="utf-8")
        if as_json:
            render.as_json(CommandResult("recipes", {"name": name, "text": text}))
        else:
            render.data(text)
        return
    found = [(known, summary_of(path)) for known, path in shipped_recipes().items()]
    if as_json:
        listed = [{"name": known, "summary": summary} for known, summary in found]
        render.as_json(CommandResult("recipes", listed))
        return
    render.table(("recipe", "what it trains"), found)
    render.say("restorecli recipes NAME > recipe.yaml makes one yours; restorecli train recipe.yaml runs it.")
