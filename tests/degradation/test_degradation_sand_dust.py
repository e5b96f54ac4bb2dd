"""Sand-dust follows the scattering model exactly; its guesses stay within what is documented."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.util import view_as_windows

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.atmosphere import (
    fractal_noise,
    guided_filter,
    luma,
    pseudo_depth,
    rescale,
)
from restorecli.degradation.families.particles import blend_particles, draw_particles
from restorecli.degradation.families.sand_dust import AIRLIGHTS, SandDust, scatter


def make_image(channels=3, height=60, width=80, seed=4):
    return np.random.default_rng(seed).random((channels, height, width), dtype=np.float32)


BARE = {"veil": 0.0, "particles": 0.0, "grain": 0.0}


def test_scatter_is_the_model() -> None:
    scene = make_image()
    depth = np.random.default_rng(0).random((60, 80), dtype=np.float32)
    beta, airlight = np.array([0.9, 1.0, 1.3], np.float32), np.array([0.8, 0.6, 0.3], np.float32)
    result = scatter(scene, depth, beta, airlight)
    for channel in range(3):
        transmission = np.exp(-float(beta[channel]) * depth.astype(np.float64))
        expected = scene[channel] * transmission + airlight[channel] * (1 - transmission)
        np.testing.assert_allclose(result[channel], expected, atol=1e-6)


def test_no_depth_is_the_scene_and_endless_depth_the_airlight() -> None:
    scene = make_image()
    beta, airlight = np.ones(3, np.float32), np.array([0.8, 0.6, 0.3], np.float32)
    np.testing.assert_array_equal(scatter(scene, np.zeros((60, 80), np.float32), beta, airlight), scene)
    far = scatter(scene, np.full((60, 80), 60, np.float32), beta, airlight)
    np.testing.assert_allclose(far, np.broadcast_to(airlight[:, None, None], far.shape), atol=1e-6)


def test_the_model_can_be_read_back_from_the_degradation() -> None:
    """Two scenes under the same dust differ by J t: the ratio gives t, and from it beta G / beta R."""
    dust = SandDust(**BARE, beta=1.2, green=1.1, blue=1.7)
    dark = np.zeros((3, 60, 80), np.float32)
    depthless = np.full((3, 60, 80), 0.5, np.float32)  # flat like the dark one, so that the guess is the same
    one = dust.apply(dark, image_rng(0, "k")).astype(np.float64)
    two = dust.apply(depthless, image_rng(0, "k")).astype(np.float64)
    logs = np.log((two - one) / 0.5)
    np.testing.assert_allclose(logs[1] / logs[0], 1.1, rtol=1e-3)
    np.testing.assert_allclose(logs[2] / logs[0], 1.7, rtol=1e-3)
    light = one / (1 - np.exp(logs))
    np.testing.assert_allclose(light, np.broadcast_to(dust.airlight()[:, None, None], light.shape), rtol=1e-3)
    depth = -logs[0] / 1.2
    assert 0.2 * 0.7 <= depth.min() <= depth.max() <= 1.3


@pytest.mark.parametrize("preset", AIRLIGHTS)
def test_dust_is_warm_and_takes_blue_most(preset) -> None:
    dust = SandDust(**BARE, preset=preset)
    red, green, blue = dust.airlight()
    assert red > green > blue
    betas = dust.betas()
    assert betas[0] <= betas[1] <= betas[2]
    dusty = dust.apply(make_image(), image_rng(0, "k"))
    assert dusty[0].mean() > dusty[2].mean()
    assert dusty.std() < make_image().std()


def test_yellow_dust_holds_the_measured_lights() -> None:
    """Real dusty skies of section 19's measurements lie within the preset."""
    low, high = (np.array(end) * 255 for end in AIRLIGHTS["yellow"])
    for measured in ((200, 154, 66), (196, 142, 65), (190, 156, 79)):
        assert (low <= measured).all()
        assert (measured <= high).all()


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 70), width=st.integers(1, 70), octaves=st.integers(1, 8))
def test_fractal_noise_spans_zero_to_one(height, width, octaves) -> None:
    noise = fractal_noise((height, width), octaves, image_rng(0, "n"))
    assert noise.shape == (height, width)
    assert noise.dtype == np.float32
    assert noise.min() == 0
    assert noise.max() == pytest.approx(1 if height * width > 1 else 0, abs=1e-6)


