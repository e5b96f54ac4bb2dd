"""Restormer against its published properties, and its blocks against their equations."""

import pytest
import torch
from torch import nn

from restorecli import create_model
from restorecli.core.models.blocks.transposed_attention import GatedFeedForward, TransposedAttention
from restorecli.core.models.catalog import count_parameters
from restorecli.errors import UsageError


def counted(width=48, blocks=(4, 6, 6, 8), refinement=4, heads=(1, 2, 4, 8), *, channels=3, norm=2):
    """Sum the shapes of the public architecture's layers, level by level, in closed form."""

    def block(wide, count):
        inner = int(2.66 * wide)
        attention = wide * 3 * wide + 9 * 3 * wide + wide * wide + count
        return attention + wide * 2 * inner + 9 * 2 * inner + inner * wide + 2 * norm * wide

    w = [width * 2**level for level in range(4)]
    down = sum(9 * wide * wide // 2 for wide in w[:3])
    up = sum(9 * wide * 2 * wide for wide in w[1:])
    reduce = 2 * w[2] * w[2] + 2 * w[1] * w[1]
    coders = sum(n * block(wide, h) for n, wide, h in zip(blocks, w, heads, strict=True))
    coders += sum(blocks[i] * block(w[max(i, 1)], heads[i]) for i in (2, 1, 0))
    ends = 9 * channels * width + 9 * w[1] * channels
    return ends + down + up + reduce + coders + refinement * block(w[1], heads[0])


@pytest.mark.parametrize(
    ("arguments", "shapes", "published"),
    [
        ({}, {}, 26.13),
        ({"norm": "bias-free"}, {"norm": 1}, 26.11),
        ({"channels": 1}, {"channels": 1}, 26.12),
    ],
)
def test_parameters_are_the_published_ones(arguments, shapes, published):
    """26.13 million for RGB; judge: the shapes of the layers, summed in closed form."""
    with torch.device("meta"):
        parameters = count_parameters(create_model("restormer", **arguments))
    assert parameters == counted(**shapes)
    assert round(parameters / 1e6, 2) == published


def test_the_exact_count_is_documented():
    with torch.device("meta"):
        assert count_parameters(create_model("restormer")) == 26_126_644


def test_attention_equals_its_equation():
    """Judge: one head after the other, written out in float64."""
    attention = TransposedAttention(8, 2).double()
    nn.init.uniform_(attention.temperature, 0.5, 2)
    x = torch.randn(1, 8, 5, 6, dtype=torch.float64)
    q, k, v = attention.depthwise(attention.project(x))[0].flatten(1).split(8)
    heads = []
    for head in range(2):
        own = slice(4 * head, 4 * head + 4)
        lengths = q[own].norm(dim=1)[:, None] * k[own].norm(dim=1)
        scores = attention.temperature[head] * (q[own] @ k[own].T) / lengths
        heads.append(scores.softmax(dim=1) @ v[own])
    expected = attention.out(torch.cat(heads).reshape(1, 8, 5, 6))
    torch.testing.assert_close(attention(x), expected, atol=1e-12, rtol=0)


def test_attention_is_between_channels_whatever_the_size():
    """Every row of weights adds up to 1: channels that are all the same come back as they were."""
    attention = TransposedAttention(4, 1)
    for convolution in (attention.project, attention.depthwise, attention.out):
        nn.init.zeros_(convolution.weight)
    attention.project.weight.data[8:] = torch.eye(4)[:, :, None, None]
    attention.depthwise.weight.data[:, :, 1, 1] = 1
    attention.out.weight.data[:] = torch.eye(4)[:, :, None, None]
    x = torch.randn(2, 1, 7, 11).expand(-1, 4, -1, -1)
    torch.testing.assert_close(attention(x), x)


def test_feed_forward_equals_its_equation():
    feed = GatedFeedForward(6, factor=2.66).double()
    assert feed.out.in_channels == 15
    x = torch.randn(1, 6, 5, 4, dtype=torch.float64)
    first, second = feed.depthwise(feed.expand(x)).split(15, dim=1)
    gelu = first * (1 + torch.erf(first / 2**0.5)) / 2
    torch.testing.assert_close(feed(x), feed.out(gelu * second), atol=1e-12, rtol=0)


def test_residual_with_a_zero_last_layer_is_the_identity():
    network = create_model("restormer", width=8, blocks=[1, 1, 1, 1], refinement=1, heads=[1, 1, 1, 1])
    nn.init.zeros_(network.last.weight)
    x = torch.rand(1, 3, 16, 24)
    assert torch.equal(network(x), x)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"blocks": [1, 1, 1]}, "blocks must be 4 whole numbers"),
        ({"heads": [1, 2, 4, 5]}, "heads must divide the 384 channels, got 5"),
        ({"norm": "none"}, "'with-bias' or 'bias-free'"),
        ({"factor": 100.0}, "factor must be from 1 to 8"),
        ({"refinement": 65}, "refinement must be"),
    ],
)
def test_impossible_networks_are_refused(arguments, words):
    with torch.device("meta"), pytest.raises(UsageError) as caught:
        create_model("restormer", **arguments)
    assert words in str(caught.value)
