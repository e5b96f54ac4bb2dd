"""LCDNet's blocks against their equations in plain operations of torch, with the gradients of autograd."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from restorecli.core.models.blocks.dynamic_filter import MultiScaleFrequency
from restorecli.core.models.blocks.half_plane import half_plane, joined, unit_parts
from restorecli.core.models.blocks.naf import simple_gate
from restorecli.core.models.blocks.pointwise import Pointwise
from restorecli.core.models.blocks.spatial_frequency import MssfBlock, _crossed

SIZES = [(8, 10), (7, 9), (2, 3), (1, 5)]
FORMATS = (torch.contiguous_format, torch.channels_last)


def plain_gate(x):
    first, second = x.chunk(2, dim=1)
    return first * second


def plain_convolution(layer, x):
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.weight.shape[-1] // 2, groups=layer.groups)


def plain_norm(layer, x):
    centered = x - x.mean(1, keepdim=True)
    normal = centered / (centered.square().mean(1, keepdim=True) + layer.eps).sqrt()
    return normal * layer.weight[:, None, None] + layer.bias[:, None, None]


def plain_mixer(mixer, x):
    gated = plain_gate(plain_convolution(mixer.depthwise, plain_convolution(mixer.expand, x)))
    scale = plain_convolution(mixer.attention.weigh, gated.mean((2, 3), keepdim=True))
    return plain_convolution(mixer.project, gated * scale)


def plain_spectral(mixer, x):
    spectrum = torch.fft.rfft2(x, norm="ortho")
    parts = torch.cat([spectrum.real, spectrum.imag], dim=1)
    strength = (parts.square().mean(1, keepdim=True) + 1e-6).sqrt()
    real, imaginary = (plain_mixer(mixer.mixer, parts / strength) * strength).chunk(2, dim=1)
    return torch.fft.irfft2(torch.complex(real, imaginary), s=x.shape[-2:], norm="ortho")


def plain_feed(feed, x):
    expanded = plain_convolution(feed.expand, x)
    halves = [plain_gate(plain_convolution(path, expanded)).chunk(2, dim=1) for path in feed.first]
    pairs = [torch.cat(pair, dim=1) for pair in zip(*halves, strict=True)]
    gated = [plain_gate(plain_convolution(*pair)) for pair in zip(feed.second, pairs, strict=True)]
    return plain_convolution(feed.join, torch.cat(gated, dim=1))


def plain_block(block, x):
    normal = plain_norm(block.norm_mixing, x)
    mixed = plain_mixer(block.local_branch, normal) + plain_spectral(block.global_branch, normal)
    y = x + block.beta * mixed
    return y + block.gamma * plain_feed(block.feed, plain_norm(block.norm_feeding, y))


def plain_frequencies(msfm, x):
    joined_parts = []
    for half, split, select in zip(x.chunk(2, dim=1), msfm.splits, msfm.selects, strict=True):
        n, channels, side, border = *half.shape[:2], split.side, split.side // 2
        taps = split.norm(split.weigh(half.mean((2, 3)))).reshape(n, split.groups, -1).softmax(-1)
        taps = taps.repeat_interleave(channels // split.groups, dim=1)
        mode = "reflect" if border < min(half.shape[-2:]) else "replicate"
        windows = F.unfold(F.pad(half, (border,) * 4, mode=mode), side).reshape(n, channels, side**2, -1)
        low = (windows * taps[..., None]).sum(2).reshape(half.shape)
        z = F.gelu(select.squeeze(half.mean((2, 3))))
        shares = select.heads(z).reshape(n, 2, channels, 1, 1).softmax(1)
        joined_parts.append(plain_convolution(select.join, low * shares[:, 0] + (half - low) * shares[:, 1]))
    return torch.cat(joined_parts, dim=1)


@pytest.mark.parametrize("layout", FORMATS, ids=["contiguous", "channels-last"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("kind", "plain"), [(MssfBlock, plain_block), (MultiScaleFrequency, plain_frequencies)]
)
def test_results_and_gradients_are_those_of_the_equations(kind, plain, size, layout):
    torch.manual_seed(0)
    ours = kind(8).double()
    for parameter in ours.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.3)
    theirs = copy.deepcopy(ours)
    ours = ours.to(memory_format=layout)
    x = torch.randn(2, 8, *size, dtype=torch.float64).contiguous(memory_format=layout)
    weights = torch.randn_like(x)
    seen = [x.clone().requires_grad_() for _ in range(2)]
    results = [ours(seen[0]), plain(theirs, seen[1])]
    torch.testing.assert_close(*results, rtol=0, atol=1e-10)
    for result in results:
        (result * weights).sum().backward()
    torch.testing.assert_close(seen[0].grad, seen[1].grad, rtol=0, atol=1e-9)
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-7, atol=1e-9, msg=name)


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (1, 5), (3, 1), (2, 2)])
def test_gradients_of_spectra_are_those_of_finite_differences(size):
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    spectrum = torch.randn(2, 3, *size, dtype=torch.complex128, requires_grad=True)
    assert torch.autograd.gradcheck(half_plane, x)
    assert torch.autograd.gradgradcheck(half_plane, x)
    assert torch.autograd.gradcheck(unit_parts, spectrum)
    assert torch.autograd.gradcheck(lambda spectrum: joined(*unit_parts(spectrum)), spectrum)


def test_a_spectrum_is_that_of_torch_and_comes_back_from_its_parts():
    x = torch.randn(2, 3, 6, 7)
    spectrum = half_plane(x)
    torch.testing.assert_close(spectrum, torch.fft.rfft2(x, norm="ortho"))
    parts, strength = unit_parts(spectrum)
    torch.testing.assert_close(parts.square().mean(1), torch.ones(2, 6, 4), atol=1e-2, rtol=0)
    torch.testing.assert_close(joined(parts, strength), spectrum)


@pytest.mark.parametrize("layout", FORMATS, ids=["contiguous", "channels-last"])
def test_gates_and_crossings_have_the_gradients_of_finite_differences(layout):
    wide, narrow = (
        torch.randn(2, channels, 3, 2, dtype=torch.float64).contiguous(memory_format=layout).requires_grad_()
        for channels in (8, 4)
    )
    assert torch.autograd.gradcheck(simple_gate, wide)
    assert torch.autograd.gradcheck(simple_gate, (wide, narrow))
    assert torch.autograd.gradcheck(_crossed, wide)
    together = torch.cat([plain_gate(wide), plain_gate(narrow)], dim=1)
    torch.testing.assert_close(simple_gate(wide, narrow), together)
    a, b, c, d = wide.chunk(4, dim=1)
    expected = torch.cat([a, a, c, c], dim=1), torch.cat([b, b, d, d], dim=1)
    torch.testing.assert_close(_crossed(wide), expected)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(5, 4), (1, 2)])
def test_pointwise_is_the_convolution_of_torch_on_scaled_features(size, bias):
    layer = Pointwise(6, 3, bias=bias)
    x, scale = torch.randn(2, 6, *size), torch.randn(2, 6, 1, 1)
    torch.testing.assert_close(layer(x), nn.Conv2d.forward(layer, x))
    torch.testing.assert_close(layer(x, scale), nn.Conv2d.forward(layer, x * scale))
