"""LCDNet: its parts against their equations, the identity it starts as, its scales and its ablations."""

import numpy as np
import pytest
import torch
from torch import nn

from restorecli import create_model
from restorecli.core.models.blocks.dynamic_filter import DynamicLowPass, FrequencySelect, MultiScaleFrequency
from restorecli.core.models.blocks.spatial_frequency import (
    CrossScaleFeed,
    HsfsBlock,
    MssfBlock,
    SpectralMixer,
)
from restorecli.core.models.catalog import MODELS, count_parameters
from restorecli.core.models.lcdnet import ShallowFeatures, SkipAttention, pyramid
from restorecli.errors import UsageError

SMALL = MODELS["lcdnet"].small


def small(**arguments):
    torch.manual_seed(0)
    return create_model("lcdnet", **{**SMALL, **arguments})


def awake(network):
    """Open what starts at zero."""
    torch.manual_seed(1)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2)
    return network


def test_untrained_its_outputs_are_the_pyramid_of_the_input():
    x = torch.rand(2, 3, 48, 32)
    outputs = small().outputs(x)
    assert len(outputs) == 4
    for level, output in enumerate(outputs):
        step = 2**level
        assert torch.equal(output, x[..., ::step, ::step])


def test_with_open_gates_but_no_residuals_it_is_still_the_pyramid():
    network = awake(small())
    for convolution in network.last:
        nn.init.zeros_(convolution.weight)
        nn.init.zeros_(convolution.bias)
    x = torch.rand(1, 3, 32, 32)
    for output, copy in zip(network.outputs(x), pyramid(x), strict=True):
        assert torch.equal(output, copy)


def test_blocks_start_as_the_identity():
    x = torch.randn(2, 8, 7, 9)
    assert torch.equal(MssfBlock(8)(x), x)
    assert torch.equal(HsfsBlock(8, 2, msfm=False)(x), x)
    assert not torch.equal(awake(MssfBlock(8))(x), x)


@pytest.mark.parametrize("value", [0.1, -7.3, 1e4])
@pytest.mark.parametrize("side", [3, 5])
def test_filters_sum_to_one_and_a_flat_image_has_no_high_part(side, value):
    torch.manual_seed(0)
    split = DynamicLowPass(16, side)
    x = torch.full((2, 16, 9, 11), value)
    low, high = split(x)
    assert not high.any()
    assert torch.equal(low, x)
    taps = split.filters(torch.randn(3, 16, 9, 11)).detach()
    assert taps.shape == (3, 8, side, side)
    assert float(taps.min()) >= 0
    torch.testing.assert_close(taps.sum(dim=(2, 3)), torch.ones(3, 8))


@pytest.mark.parametrize(("height", "width"), [(9, 11), (2, 7), (1, 1)])
def test_low_and_high_add_up_to_the_input(height, width):
    x = torch.randn(2, 12, height, width)
    low, high = DynamicLowPass(12, 5)(x)
    torch.testing.assert_close(low + high, x, atol=1e-6, rtol=0)


