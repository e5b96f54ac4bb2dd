"""Where a run starts from: weights with batch norm in a network without it."""

import pytest
import torch
from torch import nn

from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import create_model
from restorecli.core.weights import pack
from restorecli.errors import WeightsError
from restorecli.training.start import start_from

ARGUMENTS = {"channels": 1, "depth": 4, "width": 8}


@pytest.fixture
def with_batch_norm(tmp_path):
    """A DnCNN with statistics of its own, and its file."""
    torch.manual_seed(0)
    network = create_model("dncnn", **ARGUMENTS)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.bias)
    file = tmp_path / "before.safetensors"
    file.write_bytes(pack(network.state_dict(), Card("dncnn", ARGUMENTS, channels=1)))
    return network.eval(), file


@torch.no_grad()
def test_batch_norm_is_folded_into_a_network_without_it(with_batch_norm):
    network, file = with_batch_norm
    folded = create_model("dncnn", **ARGUMENTS, batch_norm=False)
    start_from(folded, file.name, file.parent)
    x = torch.rand(2, 1, 20, 24)
    torch.testing.assert_close(folded(x), network(x), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_network_with_batch_norm_takes_the_weights_as_they_are(with_batch_norm):
    network, file = with_batch_norm
    same = create_model("dncnn", **ARGUMENTS).eval()
    start_from(same, file.name, file.parent)
    x = torch.rand(1, 1, 9, 9)
    assert torch.equal(same(x), network(x))


def test_another_depth_is_refused(with_batch_norm):
    _, file = with_batch_norm
    deeper = create_model("dncnn", channels=1, depth=5, width=8, batch_norm=False)
    with pytest.raises(WeightsError):
        start_from(deeper, file.name, file.parent)


def made(name, tmp_path, seed, **arguments):
    """A network whose random start depends on a seed, and its file."""
    torch.manual_seed(seed)
    network = create_model(name, **arguments)
    file = tmp_path / f"{name}-{seed}.safetensors"
    file.write_bytes(pack(network.state_dict(), Card(name, arguments)))
    return network, file


@pytest.mark.parametrize(
    ("before", "after", "anew"),
    [
        (2, 3, ("up.0.weight", "up.0.bias")),
        (2, 4, ("up.2.weight", "up.2.bias")),
        (4, 2, ()),
        (1, 2, ("up.0.weight", "up.0.bias")),
        (2, 2, ()),
    ],
)
@pytest.mark.parametrize(
    ("name", "small"),
    [("resnet", {"blocks": 2, "width": 8}), ("rdn", {"blocks": 2, "layers": 2, "growth": 4, "width": 8})],
)
def test_a_network_that_enlarges_starts_from_another_scale(tmp_path, name, small, before, after, anew):
    source, file = made(name, tmp_path, 0, **small, scale=before)
    target, _ = made(name, tmp_path, 1, **small, scale=after)
    untouched = {key: value.clone() for key, value in target.state_dict().items()}
    assert start_from(target, file.name, tmp_path) == anew
    for key, value in target.state_dict().items():
        assert torch.equal(value, untouched[key] if key in anew else source.state_dict()[key]), key


def test_only_the_steps_up_may_differ(tmp_path):
    _, file = made("resnet", tmp_path, 0, blocks=2, width=8, scale=2)
    for other in ({"blocks": 3, "width": 8}, {"blocks": 2, "width": 12}):
        with pytest.raises(WeightsError):
            start_from(create_model("resnet", **other, scale=4), file.name, tmp_path)
