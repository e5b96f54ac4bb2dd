"""Autoregressive likelihood: what is weighed, that it learns, and that it runs from a recipe."""

import pytest
import torch

from restorecli import create_model
from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.zoo import network_of
from restorecli.errors import RecipeError, UsageError
from restorecli.training.batches import Batch
from restorecli.training.check import load_recipe
from restorecli.training.run import train
from restorecli.training.strategies.autoregressive import Autoregressive

TINY = {"channels": 1, "width": 8, "layers": 2, "condition": 8, "blocks": 1, "components": 2}


def mse(weight=1.0):
    return WeightedSum([("mse", weight, create_loss("mse"))])


def test_a_network_that_knows_nothing_takes_eight_bits_twice():
    network = create_model("pixelcnn", **TINY, output="categorical")
    batch = Batch(torch.rand(2, 1, 6, 6), torch.full((2, 1, 6, 6), 0.25))
    losses = Autoregressive(mse(10), auxiliary=0.5).losses(network, batch, 0)
    assert float(losses.parts["bits"].detach()) == pytest.approx(8)
    assert float(losses.parts["bits_alone"].detach()) == pytest.approx(8)
    assert float(losses.parts["mse"].detach()) == pytest.approx(0.25**2)  # of the mean, 0.5
    assert float(losses.total.detach()) == pytest.approx(8 + 0.5 * 8 + 10 * 0.25**2)
    torch.testing.assert_close(losses.output, torch.full((2, 1, 6, 6), 0.5))


def test_bits_are_those_of_the_networks_own_judgement():
    torch.manual_seed(0)
    network = create_model("pixelcnn", **TINY)
    torch.nn.init.normal_(network.last.weight, std=0.2)
    batch = Batch(torch.rand(2, 1, 6, 6), torch.rand(2, 1, 6, 6))
    losses = Autoregressive(mse()).losses(network, batch, 0)
    judged = network.likelihood(batch.reference, batch.degraded).mean()
    torch.testing.assert_close(losses.parts["bits"].detach(), judged)
    assert not torch.equal(losses.parts["bits"], losses.parts["bits_alone"])


@pytest.mark.parametrize(("output", "rate"), [("logistic", 1e-2), ("categorical", 1e-2)])
def test_it_learns_one_tiny_image_by_heart(output, rate):
    """From 5 to 8 bits to below 2 in 150 steps."""
    torch.manual_seed(0)
    network = create_model("pixelcnn", **{**TINY, "width": 16, "condition": 16}, output=output)
    rows = torch.arange(8)
    reference = (40 * ((rows[:, None] + rows) % 5) / 255)[None, None].float()
    batch = Batch(reference + 0.05 * torch.randn(1, 1, 8, 8), reference)
    strategy = Autoregressive(mse())
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    before = float(network.likelihood(reference, batch.degraded))
    for step in range(150):
        optimizer.zero_grad()
        strategy.losses(network, batch, step).total.backward()
        optimizer.step()
    after = float(network.likelihood(reference, batch.degraded))
    assert after < 2 < before
    with torch.no_grad():
        assert float((network(batch.degraded) - reference).square().mean()) < 0.5 * 0.05**2


def test_the_output_sees_the_reference_before_each_pixel():
    torch.manual_seed(0)
    network = create_model("pixelcnn", **TINY)
    torch.nn.init.normal_(network.last.weight, std=0.2)
    x = torch.rand(1, 1, 6, 6)
    reference = torch.rand(1, 1, 6, 6)
    changed = reference.clone()
    changed[..., 3, 3] = 1 - changed[..., 3, 3].round()
    before, after = (
        Autoregressive(mse()).losses(network, Batch(x, y), 0).output[0, 0].flatten()
        for y in (reference, changed)
    )
    first = int((before != after).nonzero()[0])
    assert first == 3 * 6 + 4
    assert not before.requires_grad


def test_it_trains_from_a_recipe_and_the_weights_restore(write_recipe, workshop):
    recipe = write_recipe(
        strategy={"name": "autoregressive", "auxiliary": 0.5},
        model={"name": "pixelcnn", "arguments": TINY},
        loss={"charbonnier": 1},
    )
    done = train(recipe, output=workshop / "run")
    assert done.steps == 8
    network, card = network_of(done.weights)
    assert card.model == "pixelcnn"
    assert torch.isfinite(network(torch.rand(1, 1, 9, 9))).all()


def test_other_networks_have_no_likelihood(write_recipe):
    with pytest.raises(RecipeError, match="autoregressive trains pixelcnn"):
        load_recipe(write_recipe(strategy="autoregressive"))
    x = torch.rand(1, 1, 8, 8)
    with pytest.raises(UsageError, match="needs a network that gives likelihoods"):
        Autoregressive(mse()).losses(torch.nn.Identity(), Batch(x, x), 0)


def test_negative_weights_are_refused(write_recipe):
    recipe = write_recipe(
        strategy={"name": "autoregressive", "auxiliary": -1}, model={"name": "pixelcnn", "arguments": TINY}
    )
    with pytest.raises(RecipeError, match="auxiliary: a weight from 0"):
        load_recipe(recipe)
