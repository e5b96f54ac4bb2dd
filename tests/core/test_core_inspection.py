"""What an inspection of frequency selection shows is what the layers did."""

import numpy as np
import pytest
import torch
from torch import nn

from restorecli import create_model
from restorecli.core.inspection import central, full_plane, inspect
from restorecli.core.models.blocks.frequency import SelectiveFrequency
from restorecli.core.models.catalog import MODELS
from restorecli.errors import UsageError

SIZES = [(32, 48), (33, 47), (32, 47), (33, 48), (1, 1), (2, 5)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_full_plane_is_that_of_the_full_transform(height, width):
    """Judge: numpy's fft2, shifted."""
    x = np.random.default_rng(0).normal(size=(2, height, width))
    half = torch.fft.rfft2(torch.from_numpy(x)).abs()
    expected = np.fft.fftshift(np.abs(np.fft.fft2(x)), axes=(1, 2))
    np.testing.assert_allclose(full_plane(half, width), expected, atol=1e-10)


@pytest.mark.parametrize(("height", "width"), SIZES[:4])
def test_view_of_a_layer_repeats_its_result(height, width):
    """Judge: numpy's full transform, multiplied by what is left of the shown gate."""
    layer = SelectiveFrequency(2, padding=0)
    x = torch.randn(2, height, width, generator=torch.Generator().manual_seed(2))
    (view,) = inspect(layer, x)
    left = np.fft.ifftshift(view.gate + (1 - view.gate) * 0.02, axes=(1, 2))
    expected = np.fft.ifft2(np.fft.fft2(x.numpy()) * left).real
    np.testing.assert_allclose(view.after, expected, atol=1e-5)
    np.testing.assert_allclose(view.bands.sum(0), 1, atol=1e-6)
    assert ((view.level > view.threshold) == (view.gate < 0.5))[:, height // 2 + 1 :].all()


def test_facts_of_a_sinusoid():
    """One of two mirror bins stands out: its band loses nearly all energy, the others nothing of note."""
    x = 1e-3 * torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))
    x = x + 10 * torch.cos(2 * torch.pi * 15 * torch.arange(64) / 64)
    (view,) = inspect(SelectiveFrequency(1, padding=0), x)
    assert [(band.low, band.high) for band in view.statistics] == [(0, 0.28), (0.28, 0.64), (0.64, 1)]
    assert view.statistics[1].removed > 0.99
    assert view.statistics[1].suppressed < 0.005
    assert view.statistics[1].threshold == pytest.approx(
        view.statistics[1].mean + 2 * view.statistics[1].deviation
    )
    assert view.gate[0, 32, 32] == 1


def test_busiest_channel_is_the_one_that_loses_most():
    calm = 1e-3 * torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(0))
    calm[1] += 10 * torch.cos(2 * torch.pi * 7 * torch.arange(32) / 32)
    (view,) = inspect(SelectiveFrequency(3, padding=0), calm)
    assert view.busiest == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_every_layer_of_a_network_is_seen_with_its_own_input(channels):
    network = create_model("swm", channels=channels, **MODELS["swm"].small).eval()
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    image = torch.rand(channels, 45, 61)
    views = inspect(network, image)
    assert [view.name for view in views] == [
        "encoder.0.2.selection",
        "encoder.1.2.selection",
        "encoder.2.1.selection",
        "bottleneck.0.selection",
    ]
    assert [view.before.shape for view in views] == [(16, 48, 64), (32, 24, 32), (64, 12, 16), (128, 6, 8)]
    assert [view.patch_level.shape[1:] for view in views] == [(32, 32), (24, 32), (12, 16), (6, 8)]
    for view in views:
        layer = network.get_submodule(view.name)
        with torch.no_grad():
            np.testing.assert_allclose(layer(torch.from_numpy(view.before)[None])[0], view.after, atol=1e-6)
        assert not layer._forward_pre_hooks


def test_gray_images_go_through_color_networks_and_the_other_way_round():
    for channels, others in ((3, 1), (1, 3)):
        network = create_model("swm", channels=channels, **MODELS["swm"].small)
        assert len(inspect(network, torch.rand(others, 16, 16))) == 4


def test_networks_without_selection_are_refused():
    with pytest.raises(UsageError, match="selects no frequencies"):
        inspect(create_model("unet", width=2), torch.rand(3, 16, 16))


def test_central_is_the_middle():
    x = torch.arange(7 * 10).reshape(1, 7, 10)
    assert central(x, 3)[0].tolist() == [[23, 24, 25], [33, 34, 35], [43, 44, 45]]
    assert central(x, 99).shape == (1, 7, 10)
