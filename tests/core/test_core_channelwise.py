"""Depthwise convolutions: those of torch, with their gradients, whatever makes them fast."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from restorecli import create_model
from restorecli.core.models.blocks import dynamic_filter
from restorecli.core.models.blocks.channelwise import DepthwiseConv2d, depthwise

FORMATS = (torch.contiguous_format, torch.channels_last)


@pytest.mark.parametrize("layout", FORMATS, ids=["contiguous", "channels-last"])
@pytest.mark.parametrize(("side", "multiplier"), [(3, 1), (5, 1), (3, 2), (5, 2)])
@pytest.mark.parametrize("size", [(9, 12), (2, 3), (1, 1)])
def test_results_and_gradients_are_those_of_torch(side, multiplier, size, layout):
    torch.manual_seed(0)
    ours = DepthwiseConv2d(6, side, multiplier)
    torchs = nn.Conv2d(6, 6 * multiplier, side, padding=side // 2, groups=6)
    torchs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 6, *size).contiguous(memory_format=layout)
    results = []
    for layer in (ours, torchs):
        seen = x.clone().requires_grad_()
        y = layer(seen)
        y.square().sum().backward()
        results.append((y, seen.grad, layer.weight.grad, layer.bias.grad))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-5)


def test_the_gradient_of_five_by_five_is_that_of_finite_differences():
    x = torch.randn(2, 3, 6, 5, dtype=torch.float64, requires_grad=True)
    weight, bias = (
        torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((3, 1, 5, 5), (3,))
    )
    torch.autograd.gradcheck(lambda *parts: depthwise(*parts, padding=2), (x, weight, bias))
    torch.autograd.gradcheck(lambda *parts: depthwise(*parts), (x, weight))


def test_under_autocast_it_computes_in_bfloat16_as_others_do():
    layer, x = DepthwiseConv2d(4, 5), torch.randn(1, 4, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32


def test_lcdnet_gives_what_it_gave_with_the_convolutions_of_torch(monkeypatch):
    torch.manual_seed(0)
    network = create_model("lcdnet", width=8, encoder=(1, 1, 1, 1), middle=1, decoder=(1, 1, 1, 1))
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    x = torch.rand(2, 3, 32, 48)
    ours = network.outputs(x)
    monkeypatch.setattr(DepthwiseConv2d, "forward", nn.Conv2d.forward)
    monkeypatch.setattr(dynamic_filter, "depthwise", lambda x, w: F.conv2d(x, w, groups=x.shape[1]))
    for mine, theirs in zip(ours, network.outputs(x), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=0)
