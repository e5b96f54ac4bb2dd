"""`restorecli models`: the networks, and the weights that ship for each."""

from __future__ import annotations

from typing import Any

from restorecli.cli import options, render

EXAMPLES = ("restorecli models", "restorecli models --json")


def command(as_json: options.Json = False) -> None:
    """List the networks, their sizes, and the tags of the weights that ship."""
    entries = _entries()
    if as_json:
        render.data_json(entries)
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
    render.say("--model takes NAME (its default tag), NAME.TAG, or a .safetensors file of your own.")


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
