"""What `models` shows without a name: what ships and for what, on one screen, and without torch."""

from __future__ import annotations

import itertools
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
            textwrap.shorten(read_card(weights.path).summary, _WIDTH, placeholder=" ..."),
        )
        for weights in shipped()
    ]
    render.table(("ready to use", "for"), ready)
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
    """Return a row for each damage: its name, a word for each model against it, and its methods."""
    rows = []
    for name, alike in itertools.groupby(PURPOSES, key=lambda purpose: purpose.name):
        against = list(alike)
        words = ", ".join(purpose.words[0] for purpose in against if purpose.words)
        methods = ", ".join(method for purpose in against for method in purpose.methods)
        rows.append((name, words or "-", methods or "-"))
    return rows


def _called(model: str, tag: str) -> str:
    """Return the shortest name of weights: that of the network, where it is its default."""
    return model if MODELS[model].default_tag == tag else f"{model}.{tag}"
