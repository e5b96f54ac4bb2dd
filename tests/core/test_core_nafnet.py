"""NAFNet against its published properties, and its blocks against their equations."""

import numpy as np
import pytest
import torch
from torch import nn

from restorecli import create_model
from restorecli.core.models.blocks.naf import NafBlock, SimplifiedChannelAttention, local_mean, simple_gate
from restorecli.core.models.blocks.normalization import LayerNorm2d
from restorecli.core.models.catalog import count_parameters
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import UsageError
from restorecli.restoration.tiling import restore_tiled

CPU = torch.device("cpu")
SIDD = {"encoder": [2, 2, 4, 8], "middle": 12, "decoder": [2, 2, 2, 2]}


def awake(network):
    """Open the gates that start at zero."""
    torch.manual_seed(1)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.3)
    return network


@pytest.mark.parametrize(
    ("arguments", "millions"),
    [
        ({}, "17.11"),
        ({"width": 64}, "67.89"),
        (SIDD, "29.16"),
        ({"width": 64, **SIDD}, "115.98"),
    ],
)
def test_published_parameter_counts_in_millions(arguments, millions):
    """The authors' tables, and issue 60 of their repository for SIDD at width 32."""
    with torch.device("meta"):
        assert f"{count_parameters(create_model('nafnet', **arguments)) / 1e6:.2f}" == millions


def test_block_of_width_512_has_the_published_parameters():
    """1,851,904 in a public layer listing of the GoPro network; 7 c^2 + 33 c by counting shapes."""
    assert count_parameters(NafBlock(512)) == 1_851_904 == 7 * 512**2 + 33 * 512


def test_blocks_start_as_the_identity():
    x = torch.randn(2, 8, 7, 9)
    assert torch.equal(NafBlock(8)(x), x)
    assert not torch.equal(awake(NafBlock(8))(x), x)


def test_simple_gate_multiplies_the_halves():
    x = torch.arange(8.0).reshape(1, 4, 1, 2)
    assert simple_gate(x).tolist() == [[[[0 * 4, 1 * 5]], [[2 * 6, 3 * 7]]]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_layer_norm_gives_each_pixel_zero_mean_and_unit_variance(dtype):
    """Judge: numpy in float64."""
    x = (5 + 3 * torch.randn(2, 16, 5, 7)).to(dtype)
    values = x.double().numpy()
    expected = (values - values.mean(1, keepdims=True)) / np.sqrt(values.var(1, keepdims=True) + 1e-6)
    y = LayerNorm2d(16)(x)
    assert y.dtype == dtype
    assert np.abs(y.detach().double().numpy() - expected).max() < (1e-5 if dtype == torch.float32 else 2e-2)


def test_layer_norm_without_bias_only_divides():
    x = 5 + 3 * torch.randn(2, 16, 5, 7)
    norm = LayerNorm2d(16, eps=1e-5, bias_free=True)
    values = x.double().numpy()
    expected = values / np.sqrt(values.var(1, keepdims=True) + 1e-5)
    assert np.abs(norm(x).detach().double().numpy() - expected).max() < 1e-5
    assert [name for name, _ in norm.named_parameters()] == ["weight"]


@pytest.mark.parametrize(("height", "width", "window"), [(9, 12, 4), (9, 12, 5), (3, 12, 5), (1, 1, 3)])
def test_local_mean_is_the_mean_of_a_window_inside_the_image(height, width, window):
    """Judge: the mean of every window written out."""
    x = torch.randn(2, 3, height, width)
    means = local_mean(x, window).expand(-1, -1, height, width)
    for row in range(height):
        for column in range(width):
            top = max(0, min(row - (window - 1) // 2, height - window))
            left = max(0, min(column - (window - 1) // 2, width - window))
            seen = x[..., top : top + window, left : left + window].mean((2, 3))
            torch.testing.assert_close(means[..., row, column], seen, atol=1e-6, rtol=0)


def test_local_pooling_is_global_in_training_and_where_the_window_holds_the_image():
    attention = SimplifiedChannelAttention(4, window=6)
    everywhere = SimplifiedChannelAttention(4)
    everywhere.load_state_dict(attention.state_dict())
    large, small = torch.rand(1, 4, 20, 20), torch.rand(1, 4, 6, 5)
    assert torch.equal(attention.train()(large), everywhere(large))
    attention.eval()
    torch.testing.assert_close(attention(small), everywhere(small))
    assert not torch.allclose(attention(large), everywhere(large), atol=1e-4)


def test_local_pooling_lets_tiles_and_the_whole_agree():
    arguments = {"width": 6, "encoder": [1], "decoder": [1], "channels": 1}
    image = torch.rand(1, 90, 130, generator=torch.Generator().manual_seed(0)) * torch.linspace(0, 1, 130)
    differences = []
    for window in (8, None):
        network = awake(create_model("nafnet", **arguments, local_pooling=window))
        restorer = TorchRestorer(network, name="nafnet", device=CPU)
        whole = restore_tiled(restorer, image, tile=None)
        tiled = restore_tiled(restorer, image, tile=64)
        differences.append(float((whole - tiled).abs().max()))
    assert differences[0] < 1e-5
    assert differences[1] > 1e-4


def test_stated_field_of_local_pooling_is_what_gradients_reach():
    """Judge: autograd."""
    network = create_model("nafnet", channels=1, width=4, encoder=[1, 1], decoder=[1, 1], local_pooling=8)
    network = awake(network).eval().double()
    assert network.receptive_field == 71
    reached = 0
    x = torch.rand(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    y = network(x)
    for place in range(60, 68):
        (gradient,) = torch.autograd.grad(y[0, 0, place, place], x, retain_graph=True)
        seen = gradient[0, 0].abs() > 1e-14 * gradient.abs().max()  # running sums leave rounding everywhere
        reached = max(reached, int((seen.nonzero() - place).abs().max()))
    assert 71 // 2 - 8 <= reached <= 71 // 2


def test_default_field_is_the_documented_one():
    with torch.device("meta"):
        assert create_model("nafnet", local_pooling=384).receptive_field == 14_383
        assert create_model("nafnet").receptive_field is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"encoder": [1, 0]}, "encoder must be 1 to 6 whole numbers"),
        ({"encoder": [1, 10**9]}, "encoder must be"),
        ({"encoder": [1, 1]}, "decoder must be 2 whole numbers"),
        ({"middle": 100}, "middle must be"),
        ({"encoder": 3}, "Invalid arguments"),
    ],
)
def test_impossible_depths_are_refused(arguments, words):
    with pytest.raises(UsageError) as caught:
        create_model("nafnet", **arguments)
    assert words in str(caught.value)
