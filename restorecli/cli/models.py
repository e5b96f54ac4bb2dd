"""`restorecli models`: the networks, the weights that ship for each, and the methods that need none."""

from __future__ import annotations

from typing import Any

from restorecli.cli import options, render
from restorecli.result import CommandResult

EXAMPLES = ("restorecli models", "restorecli models --json")


def command(as_json: options.Json = False) -> None:
    """List the networks, the tags of the weights that ship, and the methods that need no training."""
    entries, methods = _entries(), _methods()
    if as_json:
        render.as_json(CommandResult("models", [*entries, *methods]))
        return
    rows = [
        (
            str(entry["name"]),
            f"{entry['parameters']:,}",
            ", ".join(entry["tags"]) or "-",
            str(entry["default"] or "-"),
            f"{entry['summary']} ({entry['reference']})",
        )
        for entry in entries
    ]
    render.table(("model", "parameters", "tags", "default", "what it is"), rows)
    render.table(("method", "default", "what it is"), _method_rows(methods))
    render.say(
        "--model takes NAME (its default tag), NAME.TAG, a .safetensors file of your own, or a METHOD.",
        "--set METHOD.PARAM=VALUE sets a parameter of a method.",
    )


def _entries() -> list[dict[str, Any]]:
    """Return name, number of parameters (with default arguments), tags and the rest, JSON-ready."""
    import torch

    from restorecli.core.models.catalog import MODELS, count_parameters, create_model
    from restorecli.core.zoo import shipped

    tags = {name: [weights.tag for weights in shipped() if weights.model == name] for name in MODELS}
    with torch.device("meta"):  # shapes only: nothing is computed or kept
        return [
            {
                "name": name,
                "parameters": count_parameters(create_model(name)),
                "tags": tags[name],
                "default": entry.default_tag if entry.default_tag in tags[name] else None,
                "summary": entry.summary,
                "reference": entry.reference,
            }
            for name, entry in MODELS.items()
        ]


def _methods() -> list[dict[str, Any]]:
    """Return the methods with what they need and their parameters, JSON-ready."""
    from restorecli.degradation.parameters import facts_of
    from restorecli.restoration.methods.catalog import METHODS

    return [
        {
            "name": name,
            "parameters": 0,
            "tags": [],
            "needs": sorted(entry.needs),
            "settings": [
                {
                    "name": f.name,
                    "default": f.default,
                    "allowed": f.allowed,
                    "tuned": f.draw,
                    "help": f.help,
                }
                for f in facts_of(entry).values()
            ],
            "summary": entry.summary,
            "reference": entry.reference,
        }
        for name, part in METHODS.items()
        for entry in (part.load(),)
    ]


def _method_rows(methods: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    rows = []
    for entry in methods:
        needed = [need for need in entry["needs"] if not need.endswith("?")]
        needs = f"; needs --{' and --'.join(needed)} or a manifest" if needed else ""
        rows.append((entry["name"], "", f"{entry['summary']} ({entry['reference']}){needs}"))
        for f in entry["settings"]:
            tuned = "" if f["tuned"] is None else f"; --tune tries {f['tuned']}"
            told = f"{f['help']}: {f['allowed']}{tuned}"
            rows.append((f"  {entry['name']}.{f['name']}", str(f["default"]), told))
    return rows
