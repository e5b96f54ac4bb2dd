"""Training CVAE-GAN: where gradients go, the levels, and a whole run."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.cvae_gan import CvaeGan
from restorecli.core.recognizer import Recognizer
from restorecli.errors import RecipeError
from restorecli.training.batches import Batch
from restorecli.training.check import load_recipe
from restorecli.training.run import train
from restorecli.training.strategies.variational import Variational, levels_of

SMALL = {"name": "cvae-gan", "arguments": {"channels": 1, "width": 4, "latent": 4}}


def loss():
    return WeightedSum([("charbonnier", 1.0, create_loss("charbonnier"))])


def batch(strengths=(5, 15, 25, 35, 45), side=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(len(strengths), 1, side, side, generator=generator)
    noise = torch.randn(reference.shape, generator=generator)
    noise = noise / noise.square().mean((1, 2, 3), keepdim=True).sqrt()
    return Batch(reference + noise * torch.tensor(strengths).view(-1, 1, 1, 1) / 255, reference)


def build(**arguments):
    torch.manual_seed(0)
    return CvaeGan(1, width=4, latent=4), Variational(loss(), 1, width=4, **arguments)


def reached(module):
    return [value.grad is not None and bool(value.grad.any()) for value in module.parameters()]


def test_levels_are_bins_of_the_measured_strength():
    assert levels_of(batch((5, 15, 25, 35, 45))).tolist() == [0, 1, 2, 3, 4]


def test_neither_side_learns_from_the_other_ones_loss():
    network, strategy = build()
    losses = strategy.losses(network, batch(), 0)
    losses.total.backward()
    assert all(reached(network))
    assert not any(any(reached(rival)) for rival in strategy.discriminators.values())
    network.zero_grad(set_to_none=True)
    for name, rival in strategy.discriminators.items():
        losses.discriminators[name].backward()
        assert all(reached(rival)), name
    assert not any(reached(network))


@pytest.mark.parametrize("part", ["pair", "kl", "charbonnier"])
def test_the_encoder_learns_from_features_divergence_and_pixels(part):
    network, strategy = build(free=0.0)
    strategy.losses(network, batch(), 0)  # the first batch is what mean features are compared with
    strategy.losses(network, batch(), 1).parts[part].backward()
    assert all(reached(network.moments))


def test_mean_features_pull_at_the_generator_alone():
    network, strategy = build()
    strategy.losses(network, batch(), 0)
    strategy.losses(network, batch(), 1).parts["matching"].backward()
    assert not any(reached(network.moments))
    assert any(reached(network.decoder))


def test_the_divergence_warms_up():
    network, strategy = build(warmup=10, pair=0.0, matching=0.0, kl=1.0)
    for step, share in ((0, 0.1), (4, 0.5), (9, 1.0), (99, 1.0)):
        losses = strategy.losses(network, batch(), step)
        rest = (losses.total - losses.parts["charbonnier"]).detach()
        assert float(rest) == pytest.approx(share * float(losses.parts["kl"].detach()), rel=1e-3)


def test_the_classifier_tells_levels_and_with_labels_permuted_it_fails():
    torch.manual_seed(0)
    classifier = Recognizer(1, 5, width=8)
    optimizer = torch.optim.Adam(classifier.parameters(), 5e-3)
    strengths = torch.tensor([0, 15, 25, 35, 80]).repeat(8)

    def flat(seed):
        made = batch(strengths.tolist(), seed=seed)
        return Batch(made.degraded - made.reference + 0.5, torch.full_like(made.reference, 0.5))

    for seed in range(60):
        made = flat(seed)
        optimizer.zero_grad()
        F.cross_entropy(classifier(made.degraded), levels_of(made)).backward()
        optimizer.step()
    made = flat(1000)
    levels, answers = levels_of(made), classifier(made.degraded).argmax(1)
    accuracy = float((answers == levels).float().mean())
    permuted = float((answers == (levels + 1) % 5).float().mean())
    assert accuracy > 0.6
    assert permuted < 0.3


def test_a_run_saves_encoder_rivals_and_what_they_remember(write_recipe, workshop):
    recipe = write_recipe(
        model=SMALL, strategy={"name": "variational", "width": 4, "warmup": 4}, loss={"charbonnier": 1}
    )
    assert train(recipe, output=workshop / "run").steps == 8
    state = load_file(workshop / "run" / "last.state.safetensors")
    assert bool(state["rival.classifier.model.seen"].any())
    weights = load_file(workshop / "run" / "last.safetensors")
    assert any(name.startswith("moments.") for name in weights)


def test_another_network_or_a_negative_weight_is_refused(write_recipe):
    with pytest.raises(RecipeError, match="variational trains cvae-gan, and the model is dncnn"):
        load_recipe(write_recipe(strategy="variational"))
    with pytest.raises(RecipeError, match="from 0"):
        load_recipe(write_recipe(model=SMALL, strategy={"name": "variational", "kl": -1}))
    with pytest.raises(TypeError, match="cvae-gan"):
        build()[1].losses(nn.Identity(), batch(), 0)
