"""Shared layers against their equations."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from restorecli.core.models.blocks.convolution import DepthwiseSeparable, ResidualBlock
from restorecli.core.models.blocks.gates import Cbam, ChannelGate, SpatialGate, squeeze_gate
from restorecli.core.models.blocks.patches import PatchGrid
from restorecli.core.models.blocks.upsampling import Upsampler
from restorecli.core.models.blocks.wrapping import InputNorm, PreNorm, mlp_block
from restorecli.core.models.catalog import count_parameters


def zero(module):
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def test_squeeze_and_excitation_with_zero_weights_halves_exactly():
    x = torch.randn(2, 32, 5, 7)
    assert torch.equal(x * zero(squeeze_gate(32))(x), x / 2)


def test_cbam_has_its_published_size():
    assert count_parameters(Cbam(64, 16)) == 2 * 64 * 4 + 4 + 64 + 98 + 2 == 680
    with pytest.raises(ValueError, match="at least 16, got 8"):
        Cbam(8)


@pytest.mark.parametrize(
    ("gate", "shape"),
    [(squeeze_gate(32), (3, 32, 1, 1)), (ChannelGate(32), (3, 32, 1, 1)), (SpatialGate(), (3, 1, 9, 8))],
)
def test_gates_lie_between_0_and_1(gate, shape):
    gates = gate(torch.randn(3, 32, 9, 8)).detach()
    assert gates.shape == shape
    assert 0 < float(gates.min()) < float(gates.max()) < 1


def test_cbam_gates_channels_first_and_then_places():
    """Judge: the module's two equations written out with torch's own layers."""
    block, x = Cbam(32, 16).eval(), torch.randn(2, 32, 6, 5)
    first, _, second = block.channel.mlp
    pooled = (nn.AdaptiveAvgPool2d(1)(x).flatten(1), nn.AdaptiveMaxPool2d(1)(x).flatten(1))
    w1, w2 = first.weight.flatten(1), second.weight.flatten(1)
    logits = sum((p @ w1.T + first.bias).clamp(min=0) @ w2.T + second.bias for p in pooled)
    y = x * logits.sigmoid()[:, :, None, None]
    planes = torch.stack([y.max(dim=1).values, y.mean(dim=1)], dim=1)
    plane = nn.functional.conv2d(planes, block.spatial.conv.weight, padding=3) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(block(x), y * plane.sigmoid())


def test_input_norm_is_undone_and_does_not_feel_light_or_contrast():
    x = torch.rand(3, 3, 9, 8)
    torch.testing.assert_close(InputNorm(nn.Identity())(x), x)
    network = InputNorm(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GELU(), nn.Conv2d(8, 3, 1)))
    torch.testing.assert_close(network(0.5 * x + 0.2), 0.5 * network(x) + 0.2, atol=1e-5, rtol=0)
    seen = []
    probe = InputNorm(nn.Identity())
    probe.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    probe(x)
    torch.testing.assert_close(seen[0].mean((1, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen[0].square().mean((1, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)


def test_input_norm_survives_flat_images():
    flat = torch.full((1, 3, 8, 8), 0.25)
    assert torch.equal(InputNorm(nn.Identity())(flat), flat)


def test_pre_norm_with_a_zero_branch_is_the_identity():
    x = torch.randn(2, 8, 5, 6)
    assert torch.equal(PreNorm(8, zero(nn.Conv2d(8, 8, 1)))(x), x)


def test_mlp_block_equals_torchs_linear_layers_on_the_channels_last_view():
    block, x = mlp_block(8), torch.randn(2, 8, 5, 6)
    first, _, second = block.branch
    y = nn.functional.layer_norm(x.permute(0, 2, 3, 1), (8,), eps=1e-6)
    y = nn.functional.gelu(y @ first.weight.flatten(1).T + first.bias) @ second.weight.flatten(1).T
    torch.testing.assert_close(block(x), x + (y + second.bias).permute(0, 3, 1, 2), atol=1e-5, rtol=0)
    assert first.weight.shape[:2] == (32, 8)


def test_separable_convolution_counts_as_the_report_says():
    """The report's figures: 12x12x3 to 8x8x256, 53,952 multiplications instead of 1,228,800."""
    layer = DepthwiseSeparable(3, 256, 5, padding=0, bias=False)
    assert layer(torch.rand(1, 3, 12, 12)).shape == (1, 256, 8, 8)
    assert 64 * count_parameters(layer) == 53_952
    dense = nn.Conv2d(3, 256, 5, bias=False)
    assert 64 * count_parameters(dense) == 1_228_800
    assert count_parameters(layer) / count_parameters(dense) == pytest.approx(1 / 256 + 1 / 25)


def test_separable_convolution_equals_the_dense_one_of_its_kernels():
    layer, x = DepthwiseSeparable(4, 6, 3), torch.randn(2, 4, 7, 8)
    depthwise, pointwise = layer
    kernel = pointwise.weight * depthwise.weight.transpose(0, 1)  # (6, 4, 1, 1) times (1, 4, 3, 3)
    torch.testing.assert_close(layer(x), nn.functional.conv2d(x, kernel, pointwise.bias, padding=1))


@pytest.mark.parametrize("weight", [1.0, 0.1])
def test_residual_block_adds_its_weighted_branch(weight):
    block, x = ResidualBlock(4, weight=weight), torch.randn(1, 4, 6, 6)
    torch.testing.assert_close(block(x), x + weight * block.body(x))


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_upsampler_enlarges(scale):
    up = Upsampler(4, scale)
    assert up(torch.rand(1, 4, 5, 7)).shape == (1, 4, 5 * scale, 7 * scale)
    assert up.radius(0) == {1: 0, 2: 1, 3: 1, 4: 2}[scale]


def test_upsampler_refuses_other_scales():
    with pytest.raises(ValueError, match="1, 2, 3 or 4, got 5"):
        Upsampler(4, 5)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 9).flatmap(lambda out: st.tuples(st.just(out), st.integers(1, out), st.integers(0, 4))),
    st.sampled_from(["hann", "triangular", "flat"]),
)
@settings(max_examples=60, deadline=None)
def test_patches_joined_again_are_the_image_at_its_border_too(height, width, sides, window):
    out, stride, border = sides
    grid = PatchGrid(out + 2 * border, stride, out, window)
    x = torch.rand(2, 3, height, width, dtype=torch.float64)
    patches = grid.unfold(x)
    torch.testing.assert_close(grid.fold(grid.middles(patches), height, width), x, atol=1e-12, rtol=0)


def test_patches_begin_where_they_should():
    """A patch inside the image is the image's own pixels."""
    grid, x = PatchGrid(6, 2, 4), torch.rand(1, 1, 16, 16)
    patches = grid.unfold(x)
    side = int(patches.shape[1] ** 0.5)
    inside = patches.reshape(side, side, 6, 6)[3, 4]  # starts at 2 * (3, 4) - (out - stride) - border
    assert torch.equal(inside, x[0, 0, 3:9, 5:11])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((8, 9), "stride must be 1 to 8, got 9"),
        ((8, 2, 5), "even number, got 5"),
        ((8, 2, 8, "box"), "'flat', got 'box'"),
    ],
)
def test_impossible_grids_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        PatchGrid(*arguments)
