"""SWM: its parts, the identity it starts as, and the ablation."""

import torch
from torch import nn

from restorecli import create_model
from restorecli.core.models.blocks.depthwise import DilatedDepthwise
from restorecli.core.models.blocks.frequency import SelectiveFrequency
from restorecli.core.models.catalog import MODELS, count_parameters
from restorecli.core.models.swm import ColorHead, DirectionalFilterBank

SMALL = MODELS["swm"].small


def selections(network):
    return [module for module in network.modules() if isinstance(module, SelectiveFrequency)]


def test_untrained_it_is_the_identity():
    x = torch.rand(2, 3, 40, 56)
    assert torch.equal(create_model("swm", **SMALL)(x), x)


def test_selection_stands_on_every_level_and_twice_at_the_bottom():
    with torch.device("meta"):
        network = create_model("swm")
    assert [layer.raw_threshold.shape[0] for layer in selections(network)] == [32, 64, 128, 256, 256]


def test_without_selection_only_its_parameters_are_missing():
    """Per channel and band a threshold, a share and a weight; per layer a temperature."""
    with torch.device("meta"):
        full, ablated = create_model("swm"), create_model("swm", frequency_selection=False)
    assert selections(ablated) == []
    channels = 32 + 64 + 128 + 256 + 256
    assert count_parameters(full) - count_parameters(ablated) == 3 * 3 * channels + 5


def test_both_forms_start_from_the_same_weights():
    states = []
    for selected in (True, False):
        torch.manual_seed(4)
        states.append(create_model("swm", **SMALL, frequency_selection=selected).state_dict())
    assert all(torch.equal(states[0][name], tensor) for name, tensor in states[1].items())


def test_color_head_changes_gain_and_offset_of_each_color():
    head = ColorHead(8, 3)
    x, features = torch.rand(1, 3, 6, 7), torch.rand(1, 8, 2, 2)
    assert torch.equal(head(x, features), x)
    head.out.bias.data[:] = torch.tensor([0.5, 0, -1, 0, 0.25, 0.125])
    expected = x * torch.tensor([1.5, 1, 0])[:, None, None] + torch.tensor([0, 0.25, 0.125])[:, None, None]
    torch.testing.assert_close(head(x, features), expected)


def test_filter_bank_reaches_as_far_as_its_filters():
    """A point spreads into a 5x5 square and a cross of 7; judge: the union of the named windows."""
    bank = DirectionalFilterBank(1)
    for parameter in bank.parameters():
        nn.init.constant_(parameter, 1.0 if parameter.ndim > 1 else 0.0)
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    spread = torch.zeros(9, 9)
    spread[3:6, 3:6] += 1
    spread[2:7, 2:7] += 1
    spread[4, 1:8] += 1
    spread[1:8, 4] += 1
    spread[2:7:2, 2:7:2] += 1
    spread[4, 4] += 1
    torch.testing.assert_close(bank(x)[0, 0], spread)


def test_dilated_kernels_learn_the_same_in_bfloat16():
    """Judge: the gradient in float32. torch's own is unrelated to it, for channels-last tensors on CPUs."""
    torch.manual_seed(0)
    filters = DilatedDepthwise(16).to(memory_format=torch.channels_last)
    x = torch.randn(2, 16, 24, 24).to(memory_format=torch.channels_last)
    gradients = []
    for enabled in (False, True):
        filters.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            y = filters(x)
        y.float().square().mean().backward()
        gradients.append(filters.weight.grad.clone())
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-3, rtol=1e-2)
