"""Frequency selection in windows: exact where nothing is selected, local where something is."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from restorecli.core.inspection import inspect, selection_layers
from restorecli.core.models.blocks.local_frequency import LocalFrequency
from restorecli.core.models.catalog import MODELS, create_model

sides = st.integers(1, 70)


def open_wide(layer):
    """Let everything through: the threshold far above any magnitude."""
    nn.init.constant_(layer.selection.raw_threshold, 1e3)
    return layer.eval()


@torch.no_grad()
@settings(deadline=None, max_examples=25)
@given(height=sides, width=sides, side=st.sampled_from([8, 12, 32]))
def test_far_threshold_is_the_identity_for_every_size(height, width, side):
    layer = open_wide(LocalFrequency(2, side))
    x = torch.rand(2, 2, height, width) + 3
    torch.testing.assert_close(layer(x), x, atol=2e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("mode", ["mute", "clamp"])
def test_flat_images_come_back_whatever_is_selected(mode):
    layer = LocalFrequency(1, mode=mode)
    nn.init.constant_(layer.selection.raw_threshold, 0.0)
    x = torch.full((1, 1, 40, 50), 0.7)
    torch.testing.assert_close(layer(x), x, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_pattern_in_one_corner_is_suppressed_and_the_rest_stays():
    torch.manual_seed(0)
    noise = 0.1 * torch.randn(1, 1, 128, 128)
    pattern = torch.zeros_like(noise)
    pattern[..., :64, :64] = torch.cos(2 * torch.pi * torch.arange(64) / 4)
    layer = LocalFrequency(1)
    left = layer(noise + pattern) - layer(noise)
    inside = left[..., 16:48, 16:48].square().mean() / pattern[..., 16:48, 16:48].square().mean()
    assert float(inside) < 0.05
    assert torch.equal(layer(noise + pattern)[..., 96:, 96:], layer(noise)[..., 96:, 96:])


@torch.no_grad()
def test_a_pixel_reaches_less_than_a_window():
    torch.manual_seed(1)
    layer = LocalFrequency(1, 16)
    x = torch.randn(1, 1, 64, 64)
    changed = x.clone()
    changed[..., 32, 32] += 5
    far = (layer(changed) - layer(x)).abs()[0, 0]
    rows, columns = torch.nonzero(far > 1e-6, as_tuple=True)
    assert int((rows - 32).abs().max()) < 16
    assert int((columns - 32).abs().max()) < 16


@pytest.mark.parametrize("side", [7, 9, 6])
def test_impossible_windows_are_refused(side):
    with pytest.raises(ValueError, match="even side"):
        LocalFrequency(1, side)


def test_swm_in_windows_learns_and_can_be_inspected():
    network = create_model("swm", **MODELS["swm"].small, window=16)
    for block in (m for m in network.modules() if hasattr(m, "gamma")):
        nn.init.constant_(block.gamma, 0.1)
    nn.init.normal_(network.last.weight, std=0.1)
    network(torch.rand(1, 3, 24, 32)).square().mean().backward()
    for layer in selection_layers(network).values():
        assert layer.raw_threshold.grad is not None
        assert float(layer.raw_threshold.grad.abs().sum()) > 0
    assert len(inspect(network, torch.rand(3, 24, 32))) == len(selection_layers(network))
