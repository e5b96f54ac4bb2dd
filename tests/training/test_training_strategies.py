"""Ways of training: what they need of a batch, what they compare, what they leave as it is."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.errors import RecipeError
from restorecli.training import start
from restorecli.training.batches import Batch, BatchMaker
from restorecli.training.check import load_recipe
from restorecli.training.pairs import find_pairs
from restorecli.training.run import train
from restorecli.training.strategies.base import forward_with_sigma
from restorecli.training.strategies.masked import Masked
from restorecli.training.strategies.noise2noise import Noise2Noise


def loss(name="l1"):
    return WeightedSum([(name, 1.0, create_loss(name))])


def batch_of(write_recipe, workshop, needs, **changes):
    recipe = load_recipe(write_recipe(**changes))
    pairs = find_pairs(recipe.data.train, recipe, workshop, print)
    return BatchMaker(pairs, recipe, channels=1, needs=frozenset(needs)).batch(0)


def test_the_second_corruption_is_independent_of_the_first(write_recipe, workshop):
    data = {"train": [{"clean": "images"}], "degrade": [{"name": "gaussian", "sigma": 25}]}
    batch = batch_of(write_recipe, workshop, {"second"}, data={**data, "crop": 64, "batch": 16})
    first, second = batch.degraded - batch.reference, batch.second - batch.reference
    correlation = np.corrcoef(first.numpy().ravel(), second.numpy().ravel())[0, 1]
    assert abs(correlation) < 5 / np.sqrt(first.numel())
    assert float(second.std()) == pytest.approx(25 / 255, rel=0.03)
    assert batch_of(write_recipe, workshop, set()).second is None


def test_noise2noise_compares_with_the_second_corruption():
    x = torch.rand(2, 1, 8, 8)
    batch = Batch(x, x, second=x + 0.25)
    losses = Noise2Noise(loss()).losses(torch.nn.Identity(), batch, 0)
    assert float(losses.total) == pytest.approx(0.25)


@pytest.mark.parametrize(("name", "value"), [("mse", 0.3), ("l1", 0.0)])
def test_the_loss_chooses_the_statistic_of_noisy_targets(name, value):
    """Targets 1 with probability 0.3, else 0: squares find the mean, absolute values the median."""
    generator = torch.Generator().manual_seed(0)
    guess = torch.nn.Parameter(torch.full((1, 1, 1, 1), 0.6))
    optimizer = torch.optim.Adam([guess], lr=0.02)
    shape = (64, 1, 8, 8)
    for step in range(400):
        target = (torch.rand(shape, generator=generator) < 0.3).float()
        batch = Batch(torch.zeros(shape), torch.zeros(shape), second=target)
        total = Noise2Noise(loss(name)).losses(lambda x: guess.expand(x.shape), batch, step).total
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    assert float(guess.detach()) == pytest.approx(value, abs=0.03)


def test_noisy_pairs_in_folders_are_enough_for_noise2noise(write_recipe, workshop):
    rng = np.random.default_rng(1)
    for side in ("first", "second"):
        (workshop / side).mkdir()
        for number in range(3):
            pixels = np.clip(128 + rng.normal(0, 25, (32, 32)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(workshop / side / f"{number}.png")
    data = {"train": [{"degraded": "first", "reference": "second"}], "crop": 16, "batch": 2}
    recipe = write_recipe(
        strategy="noise2noise", data=data, validation={"holdout": 1, "every": 4}, loss={"mse": 1}
    )
    assert train(recipe, output=workshop / "run").steps == 8


@pytest.fixture
def tiles(workshop):
    """Images with a defect each in `images/kind`, and their masks in `masks/kind`."""
    folder = workshop / "masks" / "kind"
    folder.mkdir(parents=True)
    for file in (workshop / "images" / "kind").glob("[0-3].png"):
        mask = np.zeros((36, 42), np.uint8)
        mask[5:12, 20:30] = 255
        Image.fromarray(mask).save(folder / file.name)
        pixels = np.where(mask, 255, 0).astype(np.uint8)
        Image.fromarray(pixels).save(file)
    (workshop / "images" / "kind" / "colour.png").unlink()
    return workshop


def test_a_mask_is_cut_and_turned_with_its_image(write_recipe, tiles):
    data = {"train": [{"clean": "images"}], "degrade": ["blur"], "crop": 24, "batch": 16}
    batch = batch_of(write_recipe, tiles, {"mask"}, data=data)
    assert torch.equal(batch.mask, batch.reference)
    assert 0 < float(batch.mask.mean()) < 1


def test_the_error_inside_is_divided_by_the_defects_area():
    mask = torch.zeros(1, 1, 10, 10)
    mask[..., :2, :5] = 1
    reference = torch.zeros(1, 3, 10, 10)
    batch = Batch(reference + 0.5 * mask, reference, mask=mask)
    losses = Masked(loss(), inside=2.0).losses(torch.nn.Identity(), batch, 0)
    assert float(losses.parts["inside"]) == pytest.approx(0.5)
    assert float(losses.total) == pytest.approx(0.05 + 2 * 0.5)


def test_a_batch_without_a_defect_is_supervised():
    batch = Batch(torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 4, 4), mask=torch.zeros(1, 1, 4, 4))
    assert float(Masked(loss()).losses(torch.nn.Identity(), batch, 0).total) == 1


def test_masked_training_runs_from_a_recipe(write_recipe, tiles):
    recipe = write_recipe(strategy={"name": "masked", "inside": 3})
    assert train(recipe, output=tiles / "run").steps == 8


def test_a_network_that_asks_is_told_the_strength_of_the_noise():
    class Asking(torch.nn.Module):
        takes_sigma = True

        def forward(self, x, sigma=None):
            return x * 0 + sigma[:, None, None, None]

    noise = torch.tensor([10.0, 30.0]).view(2, 1, 1, 1) / 255
    reference = torch.rand(2, 1, 8, 8)
    told = forward_with_sigma(Asking(), Batch(reference + noise, reference))
    torch.testing.assert_close(told[:, 0, 0, 0], torch.tensor([10.0, 30.0]), rtol=1e-3, atol=0)


def test_frozen_parts_stay_as_they_are(write_recipe, workshop):
    first = train(write_recipe(name="a.yaml", ema=None), output=workshop / "first")
    recipe = write_recipe(
        name="b.yaml", ema=None, init=str(first.weights), freeze=["layers.0", "layers.2*", "layers.3.weight"]
    )
    train(recipe, output=workshop / "second")
    before, after = load_file(first.weights), load_file(workshop / "second" / "last.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert not any(name.startswith(("layers.0", "layers.2", "layers.3.weight")) for name in changed)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_weights_to_start_from_are_read_once_and_not_kept(write_recipe, workshop, monkeypatch, batch_norm):
    network = {"name": "dncnn", "arguments": {"channels": 1, "depth": 3, "width": 16}}
    first = train(write_recipe(name="a.yaml", model=network), output=workshop / "first", steps=1)
    read, usual = [], start.read_weights
    monkeypatch.setattr(start, "read_weights", lambda path: (read.append(path), usual(path))[1])
    network["arguments"]["batch_norm"] = batch_norm
    recipe = write_recipe(name="b.yaml", model=network, init=str(first.weights))
    train(recipe, output=workshop / "second", steps=1)
    assert read == [first.weights]
    train(recipe, output=workshop / "third", steps=1)
    assert read == [first.weights] * 2


@pytest.mark.parametrize(
    ("patterns", "words"), [(["encoder*"], "names no part"), (["*"], "nothing to train")]
)
def test_freezing_nothing_or_everything_is_refused(write_recipe, workshop, patterns, words):
    with pytest.raises(RecipeError, match=words):
        train(write_recipe(freeze=patterns), output=workshop / "run")


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("supervisd", "did you mean 'supervised'"),
        ({"name": "masked", "insid": 3}, "did you mean 'inside'"),
        ({"name": "masked", "inside": -1}, "a weight from 0"),
        ({"inside": 1}, "needs the strategy's `name`"),
    ],
)
def test_faults_of_a_strategy_are_named(write_recipe, strategy, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe(write_recipe(strategy=strategy))
