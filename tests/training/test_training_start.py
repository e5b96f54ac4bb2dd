"""Where a run starts from: weights with batch norm in a network without it."""

import pytest
import torch
from torch import nn

from restorecli.core.models.catalog import create_model
from restorecli.core.weights import Card, pack
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
