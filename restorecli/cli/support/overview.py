"""What `models` shows without a name: what ships and for what, on one screen, and without torch."""

from __future__ import annotations

import textwrap

from restorecli.cli import render
from restorecli.core.card_reading import read_card
from restorecli.core.models.catalog import MODELS
from restorecli.core.shipped import shipped
from restorecli.restoration.purposes import PURPOSES

_WIDTH = 90  # columns of a summary at a glance


def show() -> None:
    """Print one screen: weights that ship, methods by purpose, networks to train."""
    ready = [
        (
            _called(weights.model, weights.tag),
            next((purpose.words[0] for purpose in PURPOSES if purpose.model == weights.name), "-"),
            textwrap.shorten(read_card(weights.path).summary, _WIDTH, placeholder=" ..."),
        )
        for weights in shipped()
    ]
    render.table(("ready to use", "word", "for"), ready)
    render.data("")
    render.table(("damage", "word", "methods without training"), _purposes())
    render.data("")
    trained = {weights.model for weights in shipped()}
    render.paragraph("networks to train: ", ", ".join(name for name in MODELS if name not in trained))
    render.say(
        "restorecli models NAME shows one (a word, too); --all shows everything.",
        "--model takes these names and words, or a weights file; by default auto, which finds out by itself.",
    )


def _purposes() -> list[tuple[str, str, str]]:
    """Return a row for each damage that methods treat: its name, a word for a model, and the methods."""
    return [
        (purpose.name, purpose.words[0] if purpose.words else "-", ", ".join(purpose.methods))
        for purpose in PURPOSES
        if purpose.methods
    ]


def _called(model: str, tag: str) -> str:
    """Return the shortest name of weights: that of the network, where it is its default."""
    return model if MODELS[model].default_tag == tag else f"{model}.{tag}"
