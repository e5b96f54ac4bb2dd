"""Blur: kernels of other libraries are found with their strength and direction."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage import morphology

from restorecli.diagnosis.measuring.blur import measure_blur
from restorecli.diagnosis.measuring.spectrum import power_spectrum
from restorecli.diagnosis.measuring.view import view_of
from restorecli.folders.samples import read_sample

SAMPLES = ("astronaut", "chelsea", "coffee")


def _blurred(name: str, kernel: NDArray[np.float64]) -> NDArray[np.float32]:
    """Blur a photograph with a kernel and round it to 8 bits."""
    pixels = read_sample(name).pixels[:, :320, :320].astype(np.float64)
    blurred = np.stack([ndimage.convolve(plane, kernel / kernel.sum()) for plane in pixels])
    return (np.rint(255 * np.clip(blurred, 0, 1)) / 255).astype(np.float32)


def _line(length: int, angle: float) -> NDArray[np.float64]:
    """Draw a line of many points, counter-clockwise from level, and let each fall on four pixels."""
    kernel = np.zeros((61, 61))
    for step in np.linspace(-length / 2, length / 2, 50 * length):
        row, column = 30 - step * np.sin(np.radians(angle)), 30 + step * np.cos(np.radians(angle))
        top, left = int(row), int(column)
        down, right = row - top, column - left
        kernel[top : top + 2, left : left + 2] += np.outer((1 - down, down), (1 - right, right))
    return kernel


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
def test_a_gaussian_is_found_with_its_deviation(name: str, sigma: float) -> None:
    axis = np.exp(-0.5 * (np.arange(-20, 21) / sigma) ** 2)
    found = measure_blur(view_of(_blurred(name, np.outer(axis, axis))))
    assert found["gaussian sigma"] == pytest.approx(sigma, rel=0.2)
    assert found["gaussian gain"] > max(found["defocus gain"], 0.5)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("radius", [4, 7, 10])
def test_a_disc_is_found_with_its_radius(name: str, radius: int) -> None:
    found = measure_blur(view_of(_blurred(name, morphology.disk(radius).astype(np.float64))))
    assert found["defocus radius"] == pytest.approx(radius, rel=0.08)
    assert found["defocus gain"] > max(found["gaussian gain"], 0.5)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("length", "angle"), [(11, 30), (15, 100), (25, 150)])
def test_a_straight_motion_is_found_with_its_length_and_direction(
    name: str, length: int, angle: float
) -> None:
    found = measure_blur(view_of(_blurred(name, _line(length, angle))))
    assert found["path length"] == pytest.approx(length, rel=0.15)
    assert abs((found["path angle"] - angle + 90) % 180 - 90) <= 4
    assert found["path sigma"] == 0


@pytest.mark.parametrize("sigma", [3.0, 8.0])
def test_a_motion_that_fades_is_found_with_its_deviation(sigma: float) -> None:
    kernel = np.zeros((81, 81))
    kernel[40] = np.exp(-0.5 * (np.arange(-40, 41) / sigma) ** 2)
    found = measure_blur(view_of(_blurred("chelsea", kernel)))
    assert found["path sigma"] == pytest.approx(sigma, rel=0.26)
    assert min(found["path angle"], 180 - found["path angle"]) <= 4


@pytest.mark.parametrize("name", SAMPLES)
def test_sharp_photographs_gain_little_by_a_kernel(name: str) -> None:
    found = measure_blur(view_of(read_sample(name).pixels))
    blurred = measure_blur(view_of(_blurred(name, np.ones((5, 5)))))
    assert found["gaussian gain"] < 0.5 < blurred["gaussian gain"]
    assert found["edges"] > blurred["edges"]


def test_white_noise_has_its_variance_at_every_frequency() -> None:
    noise = np.random.default_rng(0).normal(0, 5, (400, 500)).astype(np.float32)
    power = power_spectrum(noise)
    assert power.shape == (128, 128)
    assert power[3:-3, 3:-3].mean() == pytest.approx(25, rel=0.02)


def test_the_spectrum_of_one_part_is_numpys() -> None:
    part = np.random.default_rng(1).normal(100, 20, (64, 64)).astype(np.float32)
    window = np.hanning(66)[1:-1]
    weights = np.outer(window, window)
    centered = part - np.average(part, weights=weights)
    judged = np.abs(np.fft.fft2(centered * weights)) ** 2 / np.square(weights).sum()
    np.testing.assert_allclose(power_spectrum(part), judged, rtol=2e-3, atol=1e-3)
