"""Noise: what is measured, against noise whose law is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis import diagnose
from restorecli.diagnosis.diagnosing import measurements
from restorecli.diagnosis.measuring.noise import measure_noise, robust_sigma, shows_white_noise
from restorecli.diagnosis.measuring.view import view_of


def _ramp(channels: int = 3) -> NDArray[np.float32]:
    """An image of every brightness and no texture."""
    plane = np.linspace(0.1, 0.9, 256, dtype=np.float32)[None, :].repeat(256, axis=0)
    return np.stack([plane] * channels)


def _measured(image: NDArray[np.floating]) -> dict[str, float]:
    return measure_noise(view_of(np.asarray(image, np.float32)))


@pytest.mark.parametrize("sigma", [2.0, 10.0, 40.0])
def test_white_noise_comes_out_at_its_level(sigma: float) -> None:
    noise = np.random.default_rng(0).normal(0, sigma / 255, (3, 256, 256))
    assert _measured(_ramp() + noise)["noise sigma"] == pytest.approx(sigma, rel=0.03)


def test_the_level_is_that_of_scikit_images_judge() -> None:
    pywt = pytest.importorskip("pywt")
    plane = (_ramp(1)[0] * 255 + np.random.default_rng(1).normal(0, 12, (256, 256))).astype(np.float32)
    details = pywt.dwt2(plane, "db2")[1][2]
    judged = np.median(np.abs(details)) / 0.6745
    assert _measured(plane[None] / 255)["noise sigma"] == pytest.approx(judged, rel=0.03)


@pytest.mark.parametrize(("law", "slope"), [("gaussian", 0.0), ("poisson", 0.5), ("speckle", 1.0)])
def test_the_exponent_of_brightness_tells_the_laws_apart(law: str, slope: float) -> None:
    rng, clean = np.random.default_rng(2), _ramp()
    noisy = {
        "gaussian": lambda: clean + rng.normal(0, 0.05, clean.shape),
        "poisson": lambda: rng.poisson(clean * 200) / 200,
        "speckle": lambda: clean * (1 + rng.normal(0, 0.1, clean.shape)),
    }[law]()
    assert _measured(noisy)["noise slope"] == pytest.approx(slope, abs=0.08)


@pytest.mark.parametrize(("common", "correlation"), [(0.0, 0.0), (0.6, 0.36 / (0.36 + 0.64)), (0.995, 0.99)])
def test_channels_that_share_noise_are_correlated(common: float, correlation: float) -> None:
    rng = np.random.default_rng(3)
    shared, own = rng.normal(0, 0.05, (1, 256, 256)), rng.normal(0, 0.05, (3, 256, 256))
    image = 0.5 + common * shared + (1 - common**2) ** 0.5 * own
    assert _measured(image)["noise shared"] == pytest.approx(correlation, abs=0.04)


def test_noise_that_neighbors_share_is_coarse() -> None:
    noise = np.random.default_rng(4).normal(0, 0.1, (3, 257, 257))
    white = _measured(0.5 + noise[:, 1:, 1:])["noise coarse"]
    smoothed = 0.25 * (noise[:, 1:, 1:] + noise[:, :-1, 1:] + noise[:, 1:, :-1] + noise[:, :-1, :-1])
    assert white == pytest.approx(1, abs=0.06)
    assert _measured(0.5 + smoothed)["noise coarse"] > 2


def test_exact_zeros_do_not_hide_noise() -> None:
    values = np.zeros(1000, np.float32)
    values[600:] = np.random.default_rng(5).normal(0, 3, 400)
    assert robust_sigma(values) == pytest.approx(3, rel=0.15)
    assert robust_sigma(np.zeros(10, np.float32)) == 0


def test_gray_images_have_no_correlation_of_channels() -> None:
    assert "noise shared" not in _measured(_ramp(1))
    assert "noise shared" not in _measured(_ramp(3))  # equal channels: gray that is kept as RGB


_PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "coins", "rocket")


def _photograph(name: str, sigma: float = 0) -> NDArray[np.float32]:
    pixels = np.atleast_3d(getattr(data, name)()).transpose(2, 0, 1).astype(np.float32)
    noisy = pixels + np.random.default_rng(5).normal(0, sigma, pixels.shape)
    return (np.rint(noisy).clip(0, 255) / 255).astype(np.float32)


@pytest.mark.parametrize("sigma", [8, 20, 40])
@pytest.mark.parametrize("name", _PHOTOGRAPHS)
def test_plain_noise_on_a_photograph_is_found(name: str, sigma: float) -> None:
    diagnosis = diagnose(_photograph(name, sigma))
    assert {finding.damage for finding in diagnosis.findings} <= {"gaussian", "poisson", "speckle"}
    assert diagnosis.findings
    assert diagnosis.steps


@pytest.mark.parametrize(
    ("name", "top", "left"), [("chelsea", 40, 100), ("chelsea", 100, 180), ("coins", 0, 0)]
)
def test_noise_on_flat_gray_is_not_taken_for_the_grain_of_a_faded_print(
    name: str, top: int, left: int
) -> None:
    """The grain of made prints is white noise of sigma 8; blacks and whites are gone in them alone."""
    gray = _photograph(name).mean(axis=0, keepdims=True)[:, top : top + 192, left : left + 192]
    noisy = gray + np.random.default_rng(0).normal(0, 8 / 255, gray.shape)
    faded = degrade_array(gray, Chain.from_specs([{"name": "fade", "severity": 3}]), 0, "print")[0]
    found, of_print = (
        [one.damage for one in diagnose(np.rint(255 * image.clip(0, 1)).astype(np.float32) / 255).findings]
        for image in (noisy, faded)
    )
    assert {"fade", "old-photo"}.isdisjoint(found)
    assert of_print == ["fade"]


@pytest.mark.parametrize("name", [*_PHOTOGRAPHS, "brick", "grass", "gravel", "page", "moon", "retina"])
def test_texture_is_not_taken_for_plain_noise(name: str) -> None:
    assert not shows_white_noise(measurements(_photograph(name)))


def test_few_levels_are_not_taken_for_plain_noise() -> None:
    noisy = _photograph("camera", 20)
    assert shows_white_noise(measurements(noisy))
    assert not shows_white_noise(measurements(np.rint(noisy * 15) / np.float32(15)))
