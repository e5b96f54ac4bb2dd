"""`restorecli degrade --list`: every degradation with its parameters, as a table or as JSON."""

from __future__ import annotations

from restorecli.cli import render
from restorecli.result import CommandResult


def show_degradations(*, as_json: bool) -> None:
    """Print every degradation: parameters, defaults, allowed values, default random ranges, severities."""
    from restorecli.degradation.base import facts_of
    from restorecli.degradation.catalog import ALIASES, DEGRADATIONS

    if as_json:
        render.as_json(
            CommandResult(
                "degrade",
                [
                    {
                        "name": name,
                        "summary": part.summary,
                        "reference": entry.reference,
                        "aliases": [alias for alias, meant in ALIASES.items() if meant == name],
                        "severities": [dict(severity) for severity in entry.severities],
                        "parameters": [
                            {
                                "name": f.name,
                                "default": f.default,
                                "allowed": f.allowed,
                                "random": f.draw,
                                "help": f.help,
                            }
                            for f in facts_of(entry).values()
                        ],
                    }
                    for name, part in DEGRADATIONS.items()
                    for entry in (part.load(),)
                ],
            )
        )
        return
    rows = []
    for name, entry in DEGRADATIONS.items():
        also = "".join(f" (also: {alias})" for alias, meant in ALIASES.items() if meant == name)
        rows.append((name, "", f"{entry.summary}{also}"))
        for f in facts_of(entry.load()).values():
            drawn = f"; --random draws {f.draw}" if f.draw is not None else ""
            rows.append((f"  {name}.{f.name}", str(f.default), f"{f.help}: {f.allowed}{drawn}"))
    render.table(("name", "default", "what it does"), rows)
    render.say("--set NAME.PARAM=VALUE sets a parameter; --severity 1 to 5 sets them all.")
