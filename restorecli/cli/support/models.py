"""What `models` shows: what ships and for what, methods by purpose, networks to train; or one of them."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from restorecli.cli import render, support
from restorecli.cli.support import parameter_text
from restorecli.core.card_reading import Card, read_card
from restorecli.core.models.catalog import MODELS, ModelEntry
from restorecli.core.shipped import find_shipped, shipped
from restorecli.degradation.parameters import parameters_of
from restorecli.restoration.methods.catalog import METHODS
from restorecli.restoration.purposes import check_name, model_named
from restorecli.result import CommandResult

_FILES = (".safetensors", ".pth", ".pt", ".ckpt", ".onnx")
_MAX_COLUMNS = 110  # cells of an example, however wide the terminal
Rows = list[tuple[str, str]]


def show(name: str, *, as_json: bool) -> None:
    """Print what is known of one model.

    Raises:
        UsageError: There is none of this name.
        WeightsError: The file cannot be read.
    """
    known = model_named(name)
    method = METHODS.resolve(known)
    if Path(known).suffix in _FILES:
        document, rows = support.model_files.told(Path(known))
    elif method is not None:
        document, rows = _method(method)
    else:
        document, rows = _network(known)
    if as_json:
        render.as_json(CommandResult("models", document))
        return
    render.table(("", name if name == known else f"{name}: {known}"), rows)
    example = _example_of(known)
    if example is not None and sys.stdout.isatty():
        _draw(example)


def _draw(example: Path) -> None:
    """Draw an image in a terminal that has colors."""
    from restorecli.cli.support.show import stdout_colors
    from restorecli.report.terminal import image_lines

    colors = stdout_colors()
    if colors != "ascii":
        width = min(shutil.get_terminal_size().columns, _MAX_COLUMNS)
        render.data("\n".join(image_lines(example, width, colors)))
        render.say("A known failure: degraded, restored, original.")


def _example_of(name: str) -> Path | None:
    """Return the image that lies beside weights, or None."""
    path = next((weights.path for weights in shipped() if weights.name == name), Path(name))
    example = path.with_suffix(".jpg")
    return example if path.suffix == ".safetensors" and example.is_file() else None


def _method(name: str) -> tuple[dict[str, Any], Rows]:
    (document,) = method_entries([name])
    rows: Rows = [("what it is", f"{document['summary']}; a method, without training")]
    needed = _needed(document["needs"])
    if needed:
        rows.append(("needs", f"{needed}, or a manifest that says it"))
    for parameter in parameters_of(METHODS[name].load()).values():
        tried = "" if parameter.draw is None else f"; --tune tries {parameter_text.drawn(parameter.draw)}"
        rows.append(
            (
                f"--set {name}.{parameter.name}=",
                f"{parameter.help}: {parameter_text.described(parameter)}{tried}",
            )
        )
    return document, [*rows, ("source", document["reference"])]


def _needed(needs: list[str]) -> str:
    return " and ".join(f"--{need}" for need in needs if not need.endswith("?"))


def _network(name: str) -> tuple[dict[str, Any], Rows]:
    """Return what is known of a network, or of the weights that ship for it.

    Raises:
        UsageError: There is no such network.
        WeightsError: There are no such weights.
    """
    check_name(name)
    network = MODELS.resolve(name)
    if network is None or ("." in name):
        return card_told(read_card(find_shipped(name).path))
    (document,) = network_entries([network])
    rows: Rows = [
        ("what it is", f"{document['summary']}; a network of {document['parameters']:,} parameters"),
        ("source", document["reference"]),
    ]
    ships = [weights for weights in shipped() if weights.model == network]
    if not ships:
        rows.append(("weights", f"none ship; restorecli train quick/{network} trains it small"))
    for weights in ships:
        default = " (the default)" if weights.tag == document["default"] else ""
        rows.append((weights.name, f"{read_card(weights.path).summary}{default}"))
    if ships:
        rows.append(("more", f"restorecli models {ships[0].name}"))
    return document, rows


def card_told(card: Card) -> tuple[dict[str, Any], Rows]:
    """Return what a card says, for programs and in rows for people."""
    document = asdict(card)
    rows: Rows = [
        ("for", card.summary or "not said"),
        ("images", "gray" if card.channels == 1 else "RGB and gray"),
        ("network", f"{card.model} with {dict(card.arguments) or 'its default arguments'}"),
        ("trained on", card.data or "not said"),
        ("training", ", ".join(f"{key} {value}" for key, value in card.training.items() if key != "before")),
        ("cannot", card.failures or "not said"),
    ]
    if card.side:
        rows.append(("large images", f"seen at {card.side} px; the change is carried to their full size"))
    for task, values in card.scores.items():
        rows.append(("PSNR", f"{_gained(values)} on {task}"))
    return document, [*rows, ("license", card.licence)]


def _gained(values: Any) -> str:  # noqa: ANN401 - a card holds what its maker wrote
    if not isinstance(values, dict) or not isinstance(values.get("psnr"), float):
        return str(values)
    before = values.get("degraded_psnr")
    return (
        f"{before:.2f} -> {values['psnr']:.2f} dB"
        if isinstance(before, float)
        else f"{values['psnr']:.2f} dB"
    )


def show_all() -> None:
    """Print all networks, then all methods with their parameters."""
    rows = [
        (
            str(entry["name"]),
            f"{entry['parameters']:,}",
            ", ".join(entry["tags"]) or "-",
            str(entry["default"] or "-"),
            f"{entry['summary']} ({entry['reference']})",
        )
        for entry in network_entries()
    ]
    render.table(("model", "parameters", "tags", "default", "what it is"), rows)
    render.data("")
    render.table(("method", "what it is"), [row for name in METHODS for row in _method_lines(name)])
    render.say("--set METHOD.PARAM=VALUE sets a parameter of a method.")


def _method_lines(name: str) -> Rows:
    """Return a method and its parameters, a line for each."""
    document, rows = _method(name)
    needed = _needed(document["needs"])
    about = f"{document['summary']} ({document['reference']})"
    lines = [(name, f"{about}; needs {needed} or a manifest" if needed else about)]
    return lines + [
        (f"  {place.removeprefix('--set ').removesuffix('=')}", told)
        for place, told in rows
        if place.startswith("--set")
    ]


def as_json() -> None:
    """Print all networks and all methods as one JSON list."""
    render.as_json(CommandResult("models", [*network_entries(), *method_entries()]))


def network_entries(names: list[str] | None = None) -> list[dict[str, Any]]:
    """Return name, number of parameters (with default arguments), tags and the rest, JSON-ready."""
    tags = {name: [weights.tag for weights in shipped() if weights.model == name] for name in MODELS}
    return [
        {
            "name": name,
            "parameters": _count(entry),
            "tags": tags[name],
            "default": entry.default_tag if entry.default_tag in tags[name] else None,
            "summary": entry.summary,
            "reference": entry.reference,
        }
        for name, entry in MODELS.items()
        if names is None or name in names
    ]


def _count(entry: ModelEntry) -> int:
    """Return the number of parameters; a network that does not say it is built to be counted."""
    return support.model_files.count(entry.name) if entry.parameters is None else entry.parameters


def method_entries(names: list[str] | None = None) -> list[dict[str, Any]]:
    """Return the methods with what they need and their parameters, JSON-ready."""
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
                for f in parameters_of(entry).values()
            ],
            "summary": entry.summary,
            "reference": entry.reference,
        }
        for name, part in METHODS.items()
        if names is None or name in names
        for entry in (part.load(),)
    ]
