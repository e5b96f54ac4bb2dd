"""The card of a weights file, for people to read, and the scores that are measured after training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from restorecli.core.card_reading import Card


def to_markdown(card: Card, failure: str | None = None) -> str:
    """Return the card as a Markdown page: purpose, data, training, failures, licence, scores, recipe.

    Args:
        card: Of the weights.
        failure: An image of a known failure, as a path from the page.
    """
    return "\n".join(_lines(card, failure)) + "\n"


def recipe_digest(card: Card) -> str:
    """Return the SHA-256 of the resolved recipe, written as JSON with sorted keys."""
    text = json.dumps(dict(card.recipe), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _lines(card: Card, failure: str | None) -> Iterator[str]:
    kind = "gray" if card.channels == 1 else "RGB"
    low, high = card.value_range
    yield f"# {card.model}.{card.tag}"
    yield ""
    yield f"{card.summary}."
    yield ""
    yield f"- network: `{card.model}` with {dict(card.arguments) or 'its default arguments'}"
    yield f"- images: {kind}, range [{low:g}, {high:g}]"
    if card.side:
        yield f"- larger images: seen at {card.side} px, the change is carried to their size"
    yield f"- data: {card.data}"
    yield f"- training: {_flat(card.training)}"
    if card.precision_loss:
        yield f"- precision: float32; others lose, in dB: {_flat(card.precision_loss)}"
    if card.failures:
        yield f"- known failures: {card.failures}"
    yield f"- licence: {card.licence}"
    yield f"- written by: restorecli {card.version}"
    yield f"- SHA-256 of the tensors: `{card.digest}`"
    yield f"- SHA-256 of the recipe: `{recipe_digest(card)}`"
    if failure is not None:
        yield ""
        yield f"![A known failure: degraded, restored, original]({failure})"
    yield ""
    yield "## Scores"
    yield ""
    for name, values in card.scores.items():
        yield f"- {name}: {_flat(values)}"
    yield ""
    yield "## Recipe"
    yield ""
    yield "```yaml"
    yield yaml.safe_dump(dict(card.recipe), sort_keys=False, allow_unicode=True).rstrip()
    yield "```"


def _flat(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )
