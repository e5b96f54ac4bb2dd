"""Difference maps, error maps and spectra against closed forms and matplotlib's color map."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from restorecli.errors import DataError
from restorecli.report.maps import colored, difference_map, error_map, log_spectrum, luma, radial_spectrum

IMAGES = arrays(
    np.float32,
    st.tuples(st.sampled_from([1, 3]), st.integers(1, 9), st.integers(1, 9)),
    elements=st.floats(-2, 3, width=32) | st.sampled_from([math.nan, math.inf, -math.inf]),
)


def flat(value: float, channels: int = 3) -> np.ndarray:
    return np.full((channels, 4, 5), value, np.float32)


def wave(height: int, width: int, down: int, across: int, amplitude: float = 0.5) -> np.ndarray:
    """A cosine with a whole number of periods, around mid-gray."""
    rows, columns = np.mgrid[:height, :width]
    phase = 2 * np.pi * (down * rows / height + across * columns / width)
    return (0.5 + amplitude * np.cos(phase)).astype(np.float32)[None]


def test_equal_images_are_mid_gray_and_without_error():
    image = np.random.default_rng(0).random((3, 8, 9), np.float32)
    assert (difference_map(image, image) == 0.5).all()
    assert np.allclose(error_map(image, image), error_map(flat(0.3), flat(0.3))[:, :1, :1])


@pytest.mark.parametrize(
    ("restored", "gain", "shown"), [(0.6, 4, 0.9), (0.45, 4, 0.3), (0.45, 2, 0.4), (0.9, 4, 1), (0.1, 4, 0)]
)
def test_the_difference_is_signed_and_enlarged(restored, gain, shown):
    assert np.allclose(difference_map(flat(restored), flat(0.5), gain), shown, atol=1e-6)


def test_a_gray_image_is_three_equal_channels():
    color = np.random.default_rng(1).random((3, 4, 5), np.float32)
    expected = difference_map(flat(0.5), color)
    assert np.array_equal(difference_map(flat(0.5, channels=1), color), expected)


@given(IMAGES)
def test_every_map_is_an_image(image):
    other = np.zeros_like(image)
    for shown in (difference_map(image, other), error_map(image, other), log_spectrum(image)):
        assert shown.dtype == np.float32
        assert shown.shape[1:] == image.shape[1:]
        assert ((shown >= 0) & (shown <= 1)).all()


@pytest.mark.parametrize("function", [difference_map, error_map])
def test_images_of_two_sizes_are_refused(function):
    with pytest.raises(DataError, match="different size"):
        function(flat(0), np.zeros((3, 5, 4), np.float32))


def test_the_error_scale_is_fixed():
    ends = [error_map(flat(0.5 + error), flat(0.5))[:, 0, 0] for error in (0, 0.1, 0.2, 0.5)]
    assert np.allclose(ends[0], np.array([0, 0, 4]) / 255, atol=1e-5)
    assert np.allclose(ends[1], np.array([183, 55, 121]) / 255, atol=2 / 255)
    assert np.allclose(ends[2], np.array([252, 253, 191]) / 255, atol=1e-5)
    assert np.array_equal(ends[2], ends[3])


def test_the_colors_are_magma():
    values = np.linspace(0, 1, 256, dtype=np.float32)
    magma = mpl.colormaps["magma"](values)[:, :3]
    assert np.abs(colored(values[None])[:, 0].T - magma).max() < 4 / 255


def test_lightness_rises_evenly():
    from skimage.color import rgb2lab

    lightness = rgb2lab(colored(np.linspace(0, 1, 65, dtype=np.float32)[None]).transpose(1, 2, 0))[0, :, 0]
    steps = np.diff(lightness)
    assert (steps > 0).all()
    assert steps.max() < 2.5 * steps.mean()


@pytest.mark.parametrize(("down", "across"), [(5, 0), (0, 9), (7, -4), (12, 15)])
@pytest.mark.parametrize("size", [(48, 64), (49, 63)])
def test_a_cosine_has_two_peaks_at_its_frequency(size, down, across):
    height, width = size
    shown = log_spectrum(wave(height, width, down, across))[0]
    highest = np.argsort(shown.ravel())[-2:]
    found = {tuple(int(part) for part in np.unravel_index(place, size)) for place in highest}
    center = (height // 2, width // 2)
    assert found == {
        (center[0] + down, center[1] + across),
        (center[0] - down, center[1] - across),
    }


@pytest.mark.parametrize("amplitude", [0.5, 0.05, 0.005])
def test_a_peak_is_half_the_amplitude(amplitude):
    shown = log_spectrum(wave(64, 64, 8, 8, amplitude)).max()
    assert shown == pytest.approx(1 + math.log10(amplitude / 2) / 5, abs=1e-4)


def test_a_flat_image_has_no_frequency():
    assert log_spectrum(flat(0.7)).max() == 0


def test_white_noise_has_its_variance_in_every_ring():
    noise = np.random.default_rng(3).normal(0, 0.1, (1, 256, 200)).astype(np.float32)
    rings = radial_spectrum(noise, bins=8)
    assert rings[1:] == pytest.approx(np.full(7, 0.01), rel=0.1)


def test_the_rings_add_up_to_the_power():
    """Parseval on the ring of one wave: a cosine lies in its own ring alone."""
    rings = radial_spectrum(wave(64, 64, 0, 18) - np.float32(0.5), bins=8)
    assert int(np.argmax(rings)) == int(18 / 64 * 16)
    assert np.delete(rings, 4).max() < 1e-6 * rings.max()


def test_rings_without_a_frequency_are_undefined():
    assert np.isnan(radial_spectrum(np.zeros((1, 2, 2), np.float32), bins=8)).any()


def test_luma_is_pillows():
    from PIL import Image

    levels = np.random.default_rng(4).integers(0, 256, (3, 6, 7), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(levels.transpose(1, 2, 0)).convert("L"))
    assert np.abs(luma((levels / 255).astype(np.float32)) * 255 - theirs).max() <= 1
