"""`restorecli degrade --list`: the degradations at a glance, or one or all with their parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from restorecli.cli import render
from restorecli.cli.support import parameter_text
from restorecli.degradation.base import parameters_of
from restorecli.degradation.catalog import ALIASES, DEGRADATIONS, find
from restorecli.result import CommandResult

ALL = "all"


def show_degradations(name: str | None, *, as_json: bool) -> None:
    """Print the degradations.

    Args:
        name: One of them, "all" for all with their parameters, or None for a line each.
        as_json: Print everything that is known of them as JSON; a list, or of one its object.

    Raises:
        UsageError: There is no degradation of this name.
    """
    one = None if name in (None, ALL) else find(str(name)).name
    names = list(DEGRADATIONS) if one is None else [one]
    if as_json:
        documents = [_document(each) for each in names]
        render.as_json(CommandResult("degrade", documents if one is None else documents[0]))
    elif name is None:
        render.table(("name", "what it does"), [_line(each) for each in names])
        render.say(
            "--noise NAME does it; --severity 1 to 5 says how strong.",
            "restorecli degrade --list NAME shows the parameters of one, --list all those of every one.",
        )
    else:
        render.table(("name", "what it does"), [row for each in names for row in _rows(each)])
        render.say("--set NAME.PARAM=VALUE sets a parameter; --severity 1 to 5 sets them all.")


def _line(name: str) -> tuple[str, str]:
    also = ", ".join(_aliases(name))
    return name, f"{DEGRADATIONS[name].summary}{f' (also: {also})' if also else ''}"


def _rows(name: str) -> Iterable[tuple[str, str]]:
    yield _line(name)
    for parameter in parameters_of(DEGRADATIONS[name].load()).values():
        random = "" if parameter.draw is None else f"; --random draws {parameter_text.drawn(parameter.draw)}"
        yield f"  {name}.{parameter.name}", f"{parameter.help}: {parameter_text.described(parameter)}{random}"


def _aliases(name: str) -> list[str]:
    return [alias for alias, meant in ALIASES.items() if meant == name]


def _document(name: str) -> dict[str, Any]:
    entry = DEGRADATIONS[name].load()
    return {
        "name": name,
        "summary": DEGRADATIONS[name].summary,
        "reference": entry.reference,
        "aliases": _aliases(name),
        "severities": [dict(severity) for severity in entry.severities],
        "parameters": [
            {
                "name": f.name,
                "default": f.default,
                "allowed": f.allowed,
                "random": f.draw,
                "help": f.help,
            }
            for f in parameters_of(entry).values()
        ],
    }