def test_more_octaves_are_rougher() -> None:
    rough, smooth = (fractal_noise((128, 128), octaves, image_rng(0, "n")) for octaves in (6, 1))
    assert np.abs(np.diff(rough)).mean() > np.abs(np.diff(smooth)).mean()


def test_guided_filter_equals_its_definition_by_windows() -> None:
    guide, source = make_image(2, 14, 17)
    result = guided_filter(guide, source, 2, 1e-3)

    def means(plane):
        padded = np.pad(plane.astype(np.float64), 2, mode="symmetric")
        return view_as_windows(padded, (5, 5)).mean(axis=(2, 3))

    slope = (means(guide.astype(np.float64) * source) - means(guide) * means(source)) / (
        means(guide.astype(np.float64) ** 2) - means(guide) ** 2 + 1e-3
    )
    offset = means(source) - slope * means(guide)
    np.testing.assert_allclose(result, means(slope) * guide + means(offset), atol=1e-5)


def test_depth_falls_from_top_to_bottom_and_spans_zero_to_one() -> None:
    depth = pseudo_depth(make_image(3, 120, 160), 1.0, 4, image_rng(0, "d"))
    assert depth.min() == 0
    assert depth.max() == pytest.approx(1, abs=1e-6)
    assert depth[:20].mean() > depth[50:70].mean() > depth[-20:].mean()


def test_luma_and_rescale() -> None:
    np.testing.assert_allclose(luma(np.ones((3, 2, 2), np.float32)), 1, atol=1e-6)
    np.testing.assert_array_equal(rescale(np.full((2, 2), 7, np.float32), 0, 1), 0)


@settings(max_examples=10, deadline=None)
@given(share=st.floats(0.001, 0.02), seed=st.integers(0, 100))
def test_particles_cover_their_share_in_their_colors(share, seed) -> None:
    color = np.array([0.8, 0.6, 0.3], np.float32)
    particles = draw_particles((600, 600), share, color, image_rng(seed, "p"))
    radii = particles.shapes[:, 2]
    assert (np.pi * radii**2).sum() == pytest.approx(share * 600**2, rel=0.35)
    assert radii.min() >= 0.3
    assert radii.max() <= 2.5
    assert abs(particles.colors - color).max() <= 0.1 + 1e-6
    assert 0.2 <= particles.opacities.min() <= particles.opacities.max() <= 0.8
    streaks = 2 * np.hypot(particles.shapes[:, 3], particles.shapes[:, 4])
    assert ((streaks == 0) | ((streaks >= 3) & (streaks <= 9))).all()


def test_a_large_particle_hides_what_is_behind_it_by_its_opacity() -> None:
    particles = draw_particles((40, 40), 0.01, np.array([0.8, 0.6, 0.3], np.float32), image_rng(1, "p"))
    particles.shapes[:] = 0
    particles.shapes[0] = [20.5, 10.5, 2.5, 0, 0]
    particles.opacities[:] = 0
    particles.opacities[0] = 0.5
    image = np.zeros((3, 40, 40), np.float32)
    blend_particles(image, particles)
    np.testing.assert_allclose(image[:, 20, 10], particles.colors[0] * 0.5, atol=1e-6)
    assert image.sum() == pytest.approx(particles.colors[0].sum() * 0.5 * np.pi * 2.5**2, rel=0.08)
    assert not image[:, :, 15:].any()


def test_gray_images_become_the_luma_of_their_dust() -> None:
    gray = make_image(1)
    dust = SandDust(grain=0)
    color = dust.apply(np.repeat(gray, 3, axis=0), image_rng(0, "k"))
    np.testing.assert_allclose(dust.apply(gray, image_rng(0, "k"))[0], luma(color), atol=1e-6)


def test_grain_has_its_sigma() -> None:
    still, grainy = (
        SandDust(grain=grain, particles=0, veil=0).apply(make_image(3, 200, 200), image_rng(0, "k"))
        for grain in (0, 10)
    )
    assert ((grainy - still) * 255).std() == pytest.approx(10, rel=0.02)
