"""The frequency selection against numpy's full-plane transform, and what it must do to a spectrum."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from restorecli.core.models.blocks.frequency import (
    SelectiveFrequency,
    band_masks,
    band_statistics,
    column_weights,
)

SIZES = [(32, 48), (33, 47), (32, 47), (33, 48), (8, 8), (5, 3)]
every_size = pytest.mark.parametrize(("height", "width"), SIZES)
sides = st.integers(1, 40)


def full_plane_masks(height, width, edges):
    """Memberships over the full plane of `np.fft.fft2`, written out bin by bin."""
    masks = np.zeros((len(edges) + 1, height, width))
    rho = np.minimum(1, 2 * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)))
    half = np.diff((0, *edges, 1)).min() / 2
    for index in np.ndindex(height, width):
        risen = np.clip((rho[index] - np.array(edges) + half) / (2 * half), 0, 1)
        steps = np.array([1, *(np.sin(np.pi / 2 * risen) ** 2), 0])
        masks[(slice(None), *index)] = steps[:-1] - steps[1:]
    return masks


@settings(max_examples=30, deadline=None)
@given(height=sides, width=sides, edges=st.sets(st.integers(1, 19), max_size=7))
def test_memberships_add_up_to_one(height, width, edges):
    masks = band_masks(height, width, [edge / 20 for edge in sorted(edges)])
    assert masks.shape == (len(edges) + 1, height, width // 2 + 1)
    assert float(masks.min()) >= -1e-12
    torch.testing.assert_close(masks.sum(0), torch.ones_like(masks[0]))


def test_bands_meet_at_the_published_edges():
    """At 0.28 and 0.64 of Nyquist two neighbors have one half each; in their middles a band has it all."""
    masks = band_masks(200, 200)
    row = masks[:, :, 0]  # rho rises by 0.01 from row to row
    for index, below in ((28, 0), (64, 1)):
        np.testing.assert_allclose(row[below : below + 2, index], [0.5, 0.5], atol=1e-9)
    for index, band in ((10, 0), (46, 1), (90, 2)):
        assert float(row[band, index]) == pytest.approx(1)


@given(width=sides)
def test_columns_stand_for_all_bins(width):
    assert float(column_weights(width).sum()) == width


@every_size
def test_half_plane_statistics_equal_full_plane_ones(height, width):
    """Judge: numpy's full fft2 in float64, DC left out."""
    layer = SelectiveFrequency(2, padding=0)
    x = torch.randn(1, 2, height, width, generator=torch.Generator().manual_seed(3)) + 4
    chosen = layer.select(x)
    masks = full_plane_masks(height, width, layer.edges)
    masks[:, 0, 0] = 0
    for channel in range(2):
        level = np.log1p(np.abs(np.fft.fft2(x[0, channel].double().numpy(), norm="ortho")))
        for band, mask in enumerate(masks):
            mean = (mask * level).sum() / mask.sum()
            deviation = np.sqrt((mask * (level - mean) ** 2).sum() / mask.sum() + 1e-6)
            assert float(chosen.mean[0, channel, band]) == pytest.approx(mean, abs=1e-5)
            assert float(chosen.deviation[0, channel, band]) == pytest.approx(deviation, abs=1e-5)


@torch.no_grad()
@every_size
@pytest.mark.parametrize("mode", ["mute", "clamp"])
def test_far_threshold_is_the_identity(height, width, mode):
    layer = SelectiveFrequency(3, threshold=1e3, mode=mode)
    x = torch.rand(2, 3, height, width)
    torch.testing.assert_close(layer(x), x, atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("mode", ["mute", "clamp"])
def test_a_strong_sinusoid_is_suppressed_and_its_band_mates_stay(mode):
    noise = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    column = torch.arange(64)
    spectrum = torch.fft.rfft2(noise, norm="ortho")
    x = noise + 10 * torch.cos(2 * torch.pi * 15 * column / 64)  # middle of the middle band
    layer = SelectiveFrequency(1, mode=mode, padding=0)
    kept = torch.fft.rfft2(layer(x), norm="ortho")
    before = torch.fft.rfft2(x, norm="ortho")
    assert float(kept[0, 0, 0, 15].abs() / before[0, 0, 0, 15].abs()) <= 0.1
    mates = band_masks(64, 64)[1] > 0.5
    mates[0, 15] = False
    sums = [float(plane[0, 0][mates].abs().sum()) for plane in (kept, spectrum)]
    assert 0.95 <= sums[0] / sums[1] < 1.001


@torch.no_grad()
def test_the_mean_is_never_gated():
    x = 100 + torch.rand(1, 1, 32, 32)
    layer = SelectiveFrequency(1, threshold=0.1, padding=0)
    assert float(layer.select(x).gate[0, 0, 0, 0]) == 1
    assert float(layer(x).mean()) == pytest.approx(float(x.mean()), rel=1e-6)


def test_thresholds_and_everything_else_learn():
    layer = SelectiveFrequency(2)
    layer(torch.randn(1, 2, 24, 25)).square().mean().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert (parameter.grad != 0).all(), name


def test_gradient_of_the_threshold_is_the_slope():
    """Judge: central differences in the one learned number that the layer is about."""
    x = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    layer = SelectiveFrequency(1)

    def loss():
        return layer(x).square().sum()

    loss().backward()
    slopes = []
    for band in range(3):
        with torch.no_grad():
            values = []
            for step in (0.05, -0.1):
                layer.raw_threshold[0, band] += step
                values.append(float(loss()))
            layer.raw_threshold[0, band] += 0.05
        slopes.append((values[0] - values[1]) / 0.1)
    np.testing.assert_allclose(layer.raw_threshold.grad[0], slopes, rtol=2e-2, atol=1e-3)


def test_hard_gate_is_for_evaluation_only():
    layer = SelectiveFrequency(1, hard=True)
    x = torch.randn(1, 1, 16, 16)
    assert set(layer.eval().select(x).gate.unique().tolist()) == {0.0, 1.0}
    assert len(layer.train().select(x).gate.unique()) > 2


@torch.no_grad()
def test_statistics_of_a_band_without_bins_are_harmless():
    mean, deviation = band_statistics(torch.ones(1, 1, 4), torch.zeros(2, 4))
    assert mean.tolist() == [[[0, 0]]]
    assert float(deviation.max()) == pytest.approx(1e-3)
    x = torch.rand(1, 1, 1, 1)
    torch.testing.assert_close(SelectiveFrequency(1)(x), x)


def test_what_evaluation_cached_serves_training():
    layer = SelectiveFrequency(1)
    with torch.inference_mode():
        layer(torch.rand(1, 1, 19, 23))
    layer(torch.rand(1, 1, 19, 23)).sum().backward()
    assert layer.raw_threshold.grad is not None


def test_autocast_does_not_reach_the_transform():
    layer = SelectiveFrequency(1)
    x = torch.rand(1, 1, 31, 29)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(layer(x), layer(x.float()))
        assert layer(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"edges": [0.6, 0.3]}, "edges must rise"),
        ({"edges": [0.0, 0.3]}, "edges must rise"),
        ({"edges": [i / 40 for i in range(1, 20)]}, "at most 15"),
        ({"threshold": 0.0}, "threshold must be > 0"),
        ({"padding": -1}, "padding >= 0"),
        ({"mode": "cut"}, "'mute' or 'clamp'"),
    ],
)
def test_impossible_layers_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        SelectiveFrequency(1, **arguments)
