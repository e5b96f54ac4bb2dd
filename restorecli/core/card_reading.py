"""The cards of weights files: what each says of itself, read from its header without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restorecli.core.weights_files import CARD_KEY, opened
from restorecli.counting import counted
from restorecli.errors import WeightsError

FORMAT = "restorecli-weights-1"


@dataclass(frozen=True, slots=True)
class Card:
    """What a weights file says of itself.

    Attributes:
        model: Name of the network in the catalog.
        arguments: The network's arguments.
        tag: Name of these weights beside the model's, e.g. "gaussian".
        channels: 1 (gray) or 3 (RGB).
        value_range: Range of the pixels it takes and gives.
        summary: What it removes, in one line.
        data: What it was trained on, with what to cite.
        recipe: The resolved recipe.
        scores: Scores reached, by set and protocol.
        training: Steps, hours, device and precision of the training.
        precision_loss: Mean PSNR in dB that "bf16" or "fp16" loses against "fp32", where it was measured.
        side: Longer side in pixels that larger images are reduced to, for a network that judges an image as a
            whole; what it does is carried to the full size (see `carrying`). 0 where images go as they are.
        failures: What they are known to do badly, in a sentence or two.
        licence: Licence of the weights.
        version: Version of the program that wrote the file.
        digest: SHA-256 of the tensors, by which damage is noticed.
    """

    model: str
    arguments: Mapping[str, Any]
    tag: str = ""
    channels: int = 3
    value_range: tuple[float, float] = (0.0, 1.0)
    summary: str = ""
    data: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    precision_loss: Mapping[str, float] = field(default_factory=dict)
    side: int = 0
    failures: str = ""
    licence: str = "Apache-2.0"
    version: str = ""
    digest: str = ""


def read_card(path: Path) -> Card:
    """Return the card of a weights file of ours; the tensors are neither read nor checked.

    Raises:
        WeightsError: The file is missing or damaged, or has no card that can be read.
    """
    with opened(path, "np") as file:
        metadata, tensors = file.metadata() or {}, len(file.keys())
    if CARD_KEY not in metadata:
        raise no_card(path, tensors)
    return parse_card(metadata[CARD_KEY], path)


def no_card(path: Path, tensors: int) -> WeightsError:
    """Return the error for a safetensors file of so many tensors that has no card."""
    return WeightsError(
        "These weights do not describe themselves.",
        expected="a .safetensors file written by `restorecli train`",
        got=f"safetensors without a card ({counted(tensors, 'tensor')})",
        file=path,
        hint=f"name the network: --model NAME --weights {path}",
    )


def parse_card(text: str, path: Path) -> Card:
    """Return the card that a header's text holds.

    Raises:
        WeightsError: It holds none.
    """
    try:
        content = json.loads(text)
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        content["value_range"] = tuple(content["value_range"])
        card = Card(**content)
        _check_types(card)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WeightsError(
            "The card of these weights cannot be read.", expected=FORMAT, got=str(error), file=path
        ) from error
    return card


def _check_types(card: Card) -> None:
    texts = ("model", "tag", "summary", "data", "failures", "licence", "version", "digest")
    tables = ("arguments", "recipe", "scores", "training", "precision_loss")
    for names, kind in ((texts, str), (tables, dict)):
        for name in names:
            if not isinstance(getattr(card, name), kind):
                raise TypeError(f"{name} is no {'text' if kind is str else 'table'}")
    if card.channels not in (1, 3) or len(card.value_range) != 2:
        raise ValueError("channels or value_range is not possible")
    if type(card.side) is not int or not 0 <= card.side <= 2**20:
        raise ValueError(f"side {card.side!r} is not possible")
