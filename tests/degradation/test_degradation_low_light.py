"""Low light: the formula of the dark image, and noise with the moments of its law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import exposure

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.low_light import LowLight

QUIET = {"peak": 0.0, "read": 0.0}


def rng():
    return image_rng(0, "low-light")


def make_image(channels=3, height=30, width=40):
    return np.random.default_rng(5).random((channels, height, width), dtype=np.float32)


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(0, 1), brightness=st.floats(0, 1), gamma=st.floats(1, 6))
def test_without_noise_it_is_brightness_times_gain_x_to_the_gamma(gain, brightness, gamma) -> None:
    dark = LowLight(gain=gain, brightness=brightness, gamma=gamma, **QUIET).apply(make_image(), rng())
    np.testing.assert_allclose(
        dark, brightness * (gain * make_image().astype(np.float64)) ** gamma, atol=1e-6
    )


def test_gamma_alone_is_that_of_scikit_image() -> None:
    dark = LowLight(gain=1, brightness=1, gamma=2.2, **QUIET).apply(make_image(), rng())
    np.testing.assert_allclose(dark, exposure.adjust_gamma(make_image(), 2.2), atol=1e-6)


def to_light(value):
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("value", [0.3, 0.8])
def test_noise_has_the_mean_and_variance_of_its_law(linear, value) -> None:
    """Photons: mean l and variance l / peak; reading adds (read / 255)^2."""
    flat = np.full((1, 200, 200), value, np.float32)
    night = LowLight(gain=1, brightness=1, gamma=1, peak=500, read=2, linear=linear)
    noisy = night.apply(flat, rng()).astype(np.float64)
    light = to_light(value) if linear else value
    seen = np.vectorize(to_light)(noisy) if linear else noisy
    assert seen.mean() == pytest.approx(light, rel=0.003)
    assert seen.var() == pytest.approx(light / 500 + (2 / 255) ** 2, rel=0.03)


def test_fewer_photons_are_noisier_and_every_channel_has_its_own_noise() -> None:
    flat = np.full((3, 60, 60), 0.6, np.float32)
    spreads = [LowLight(peak=peak, read=0).apply(flat, rng()).std() for peak in (200, 1000, 5000)]
    assert spreads[0] > spreads[1] > spreads[2]
    noisy = LowLight(peak=200).apply(flat, rng())
    correlation = np.corrcoef(noisy.reshape(3, -1))
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.1


def test_values_below_black_count_as_black() -> None:
    dark = LowLight(**QUIET).apply(np.full((1, 4, 4), -0.2, np.float32), rng())
    np.testing.assert_array_equal(dark, 0)
