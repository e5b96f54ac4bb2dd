"""Haze follows the scattering model, in closed form where the depth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.haze import Haze


def rng():
    return image_rng(0, "haze")


def make_image(channels=3, height=40, width=50):
    return np.random.default_rng(3).random((channels, height, width), dtype=np.float32)


@settings(max_examples=20, deadline=None)
@given(beta=st.floats(0, 5), light=st.floats(0, 1), depth=st.floats(0, 3))
def test_at_one_depth_it_is_the_closed_form(beta, light, depth) -> None:
    haze = Haze(beta=beta, light=light, near=depth, far=depth, drift=0)
    transmission = np.exp(-beta * depth)
    expected = make_image().astype(np.float64) * transmission + light * (1 - transmission)
    np.testing.assert_allclose(haze.apply(make_image(), rng()), expected, atol=1e-5)


def test_transmission_and_light_can_be_read_back() -> None:
    """Two flat scenes under the same haze differ by t / 2; then A follows from the black one."""
    haze = Haze(beta=1.3, light=0.9)
    dark = haze.apply(np.zeros((1, 40, 50), np.float32), rng())[0].astype(np.float64)
    gray = haze.apply(np.full((1, 40, 50), 0.5, np.float32), rng())[0].astype(np.float64)
    transmission = (gray - dark) / 0.5
    np.testing.assert_allclose(dark / (1 - transmission), 0.9, rtol=1e-3)
    depth = -np.log(transmission) / 1.3
    assert 0.2 * 0.9 - 1e-3 <= depth.min() <= 0.3
    assert 0.9 <= depth.max() <= 1.1 + 1e-3
    assert depth[:8].mean() > depth[-8:].mean() + 0.2  # what is high up is far away


def test_gray_stays_gray_and_is_hazed_like_a_gray_color_image() -> None:
    gray = make_image(1)
    hazed = Haze().apply(gray, rng())
    np.testing.assert_array_equal(
        Haze().apply(np.repeat(gray, 3, axis=0), rng()), np.repeat(hazed, 3, axis=0)
    )


@pytest.mark.parametrize("light", [0.7, 1.0])
def test_endless_haze_is_the_airlight_alone(light) -> None:
    hazed = Haze(beta=10, near=5, far=5, drift=0, light=light).apply(make_image(), rng())
    np.testing.assert_allclose(hazed, light, atol=1e-6)


@pytest.mark.parametrize("drift", [0.1, 0.3])
def test_the_density_drifts_evenly_around_one(drift) -> None:
    density = Haze(near=1, far=1, drift=drift).depth(make_image(), rng())
    assert density.min() == pytest.approx(1 - drift, abs=1e-5)
    assert density.max() == pytest.approx(1 + drift, abs=1e-5)
    level = [
        Haze(near=1, far=1, drift=drift).depth(make_image(), image_rng(k, "d")).mean() for k in range(60)
    ]
    assert np.mean(level) == pytest.approx(1, abs=0.1 * drift)
