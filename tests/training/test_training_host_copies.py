"""No step copies from the host but its batch: such a copy waits for the device.

The device is torch's meta device, which computes shapes alone. Whatever of a step lies on the CPU all the
same would be copied by a GPU.
"""

from contextlib import nullcontext

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from restorecli.core.losses.catalog import LOSSES, create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.models.catalog import MODELS, create_model
from restorecli.core.ops.constants import constant
from restorecli.training.batches import Batch
from restorecli.training.strategies.catalog import STRATEGIES, create_strategy

SMALL = {"channels": 1, "depth": 3, "width": 16}
OF_MODEL = {
    "cvae-gan": "variational",
    "old-photo": "old-photo",
    "lcdnet": "coarse-to-fine",
    "pixelcnn": "autoregressive",
}
MAKERS = ((torch, "tensor"), (torch, "as_tensor"), (torch, "from_numpy"), (torch.Tensor, "new_tensor"))


class OnHost(TorchDispatchMode):
    """Notes every operation that meets a tensor of the CPU."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        returned = function(*arguments, **(named or {}))
        tensors = [
            leaf for leaf in tree_leaves((arguments, named, returned)) if isinstance(leaf, torch.Tensor)
        ]
        if any(tensor.device.type == "cpu" for tensor in tensors):
            self.found.append(function._schema.name)
        return returned


@pytest.fixture
def on_host(monkeypatch):
    """Return what a step of a network, losses and a strategy does on the host, but for the first step."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # which meta does not know

    def found(model, arguments, losses, strategy):
        with torch.device("meta"):
            network = create_model(model, **arguments).train()
            loss = WeightedSum([(name, 1.0, create_loss(name)) for name in losses])
            side = network.multiple * -(-64 // (network.multiple * network.scale))
            crop = network.scale * side
            ours = create_strategy(strategy, loss, network.channels, crop)
            low = torch.rand(2, network.channels, side, side)
            high = torch.rand(2, network.channels, crop, crop)
            batch = Batch(low, high, torch.rand_like(high), torch.rand(2, 1, crop, crop))
        ours.losses(network, batch, 0).total.backward()
        made = []
        with monkeypatch.context() as patch:
            for owner, name in MAKERS:
                usual = getattr(owner, name)
                patch.setattr(owner, name, lambda *a, u=usual, n=name, **k: (made.append(n), u(*a, **k))[1])
            with OnHost() as mode:
                ours.losses(network, batch, 0).total.backward()
        return made + mode.found

    return found


@pytest.mark.parametrize("model", list(MODELS))
def test_networks_are_trained_without_copies_from_the_host(on_host, model):
    arguments = dict(MODELS[model].small)
    assert on_host(model, arguments, ["charbonnier"], OF_MODEL.get(model, "supervised")) == []


@pytest.mark.parametrize("loss", list(LOSSES))
def test_losses_are_computed_without_copies_from_the_host(on_host, loss):
    assert on_host("dncnn", SMALL, [loss], "supervised") == []


@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - set(OF_MODEL.values())))
def test_strategies_do_without_copies_from_the_host(on_host, strategy):
    assert on_host("dncnn", SMALL, ["l1"], strategy) == []


@pytest.mark.parametrize("spoil", [lambda x: x + x.new_tensor([1.0]), lambda x: x * torch.arange(64).to(x)])
def test_the_counter_sees_constants_and_tensors_of_the_host(on_host, monkeypatch, spoil):
    from restorecli.core.losses.pixel import L1Loss

    usual = L1Loss.forward
    monkeypatch.setattr(L1Loss, "forward", lambda self, a, b: usual(self, spoil(a), b))
    assert on_host("dncnn", SMALL, ["l1"], "supervised") != []


def test_constants_are_kept_and_may_be_trained_with_whoever_asked_first():
    with torch.inference_mode():
        first = constant((3.0, 4.0), torch.zeros(1))
    assert constant((3.0, 4.0), torch.ones(1)) is first
    weight = torch.ones(2, requires_grad=True)
    (weight * first).sum().backward()
    assert torch.equal(weight.grad, first)
