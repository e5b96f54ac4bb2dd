"""What every shipped weights file says of itself."""

from __future__ import annotations

import pytest

from restorecli.core.cards import to_markdown
from restorecli.core.shipped import ShippedWeights, shipped
from restorecli.core.weights import read_weights
from restorecli.training.shelf import shipped_recipes


@pytest.mark.parametrize("weights", shipped(), ids=lambda weights: weights.name)
def test_the_page_beside_shipped_weights_is_their_card(weights: ShippedWeights) -> None:
    card = read_weights(weights.path)[1]
    assert weights.path.with_suffix(".md").read_text(encoding="utf-8") == to_markdown(card)
    assert weights.name == f"{card.model}.{card.tag}"
    assert card.recipe["name"] in shipped_recipes()


def test_all_shipped_weights_together_stay_small() -> None:
    assert sum(weights.path.stat().st_size for weights in shipped()) < 60e6
