"""Blur kernels sum to 1 and do what SciPy does with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.util import view_as_windows

from restorecli.degradation.chain import image_rng
from restorecli.degradation.families.blur import (
    Defocus,
    GaussianBlur,
    MotionBlur,
    disc_kernel,
    gaussian_weights,
    motion_kernel,
)
from restorecli.degradation.filtering import filter_kernel, in_linear_light

RNG = image_rng(0, "blur")


def make_image(channels=3, height=45, width=62):
    return np.random.default_rng(1).random((channels, height, width), dtype=np.float32)


def correlate(image, kernel):
    return np.stack([ndimage.correlate(plane.astype(np.float64), kernel, mode="reflect") for plane in image])


@given(sigma=st.floats(0, 30))
def test_gaussian_weights_sum_to_one(sigma) -> None:
    weights = gaussian_weights(sigma)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(weights, weights[::-1])


@given(length=st.floats(1, 60), angle=st.floats(-180, 180), sigma=st.floats(0, 20))
def test_motion_kernels_sum_to_one_and_are_symmetric(length, angle, sigma) -> None:
    kernel = motion_kernel(length, angle, sigma)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert kernel.min() >= 0
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-9)
    assert kernel.shape[0] <= 2 * MotionBlur(length=length).margin + 1


@given(radius=st.floats(0, 20), edge=st.floats(0, 2))
def test_disc_kernels_sum_to_one_and_are_round(radius, edge) -> None:
    kernel = disc_kernel(radius, edge)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-12)
    np.testing.assert_allclose(kernel, kernel[::-1], atol=1e-12)
    assert kernel.shape[0] <= 2 * Defocus(radius=radius, edge=edge).margin + 1


@pytest.mark.parametrize("sigma", [0.3, 0.5, 1.0, 1.5, 3.0, 6.0])
def test_gaussian_blur_is_scipys(sigma) -> None:
    image = make_image()
    expected = ndimage.gaussian_filter(image.astype(np.float64), sigma, axes=(1, 2), mode="reflect")
    np.testing.assert_allclose(GaussianBlur(sigma=sigma).apply(image, RNG), expected, atol=1e-6)


@pytest.mark.parametrize(("length", "angle"), [(5, 0), (6, 90), (9, 45), (15, 30), (21, -100), (7.3, 17)])
def test_motion_blur_is_the_correlation_with_its_kernel(length, angle) -> None:
    image = make_image()
    expected = correlate(image, motion_kernel(length, angle))
    np.testing.assert_allclose(MotionBlur(length=length, angle=angle).apply(image, RNG), expected, atol=1e-6)


@pytest.mark.parametrize(("angle", "shape"), [(0, (1, 9)), (180, (1, 9)), (90, (9, 1)), (-90, (9, 1))])
def test_level_and_upright_paths_are_boxes(angle, shape) -> None:
    kernel = motion_kernel(9, angle)
    inner = kernel[4:5] if shape[0] == 1 else kernel[:, 4:5]
    np.testing.assert_allclose(inner, np.full(shape, 1 / 9))
    assert kernel.sum() == pytest.approx(inner.sum())


def test_the_angle_turns_counter_clockwise() -> None:
    kernel = motion_kernel(11, 30)
    rows, columns = np.nonzero(kernel)
    center = kernel.shape[0] // 2
    slope = np.polyfit(columns - center, -(rows - center), 1, w=kernel[rows, columns])[0]
    assert np.degrees(np.arctan(slope)) == pytest.approx(30, abs=2)
    assert np.count_nonzero(motion_kernel(9, 45) * (1 - np.eye(7)[::-1])) == 0


def test_motion_has_the_spread_of_its_path() -> None:
    """An even path of length L has variance L^2 / 12 along itself (pixels add their own 1 / 12 at most)."""
    for angle in (0, 20, 45, 70, 110):
        kernel = motion_kernel(31, angle)
        offsets = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
        direction = (np.cos(np.radians(angle)), -np.sin(np.radians(angle)))
        along = offsets[None, :] * direction[0] + offsets[:, None] * direction[1]
        assert (kernel * along**2).sum() == pytest.approx(31**2 / 12, rel=0.02)
        across = offsets[None, :] * direction[1] - offsets[:, None] * direction[0]
        assert (kernel * across**2).sum() < 0.26


def test_a_disc_has_its_area_and_its_spread() -> None:
    for radius in (3, 6.5, 10):
        kernel = disc_kernel(radius)
        assert 1 / kernel.max() == pytest.approx(np.pi * radius**2, rel=0.05)
        offsets = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
        assert (kernel * offsets**2).sum() == pytest.approx(radius**2 / 4 + 1 / 12, rel=0.02)


def test_defocus_is_the_correlation_with_its_kernel() -> None:
    image = make_image()
    expected = correlate(image, disc_kernel(4, 0.5))
    np.testing.assert_allclose(Defocus(radius=4, edge=0.5).apply(image, RNG), expected, atol=1e-6)


def test_defocus_in_linear_light_makes_lamps_brighter() -> None:
    image = np.full((1, 41, 41), 0.1, np.float32)
    image[0, 20, 20] = 1
    plain = Defocus(radius=3).apply(image, RNG)
    linear = Defocus(radius=3, linear=True).apply(image, RNG)
    assert linear[0, 20, 22] > plain[0, 20, 22] + 0.02
    np.testing.assert_allclose(linear[0, 0], 0.1, atol=1e-5)


@given(value=st.floats(-0.5, 2))
def test_linear_light_there_and_back_is_nothing(value) -> None:
    image = np.full((1, 2, 2), value, np.float32)
    np.testing.assert_allclose(in_linear_light(image, lambda light: light), image, atol=1e-5)


def test_linear_light_is_srgb() -> None:
    """IEC 61966-2-1: code 0.5 is light 0.21404, and 0.04045 is where the curves meet."""
    seen = []
    in_linear_light(np.array([[[0.5, 0.04045, 1.0]]], np.float32), lambda light: seen.append(light) or light)
    np.testing.assert_allclose(seen[0][0, 0], [0.214041, 0.0031308, 1], atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), radius=st.integers(0, 12))
def test_kernels_larger_than_the_image_mirror_it_again_and_again(height, width, radius) -> None:
    """The judge is the mirror's own index formula; SciPy 1.17 reads outside its memory for such kernels."""
    image = make_image(1, height, width)
    kernel = disc_kernel(radius)
    half = kernel.shape[0] // 2

    def mirrored(length):
        place = np.arange(-half, length + half) % (2 * length)
        return np.minimum(place, 2 * length - 1 - place)

    wide = image[0][np.ix_(mirrored(height), mirrored(width))].astype(np.float64)
    expected = (view_as_windows(wide, kernel.shape) * kernel).sum(axis=(2, 3))
    np.testing.assert_allclose(filter_kernel(image, kernel)[0], expected, atol=1e-5)


@pytest.mark.parametrize("step", [GaussianBlur(sigma=2), MotionBlur(length=9, angle=30), Defocus(radius=4)])
def test_blur_keeps_flat_images_and_values_outside(step) -> None:
    for value in (0.0, 1.0, -0.25, 1.5):
        image = np.full((3, 20, 30), value, np.float32)
        np.testing.assert_allclose(step.apply(image, RNG), image, atol=2e-6)
