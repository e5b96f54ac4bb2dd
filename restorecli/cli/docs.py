"""`restorecli docs`: the pages of the manual, in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from restorecli.cli import completion, options, render
from restorecli.docs import page, pages
from restorecli.result import CommandResult

EXAMPLES = ("restorecli docs", "restorecli docs eval")


def command(
    topic: Annotated[
        str | None,
        typer.Argument(help="The page to read.", metavar="TOPIC", autocompletion=completion.topics),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the pages of the manual, or read one."""
    if topic is None:
        found = [(name, title) for name, title in pages().items()]
        if as_json:
            listed = [{"name": name, "title": title} for name, title in found]
            render.as_json(CommandResult("docs", listed))
            return
        render.table(("topic", "what it is about"), found)
        render.say("restorecli docs TOPIC shows a page.")
        return
    text = page(topic)
    if as_json:
        render.as_json(CommandResult("docs", {"name": topic, "text": text}))
    else:
        render.markdown(text)
