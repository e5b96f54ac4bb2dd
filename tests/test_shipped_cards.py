"""What every shipped weights file says of itself."""

from __future__ import annotations

import pytest

from restorecli.bench.score_labels import read_label
from restorecli.core.cards import to_markdown
from restorecli.core.shipped import ShippedWeights, shipped
from restorecli.core.weights import read_weights
from restorecli.images.reading import read_image
from restorecli.training.shelf import shipped_recipes


@pytest.mark.parametrize("weights", shipped(), ids=lambda weights: weights.name)
def test_the_page_beside_shipped_weights_is_their_card(weights: ShippedWeights) -> None:
    card = read_weights(weights.path)[1]
    page, picture = weights.path.with_suffix(".md"), weights.path.with_suffix(".jpg")
    assert page.read_text(encoding="utf-8") == to_markdown(card, picture.name)
    assert weights.name == f"{card.model}.{card.tag}"
    assert card.recipe["name"] in shipped_recipes()


@pytest.mark.parametrize("weights", shipped(), ids=lambda weights: weights.name)
def test_a_card_tells_and_shows_where_the_weights_fail(weights: ShippedWeights) -> None:
    card = read_weights(weights.path)[1]
    assert card.failures
    picture = read_image(weights.path.with_suffix(".jpg"))
    height, width = picture.size
    assert width > 2.9 * height, "degraded, restored and original, side by side"
    assert {"steps", "hours", "device", "pictures"} <= set(card.training)
    assert card.data


@pytest.mark.parametrize("weights", shipped(), ids=lambda weights: weights.name)
def test_intervals_hold_the_means_of_many_images(weights: ShippedWeights) -> None:
    for label, score in read_weights(weights.path)[1].scores.items():
        if "psnr_interval" in score:
            low, high = score["psnr_interval"]
            protocol = read_label(label)
            assert low < score["psnr"] < high, label
            assert protocol is not None
            assert protocol.images >= 8, label


def test_all_shipped_weights_together_stay_small() -> None:
    assert sum(weights.path.stat().st_size for weights in shipped()) < 60e6
