"""Coarse-to-fine: every scale against its own reference, the mean over the scales, what is logged."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.errors import RecipeError, UsageError
from restorecli.training import loop
from restorecli.training.batches import Batch
from restorecli.training.check import load_recipe
from restorecli.training.run import train
from restorecli.training.strategies.coarse_to_fine import CoarseToFine

MODEL = {
    "name": "lcdnet",
    "arguments": {"channels": 1, "width": 2, "encoder": [1] * 4, "middle": 1, "decoder": [1] * 4},
}


def loss(**weights):
    return WeightedSum([(name, weight, create_loss(name)) for name, weight in weights.items()])


class Pyramid(nn.Module):
    """The mean of every block of 1, 2, 4 and 8 pixels, plus an error of its own at each scale."""

    def __init__(self, errors):
        super().__init__()
        self.errors = nn.Parameter(torch.tensor(errors))

    def outputs(self, x):
        return [F.avg_pool2d(x, 2**level) + error for level, error in enumerate(self.errors)]


def batch(side=32):
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    return Batch(x, x)


def test_the_total_is_the_mean_over_the_scales():
    """Flat images are the same at every scale, so that only the errors are left."""
    flat = torch.full((1, 1, 32, 32), 0.5)
    errors = [0.1, 0.2, 0.4, 0.8]
    losses = CoarseToFine(loss(l1=1.0, frequency=0.1)).losses(Pyramid(errors), Batch(flat, flat), 0)
    assert float(losses.total.detach()) == pytest.approx((1 + 0.1 / 2) * sum(errors) / 4)
    assert {name: float(part.detach()) for name, part in losses.parts.items()} == pytest.approx(
        {
            "l1": 0.375,
            "frequency": 0.1875,
            **{f"l1_{2**level}": error for level, error in enumerate(errors)},
            **{f"frequency_{2**level}": error / 2 for level, error in enumerate(errors)},
        }
    )


def test_references_are_made_smaller_bilinearly_without_antialiasing():
    """At half the sides that is the mean of 2x2; at a quarter, of the 2x2 in the middle of each 4x4."""
    data = batch()
    parts = CoarseToFine(loss(l1=1.0)).losses(Pyramid([0.0] * 3), data, 0).parts
    assert float(parts["l1_1"].detach()) == 0
    assert float(parts["l1_2"].detach()) == pytest.approx(0, abs=1e-7)
    x = data.reference
    middle = (x[..., 1::4, 1::4] + x[..., 1::4, 2::4] + x[..., 2::4, 1::4] + x[..., 2::4, 2::4]) / 4
    expected = float((F.avg_pool2d(x, 4) - middle).abs().mean())
    assert float(parts["l1_4"].detach()) == pytest.approx(expected, rel=1e-5)
    assert expected > 0.01


def test_every_scale_teaches():
    network = Pyramid([0.1, -0.1, 0.2, -0.2])
    CoarseToFine(loss(l1=1.0)).losses(network, batch(), 0).total.backward()
    assert all(network.errors.grad != 0)


def test_the_output_is_the_finest():
    data = batch()
    output = CoarseToFine(loss(l1=1.0)).losses(Pyramid([0.25, 0.0]), data, 0).output
    torch.testing.assert_close(output, data.degraded + 0.25)


def test_a_network_with_one_output_is_refused():
    with pytest.raises(UsageError, match="one output"):
        CoarseToFine(loss(l1=1.0)).losses(nn.Identity(), batch(), 0)


def test_a_window_larger_than_the_coarsest_output_is_refused():
    with pytest.raises(UsageError, match=r"11 pixels(.|\n)*4 x 4"):
        CoarseToFine(loss(l1=1.0, ssim=1.0)).losses(Pyramid([0.0] * 4), batch(), 0)


def test_a_recipe_with_another_network_is_refused(write_recipe):
    with pytest.raises(RecipeError, match="coarse-to-fine trains lcdnet"):
        load_recipe(write_recipe(strategy="coarse-to-fine"))


def test_training_runs_from_a_recipe_and_logs_every_scale(write_recipe, workshop, monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 2)
    recipe = write_recipe(
        strategy="coarse-to-fine",
        model=MODEL,
        loss={"l1": 1, "frequency": 0.1},
        budget={"steps": 3},
        precision="fp32",
        validation={"holdout": 1, "degrade": ["gaussian"], "every": 20},
    )
    assert train(recipe, output=workshop / "run").steps == 3
    lines = [json.loads(line) for line in (workshop / "run" / "log.jsonl").read_text().splitlines()]
    (logged,) = [line for line in lines if line["kind"] == "train"]
    assert {f"loss_{name}_{scale}" for name in ("l1", "frequency") for scale in (1, 2, 4, 8)} <= set(logged)
