"""Adversarial training: who learns from what, what the discriminator sees, whole runs and their resume."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.errors import InterruptedRunError, RecipeError
from restorecli.training.batches import Batch
from restorecli.training.check import load_recipe
from restorecli.training.run import train
from restorecli.training.strategies.adversarial import Adversarial

KINDS = ("vanilla", "lsgan", "hinge", "relativistic")
SMALL = {"name": "adversarial", "width": 4, "layers": 1}


def loss():
    return WeightedSum([("l1", 1.0, create_loss("l1"))])


def batch(side=16):
    generator = torch.Generator().manual_seed(0)
    reference = torch.rand(2, 1, side, side, generator=generator)
    return Batch(reference + 0.1 * torch.randn(reference.shape, generator=generator), reference)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("conditional", [False, True])
def test_neither_side_learns_from_the_other_ones_loss(kind, conditional):
    torch.manual_seed(0)
    network = nn.Conv2d(1, 1, 3, padding=1)
    strategy = Adversarial(loss(), 1, 16, kind=kind, conditional=conditional, width=4, layers=1)
    rival = strategy.discriminators["discriminator"]
    losses = strategy.losses(network, batch(), 0)
    losses.total.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(parameter.grad is None for parameter in rival.parameters())
    network.zero_grad(set_to_none=True)
    losses.discriminators["discriminator"].backward()
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(parameter.grad is not None and parameter.requires_grad for parameter in rival.parameters())


def test_the_total_is_the_recipes_loss_and_the_weighted_adversarial_part():
    strategy = Adversarial(loss(), 1, 16, weight=0.25, width=4, layers=1)
    losses = strategy.losses(nn.Identity(), batch(), 0)
    assert float(losses.total) == pytest.approx(float(losses.parts["l1"]) + 0.25 * float(losses.parts["gan"]))


def test_before_its_start_there_is_no_rival():
    strategy = Adversarial(loss(), 1, 16, start=5, width=4, layers=1)
    before, after = (strategy.losses(nn.Identity(), batch(), step) for step in (4, 5))
    assert (set(before.parts), set(before.discriminators)) == ({"l1"}, set())
    assert set(after.discriminators) == {"discriminator"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_steps_of_the_discriminator_tell_noise_from_none(kind):
    """The two halves are played right: it learns, and its loss then tells the network which way to go."""
    torch.manual_seed(0)
    strategy = Adversarial(loss(), 1, 16, kind=kind, width=8, layers=1)
    rival = strategy.discriminators["discriminator"]
    optimizer = torch.optim.Adam(rival.parameters(), 2e-3)
    reference = torch.full((8, 1, 16, 16), 0.5)
    for seed in range(40):
        noise = 0.2 * torch.randn(reference.shape, generator=torch.Generator().manual_seed(seed))
        losses = strategy.losses(nn.Identity(), Batch(reference + noise, reference), 0)
        optimizer.zero_grad()
        losses.discriminators["discriminator"].backward()
        optimizer.step()
    noisy, clean = (
        float(strategy.losses(nn.Identity(), Batch(reference + share * noise, reference), 0).parts["gan"])
        for share in (1.0, 0.0)
    )
    assert clean < noisy


@pytest.mark.parametrize("conditional", [False, True])
def test_a_run_resumes_with_its_discriminator(write_recipe, workshop, conditional, signal_after):
    recipe = write_recipe(
        strategy={**SMALL, "conditional": conditional},
        rivals={"name": "adam", "lr": 4e-4, "betas": [0.5, 0.999]},
    )
    train(recipe, output=workshop / "straight")
    with pytest.raises(InterruptedRunError):
        train(recipe, output=workshop / "broken", monitor=signal_after(4))
    train(recipe, output=workshop / "broken", resume=True)
    one, other = (load_file(workshop / name / "last.state.safetensors") for name in ("straight", "broken"))
    rival = [name for name in one if name.startswith("rival.discriminator.")]
    assert rival
    assert all(torch.equal(one[name], other[name]) for name in one if not name.startswith("generator"))


@pytest.mark.parametrize("rival", [{"discriminator": "vgg", "kind": "relativistic"}, {"conditional": True}])
def test_a_run_that_enlarges(write_recipe, workshop, rival):
    halved = {"name": "downscale", "factor": 2}
    model = {"channels": 1, "scale": 2, "blocks": 1, "width": 4, "growth": 2}
    recipe = write_recipe(
        model={"name": "esrgan", "arguments": model},
        strategy={**SMALL, **rival, "start": 2},
        data={"train": [{"clean": "images"}], "degrade": [halved], "crop": 32, "batch": 2},
        validation={"holdout": 2, "degrade": [dict(halved)], "every": 8},
    )
    assert train(recipe, output=workshop / "run").steps == 8


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "wgan"}, "kind: one of vanilla"),
        ({"kind": "hing"}, "did you mean 'hinge'"),
        ({"discriminator": "vgg"}, "multiple of 32"),
        ({"discriminator": "vgg", "conditional": True}, "use patch"),
        ({"layers": 3}, "crops of 24 pixels, got 16"),
        ({"weight": -1}, "from 0"),
        ({"width": 100_000}, "1 to 256"),
        ({"wieght": 1}, "did you mean 'weight'"),
    ],
)
def test_what_cannot_be_built_is_said_before_anything_starts(write_recipe, changes, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe(write_recipe(strategy={**SMALL, **changes}))
