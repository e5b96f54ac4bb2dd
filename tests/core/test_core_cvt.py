"""CvT against its published sizes, and what the documents say of its attention."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from restorecli import create_model
from restorecli.core.models.blocks.convolutional_attention import (
    ConvolutionalAttention,
    ConvolutionalProjection,
    CvtBlock,
    DropPath,
)
from restorecli.core.models.catalog import count_parameters
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import UsageError

SMALL = {"channels": 1, "stem": 4, "widths": [4, 8, 8], "depths": [1, 1, 1], "decoder": [1, 1]}


def awake(network):
    """Give the last convolution, which starts at zero, and all others weights that matter."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.3)
    return network.eval()


def test_blocks_have_the_parameters_of_cvt_13():
    """CvT-13's published 19,997,480: our blocks at its widths, and its embeddings, token and head by hand."""
    widths, depths, heads = (64, 192, 384), (1, 2, 10), (1, 3, 6)
    with torch.device("meta"):
        blocks = sum(
            depth * count_parameters(CvtBlock(width, head, norm="batch"))
            for width, depth, head in zip(widths, depths, heads, strict=True)
        )
    embeddings = (7**2 * 3 + 3) * 64 + (3**2 * 64 + 3) * 192 + (3**2 * 192 + 3) * 384  # with bias and norm
    classifier = 384 + 2 * 384 + 384 * 1000 + 1000  # token, norm, linear layer
    assert blocks + embeddings + classifier == 19_997_480


def test_documented_number_of_parameters():
    with torch.device("meta"):
        assert count_parameters(create_model("cvt")) == 3_644_131


@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
@pytest.mark.parametrize("size", [(8, 8), (7, 9), (1, 5), (1, 1)])
def test_there_are_as_many_keys_as_the_strided_map_has_pixels(size, norm):
    height, width = size
    keys = ConvolutionalProjection(4, 2, norm).eval()(torch.rand(1, 4, height, width))
    assert keys.shape[-2:] == (-(-height // 2), -(-width // 2))


def test_projections_do_not_darken_borders():
    projection = ConvolutionalProjection(4, 2)
    y = projection(torch.full((1, 4, 9, 9), 0.7))
    torch.testing.assert_close(y, y[..., 4:5, 4:5].expand_as(y))


@pytest.mark.parametrize("window", [None, 4])
def test_attention_is_softmax_of_scaled_products(window):
    """Judge: nn.functional.multi_head_attention_forward on the tokens of each window."""
    torch.manual_seed(0)
    attention = ConvolutionalAttention(8, 2, window=window)
    x = torch.randn(1, 8, 8, 12)
    projections = (attention.query, attention.key, attention.value)
    q, k, v = (projection[1](projection[0](x)) for projection in projections)
    expected = torch.empty_like(x)
    side = window or 100
    for top in range(0, 8, side):
        for left in range(0, 12, side):
            whole = (..., slice(top, top + side), slice(left, left + side))
            half = (..., slice(top // 2, (top + side) // 2), slice(left // 2, (left + side) // 2))
            tokens = [m.flatten(2).permute(2, 0, 1) for m in (q[whole], k[half], v[half])]
            layers = [projection[2] for projection in projections]
            y, _ = F.multi_head_attention_forward(
                *tokens,
                8,
                2,
                in_proj_weight=None,
                in_proj_bias=torch.cat([layer.bias for layer in layers]),
                bias_k=None,
                bias_v=None,
                add_zero_attn=False,
                dropout_p=0.0,
                out_proj_weight=attention.out.weight.flatten(1),
                out_proj_bias=attention.out.bias,
                use_separate_proj_weight=True,
                q_proj_weight=layers[0].weight.flatten(1),
                k_proj_weight=layers[1].weight.flatten(1),
                v_proj_weight=layers[2].weight.flatten(1),
            )
            expected[whole] = y.permute(1, 2, 0).reshape(expected[whole].shape)
    torch.testing.assert_close(attention(x), expected)


def test_it_starts_as_the_identity():
    x = torch.rand(2, 3, 32, 64)
    assert torch.equal(create_model("cvt", widths=[8, 8, 8])(x), x)


@pytest.mark.parametrize(
    ("arguments", "shift"),
    [
        ({"window": 2, "key_strides": [2, 2, 1]}, 8),
        ({"window": None, "key_strides": [2, 2, 1]}, 8),
        ({}, 32),
    ],
)
def test_a_shift_by_the_multiple_of_the_windows_shifts_the_result(arguments, shift):
    """A texture on a plain ground: attention sees the same pixels in another order."""
    network = awake(create_model("cvt", **SMALL, **arguments)).double()
    x = torch.full((1, 1, 192, 256), 0.5, dtype=torch.float64)
    x[..., 80:112, 90:122] = torch.rand(32, 32, dtype=torch.float64)
    with torch.no_grad():
        before, after, off = (network(torch.roll(x, by, 3)) for by in (0, shift, shift - 1))

    def middle(y, by):
        return y[..., 64:-64, 64 + by : 160 + by]

    torch.testing.assert_close(middle(after, shift), middle(before, 0), atol=1e-9, rtol=0)
    assert float((middle(off, shift - 1) - middle(before, 0)).abs().max()) > 1e-3


def test_windows_bound_what_a_fine_scale_sees():
    attention = ConvolutionalAttention(4, 1, window=4)
    x = torch.rand(1, 4, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(attention(x)[0, :, 5, 5].sum(), x)
    rows, columns = gradient.abs().sum(1)[0].nonzero(as_tuple=True)
    assert (int(rows.min()), int(rows.max())) == (int(columns.min()), int(columns.max())) == (3, 7)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read from Linux")
def test_a_megapixel_never_holds_the_weights_of_attention():
    """The weights at 1/8 alone, of four heads, would take 1 GB (2.1 GB in all); 0.26 GB were seen."""
    code = (
        "import resource, torch; from restorecli import create_model; "
        "network = create_model('cvt', stem=8, widths=[8, 8, 16], depths=[1, 1, 1], decoder=[1, 1]).eval(); "
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "x = torch.rand(1, 3, 1024, 1024); before = peak(); "
        "torch.inference_mode()(network)(x); print((peak() - before) // 1024)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(result.stdout) < 700


def test_batch_norm_is_an_option_that_runs_on_odd_sizes():
    network = create_model("cvt", **SMALL, norm="batch")
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    restorer = TorchRestorer(network, name="cvt", device=torch.device("cpu"))
    assert restorer(torch.rand(1, 1, 37, 53)).shape == (1, 1, 37, 53)


def test_drop_path_leaves_out_whole_items_and_keeps_the_mean():
    torch.manual_seed(0)
    x = torch.ones(4000, 2, 1, 1)
    y = DropPath(0.25)(x)
    assert y.unique().tolist() == pytest.approx([0, 4 / 3])
    assert torch.equal(y[:, 0], y[:, 1])
    assert float(y.mean()) == pytest.approx(1, abs=0.04)
    assert torch.equal(DropPath(0.25).eval()(x), x)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"widths": [48, 96]}, "widths must be 3"),
        ({"heads": [1, 5, 4]}, "heads must divide the 96 channels"),
        ({"window": 7}, "multiple of the key stride 2"),
        ({"norm": "instance"}, "norm must be"),
        ({"drop_path": 1.0}, "drop_path must be"),
        ({"key_strides": [0, 2, 2]}, "key_strides must be"),
        ({"depths": [2, 2]}, "depths must be"),
    ],
)
def test_impossible_sizes_are_refused(arguments, words):
    with pytest.raises(UsageError) as caught:
        create_model("cvt", **arguments)
    assert words in str(caught.value)
