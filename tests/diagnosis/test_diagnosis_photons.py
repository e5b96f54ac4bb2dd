"""Noise of photons: its law is found in one image, and nothing else is taken for it."""

import numpy as np
import pytest
from scipy import ndimage

import restorecli
from restorecli.diagnosis.measured import of_measured, with_photons
from restorecli.diagnosis.measuring.photons import coarse_ratio, find_photon_noise, fit_photon_noise
from restorecli.diagnosis.result import Diagnosis, Finding
from restorecli.folders.samples import read_sample

CAMERAS = {"counting": (1, 0, 0), "scmos": (2.2, 100, 1.5), "emccd": (30, 300, 0.3)}
"""Gain, offset and read noise in electrons."""


def cells(side: int = 192) -> np.ndarray:
    """Soft bright blobs on black, 0 to 1."""
    soft = ndimage.gaussian_filter(np.random.default_rng(7).normal(size=(side, side)), 6, mode="wrap")
    return np.clip(soft / soft.max() - 0.15, 0, 1) / 0.85


def exposed(clean: np.ndarray, peak: float, camera: str, seed: int = 0) -> np.ndarray:
    """What a camera makes of it, in 16 bits."""
    gain, offset, read = CAMERAS[camera]
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(clean * peak) + rng.normal(0, read, clean.shape)
    return np.clip(np.rint(gain * electrons + offset), 0, 65535).astype(np.uint16)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("peak", [5, 20, 200])
def test_gain_and_noise_in_the_dark_are_those_of_the_camera(camera, peak) -> None:
    gain, offset, read = CAMERAS[camera]
    noise = fit_photon_noise(exposed(cells(), peak, camera))
    assert noise is not None
    assert noise.gain == pytest.approx(gain, rel=0.15)
    dark = noise.gain * offset + noise.at_zero
    assert dark == pytest.approx((gain * read) ** 2, abs=0.35 * gain**2)


@pytest.mark.parametrize("camera", CAMERAS)
def test_noise_of_photons_is_found_and_treated(camera) -> None:
    found = restorecli.diagnose(exposed(cells(), 10, camera))
    assert [one.damage for one in found.findings] == ["poisson"]
    assert [step.model for step in found.steps] == ["anscombe"]
    assert found.measured


@pytest.mark.parametrize("name", ["camera", "coins", "moon", "brick", "grass", "gravel", "cell"])
def test_clean_images_show_none(name) -> None:
    assert find_photon_noise(65535 * read_sample(name).pixels.mean(0)) is None
    soft = ndimage.gaussian_filter(read_sample(name).pixels.mean(0), 1.5)
    assert find_photon_noise(np.rint(65535 * soft)) is None


def test_noise_that_does_not_grow_or_is_not_white_is_another() -> None:
    rng = np.random.default_rng(0)
    level = 100 + 100 * cells()
    assert find_photon_noise(level + rng.normal(0, 10, level.shape)) is None
    blotchy = exposed(cells(), 20, "scmos") + ndimage.gaussian_filter(rng.normal(size=level.shape), 1.5) * 60
    noise = fit_photon_noise(blotchy)
    assert noise is None or coarse_ratio(blotchy, noise) > 2
    assert find_photon_noise(blotchy) is None
    assert find_photon_noise(np.full((64, 64), 7.0)) is None
    assert find_photon_noise(np.ones((8, 8))) is None


def test_what_was_told_of_other_damage_stays() -> None:
    pixels = exposed(cells(), 10, "scmos")[None].astype(np.float32) / 255
    hot = of_measured(Diagnosis((Finding("salt-pepper", "hot pixels", 0.9),), (), (), 0.9), is_gray=True)
    assert with_photons(hot, pixels) is hot
    clean = of_measured(Diagnosis((), (), (), 0.9), is_gray=True)
    assert with_photons(clean, pixels).steps
    assert with_photons(clean, np.repeat(pixels, 3, 0)) is clean
