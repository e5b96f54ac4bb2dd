"""`restorecli recipes`: the shipped recipes at a glance, all of them, or the text of one."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Annotated

import typer

from restorecli.cli import completion, options, render
from restorecli.core.shipped import shipped
from restorecli.result import CommandResult
from restorecli.training.shelf import shipped_recipe, shipped_recipes, summary_of

EXAMPLES = (
    "restorecli recipes",
    "restorecli recipes quick > recipe.yaml",
    "restorecli recipes --all",
)

_HEADERS = ("recipe", "what it trains")
_FINISH = "-finish"
"""How recipes are called that go on from what the recipe of the rest of the name makes."""

_WIDTH = 80  # columns of a summary at a glance
_GROUPS = {
    "quick": "every network small, in a few minutes",
    "dither": "against error diffusion",
    "ablation": "with parts left out, for `restorecli bench ablation`",
}


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Print this recipe; send it into a file to make it yours.",
            metavar="NAME",
            autocompletion=completion.recipes,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="A line for every recipe.")] = False,
    as_json: options.Json = False,
) -> None:
    """List the shipped recipes, or print one."""
    if name is not None:
        text = shipped_recipe(name).read_text(encoding="utf-8")
        if as_json:
            render.as_json(CommandResult("recipes", {"name": name, "text": text}))
        else:
            render.data(text)
        return
    found = {known: summary_of(path) for known, path in shipped_recipes().items()}
    if as_json:
        listed = [{"name": known, "summary": summary} for known, summary in found.items()]
        render.as_json(CommandResult("recipes", listed))
        return
    if everything:
        render.table(_HEADERS, list(found.items()))
    else:
        _show_at_a_glance(found)
    render.say(
        "restorecli recipes NAME > recipe.yaml copies one to change; restorecli train recipe.yaml runs it."
    )


def _show_at_a_glance(found: Mapping[str, str]) -> None:
    """Print a line for the quick recipes and for those of shipped weights, and the names of the others."""
    shipped_weights = {entry.name.replace(".", "-") for entry in shipped()}
    first = [known for known in found if known.startswith("quick") and "/" not in known]
    first += [known for known in found if known in shipped_weights]
    shown = [(known, textwrap.shorten(found[known], _WIDTH, placeholder=" ...")) for known in first]
    render.table(_HEADERS, shown)
    rest = [known for known in found if "/" not in known and known not in first]
    halves = ", ".join(known.removesuffix(_FINISH) for known in rest if known.endswith(_FINISH))
    others = ", ".join(known for known in rest if not known.endswith(_FINISH))
    render.data("")
    text = f"{others}; NAME{_FINISH}, which goes on from NAME: {halves}"
    render.paragraph("networks of papers, other ways of training: ", text)
    _show_groups([known for known in found if "/" in known])


def _show_groups(names: list[str]) -> None:
    """Print a line for every folder of recipes: what they are, and their names."""
    render.data("")
    for group in dict.fromkeys(name.partition("/")[0] for name in names):
        members = [name.partition("/")[2] for name in names if name.startswith(f"{group}/")]
        about = f", {_GROUPS[group]}" if group in _GROUPS else ""
        render.paragraph(f"{group}/NAME{about}: ", ", ".join(members))