def test_the_low_part_is_each_images_own_filter_over_a_mirrored_image():
    """Judge: every window written out in numpy."""
    split = DynamicLowPass(16, 3)
    x = torch.randn(2, 16, 6, 5)
    low, _ = split(x)
    taps = split.filters(x).detach().numpy()
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    expected = np.einsum("nchwij,ncij->nchw", windows, taps.repeat(2, axis=1))
    np.testing.assert_allclose(low.detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(("channels", "groups"), [(16, 8), (12, 4), (3, 1), (64, 8)])
def test_groups_divide_the_channels(channels, groups):
    assert DynamicLowPass(channels, 3).groups == groups


def test_selection_shares_add_up_to_one_for_each_pair():
    """With equal parts the shares cannot matter: the join of one part is the result."""
    select = FrequencySelect(6)
    x = torch.randn(2, 6, 4, 4)
    torch.testing.assert_close(select(x, x), select.join(x))


def test_halves_of_the_channels_do_not_meet_in_msfm():
    msfm = MultiScaleFrequency(16)
    x = torch.randn(1, 16, 8, 8)
    changed = x.clone()
    changed[:, 8:] += torch.randn(1, 8, 8, 8)
    before, after = msfm(x), msfm(changed)
    assert torch.equal(before[:, :8], after[:, :8])
    assert not torch.allclose(before[:, 8:], after[:, 8:])


def test_the_global_branch_with_an_idle_mixer_is_the_identity():
    """The inverse transform takes back what the transform and the division did, on odd sizes too."""
    mixer = SpectralMixer(4)
    mixer.mixer = nn.Identity()
    for size in ((8, 8), (7, 9), (1, 5)):
        x = torch.randn(2, 4, *size)
        torch.testing.assert_close(mixer(x), x, atol=1e-5, rtol=0)


def test_the_global_branch_scales_with_its_input():
    torch.manual_seed(0)
    mixer = SpectralMixer(4).double()
    x = torch.randn(1, 4, 12, 10, dtype=torch.float64)
    torch.testing.assert_close(mixer(50 * x), 50 * mixer(x), rtol=1e-4, atol=1e-3)


def test_the_global_branch_sees_everything_and_the_feed_five_pixels():
    x = torch.randn(1, 4, 24, 24, requires_grad=True)
    (gradient,) = torch.autograd.grad(SpectralMixer(4)(x)[0, 0, 12, 12], x)
    assert (gradient.abs().sum(1) > 0).all()
    (gradient,) = torch.autograd.grad(CrossScaleFeed(4)(x)[0, :, 12, 12].sum(), x)
    rows, columns = gradient[0].abs().sum(0).nonzero(as_tuple=True)
    assert (int((rows - 12).abs().max()), int((columns - 12).abs().max())) == (4, 4)


def test_skips_pass_a_share_of_each_channel():
    skip = SkipAttention(8)
    encoded, decoded = torch.randn(2, 8, 5, 5), torch.randn(2, 8, 5, 5)
    share = skip(encoded, decoded).detach() / encoded
    assert 0 < float(share.min()) <= float(share.max()) < 1
    torch.testing.assert_close(share, share[..., :1, :1].expand_as(share))
    assert not torch.allclose(skip(encoded, decoded + 1), skip(encoded, decoded))


def test_every_parameter_learns_once_the_gates_are_open():
    network = awake(small())
    sum(output.square().mean() for output in network.outputs(torch.rand(2, 3, 48, 32))).backward()
    idle = [name for name, parameter in network.named_parameters() if not parameter.grad.any()]
    assert idle == []


def test_coarse_outputs_do_not_reach_the_finest_convolution():
    network = awake(small())
    for level, output in enumerate(network.outputs(torch.rand(1, 3, 32, 32))):
        network.zero_grad()
        output.sum().backward(retain_graph=True)
        reached = [bool(last.weight.grad is not None and last.weight.grad.any()) for last in network.last]
        assert reached == [place == 3 - level for place in range(4)]


@pytest.mark.parametrize(
    ("switch", "parts"), [("msfm", (MultiScaleFrequency, 9)), ("scam", (SkipAttention, 4))]
)
def test_the_ablations_leave_out_what_they_say(switch, parts):
    kind, count = parts
    full, ablated = small(), small(**{switch: False})
    assert sum(isinstance(module, kind) for module in full.modules()) == count
    assert not any(isinstance(module, kind) for module in ablated.modules())
    x = torch.rand(1, 3, 32, 48)
    assert [y.shape for y in ablated.outputs(x)] == [y.shape for y in full.outputs(x)]


def test_blocks_per_level_are_the_asked_ones():
    with torch.device("meta"):
        network = create_model("lcdnet")
    blocks = [sum(isinstance(m, MssfBlock) for m in part.modules()) for part in network.encoder]
    assert blocks == [2, 2, 4, 8]
    assert sum(isinstance(m, MssfBlock) for m in network.modules()) == 16 + 2 + 8
    assert count_parameters(network) == 35_898_376


def test_shallow_features_by_counting_their_shapes():
    """3x3 to 16, 1x1 to 32, 3x3 to 32, 1x1 to 64 (this one without bias), and the norm's."""
    weights = 9 * 3 * 16 + 16 + 16 * 32 + 32 + 9 * 32 * 32 + 32 + 32 * 64 + 2 * 64
    assert count_parameters(ShallowFeatures(3, 64)) == weights


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"width": 7}, "width must be even"),
        ({"encoder": [1, 1, 1]}, "encoder must be 4 whole numbers"),
        ({"decoder": [1, 1, 1, 1, 1]}, "decoder must be 4 whole numbers"),
        ({"middle": 100}, "middle must be"),
    ],
)
def test_impossible_arguments_are_refused(arguments, words):
    with pytest.raises(UsageError) as caught:
        create_model("lcdnet", **arguments)
    assert words in str(caught.value)
