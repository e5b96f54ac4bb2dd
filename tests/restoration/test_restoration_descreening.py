"""Descreening: no wave of the screen is left, edges stay, and what is no print comes back."""

import math

import numpy as np
import pytest
from scipy import ndimage

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.screens import HalftoneScreen
from restorecli.diagnosis.measuring.screens import Screen
from restorecli.folders.samples import read_sample
from restorecli.restoration.context import Context
from restorecli.restoration.methods.classical.descreening import Descreen, cell, disc, like_mean


def _screen(period, angle):
    turned = math.radians(angle)
    return Screen(-math.sin(turned) / period, math.cos(turned) / period, 0.9, 1.0, 50.0)


def _response(kernel, down, across):
    places = np.arange(len(kernel)) - len(kernel) // 2
    wave = np.exp(2j * np.pi * (down * places[:, None] + across * places))
    return abs((kernel * wave).sum())


@pytest.mark.parametrize(("period", "angle"), [(3.3, 15), (4.2, 45), (7.5, 75)])
def test_the_mean_of_a_cell_has_no_wave_of_its_screen(period, angle) -> None:
    screen = _screen(period, angle)
    kernel = cell(screen)
    assert kernel.sum() == pytest.approx(1)
    for first, second in ((1, 0), (0, 1), (1, 1), (1, -1)):
        down = first * screen.down + second * screen.across
        across = first * screen.across - second * screen.down
        assert _response(kernel, down, across) < 0.03
    for turned in (0, 20, 70):  # a disc has none of that period in any direction
        wave = _screen(period, turned)
        assert _response(disc(period), wave.down, wave.across) < 0.03


def test_the_mean_of_what_is_alike_is_the_bilateral_filter() -> None:
    rng = np.random.default_rng(0)
    plane, guide = rng.random((2, 24, 30)).astype(np.float32)
    kernel = disc(4.0)
    reach = len(kernel) // 2
    inside = (slice(reach, -reach), slice(reach, -reach))
    expected = np.zeros_like(plane[inside])
    for y, x in np.ndindex(expected.shape):
        part = (slice(y, y + len(kernel)), slice(x, x + len(kernel)))
        weight = kernel * np.exp(-0.5 * np.square((guide[part] - guide[inside][y, x]) / 0.3))
        expected[y, x] = (weight * plane[part]).sum() / weight.sum()
    np.testing.assert_allclose(like_mean(plane, guide, kernel, 0.3)[inside], expected, atol=0.02)


def test_no_dots_are_left_inside_and_few_at_the_border() -> None:
    flat = np.full((1, 128, 128), 0.5, np.float32)
    scan = np.clip(HalftoneScreen(period=5.0).apply(flat, image_rng(0, "x")), 0, 1)
    assert np.ptp(scan) > 0.9
    left = np.abs(Descreen(alike=0.0).restore(scan, Context()) - 0.5)[0]
    assert left[8:-8, 8:-8].max() < 0.05  # a tenth of their amplitude
    assert left.max() < 0.3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("period", "least"), [(2.8, 26), (5.0, 23)])
def test_a_printed_photograph_comes_back(channels, period, least) -> None:
    clean = read_sample("chelsea").pixels[:channels, 40:232, 100:292]
    scan = np.clip(HalftoneScreen(period=period).apply(clean, image_rng(0, "x")), 0, 1)
    context = Context()
    restored = Descreen().restore(scan, context)
    assert context.found.values["period"] == pytest.approx(period, rel=0.03)

    def psnr(pixels):
        return -10 * np.log10(np.mean(np.square(pixels - clean)))

    assert psnr(restored) > max(least, psnr(scan) + 8)
    smooth = ndimage.gaussian_filter(scan, (0, 0.36 * period, 0.36 * period))
    assert psnr(restored) > psnr(smooth)


def test_what_has_no_screen_comes_back() -> None:
    clean = read_sample("chelsea").pixels[:, 40:232, 100:292]
    context = Context()
    np.testing.assert_array_equal(Descreen().restore(clean, context), clean)
    assert context.found.values["screen"] == "none"
