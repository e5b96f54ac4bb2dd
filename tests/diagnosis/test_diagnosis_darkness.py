"""Faint darkness: known by its tones and its noise together, and not by either alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis import diagnose
from restorecli.diagnosis.faint.darkness import (
    LOW_LIGHT,
    beside_darkness,
    dark_model,
    find_darkness,
    measure_darkness,
)
from restorecli.diagnosis.measuring.measurements import measure
from restorecli.diagnosis.measuring.view import View, view_of
from restorecli.folders.samples import read_sample

Pixels = NDArray[np.float32]

_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
_PHOTONS = {"name": LOW_LIGHT, "gamma": 1.0, "gain": 1.0, "brightness": 1.0, "peak": 4000.0, "read": 0.1}


def _photograph(name: str, *, is_gray: bool = False) -> Pixels:
    pixels = read_sample(name).pixels[:, :384, :384]
    return _rounded(pixels.mean(axis=0, keepdims=True)) if is_gray else pixels


def _rounded(pixels: Pixels) -> Pixels:
    return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.float32) / np.float32(255)


def _degraded(pixels: Pixels, **step: object) -> Pixels:
    return _rounded(degrade_array(pixels, Chain.from_specs([step]), 0, "dark")[0])


def _is_found(pixels: Pixels) -> bool:
    return find_darkness(view_of(pixels)).is_sure


def _measured(levels: Pixels) -> dict[str, float]:
    return measure_darkness(View(levels, levels))


def test_white_noise_measures_what_it_is() -> None:
    rng = np.random.default_rng(0)
    ramp = np.broadcast_to(np.linspace(5, 230, 256, dtype=np.float32), (3, 256, 256))
    found = _measured(ramp + rng.normal(0, 2.5, ramp.shape).astype(np.float32))
    for low in (10, 20, 36, 60, 90, 130, 180):
        assert found[f"noise {low} high"] == pytest.approx(2.5, rel=0.1)
        assert found[f"noise {low} white"] == pytest.approx(0, abs=0.15)
    assert found["noise law"] == pytest.approx(0, abs=0.05)
    assert found["quiet tails"] == pytest.approx(3, abs=0.3)
    # [1, -2, 1] has the correlation -2/3 at a distance of one; a row of 8 has 7 pairs.
    assert found["detail beside"] == pytest.approx(-2 / 3 * 7 / 8, abs=0.03)
    assert found["detail across"] == pytest.approx((2 / 3 * 7 / 8) ** 2, abs=0.03)
    assert abs(found["red blue"]) < 0.05
    assert found["red noise"] == pytest.approx(0, abs=0.05)


def test_noise_of_photons_follows_the_law_of_linear_light() -> None:
    ramp = np.broadcast_to(np.linspace(0.02, 0.9, 384, dtype=np.float32), (3, 256, 384))
    found = _measured(255 * degrade_array(ramp, Chain.from_specs([_PHOTONS]), 0, "law")[0])
    for low, high in ((20, 36), (60, 90), (130, 180)):
        light = ((np.sqrt(low * high) / 255 + 0.055) / 1.055) ** 2.4
        slope = 1.055 / 2.4 * light ** (1 / 2.4 - 1)  # of sRGB, by light
        expected = 255 * slope * np.sqrt(light / 4000 + (0.1 / 255) ** 2)
        assert found[f"noise {low} high"] == pytest.approx(expected, rel=0.1)
    assert -0.35 < found["noise law"] < -0.1


def test_tones_are_those_of_scipy() -> None:
    levels = 255 * _photograph("coffee")
    found = _measured(levels)
    luma = View(levels, levels).luma.astype(np.float64)
    assert found["skew"] == pytest.approx(stats.skew(luma, axis=None), rel=1e-3)
    assert found["log skew"] == pytest.approx(stats.skew(np.log(luma + 4), axis=None), rel=2e-2, abs=1e-3)
    assert found["tone 90"] == pytest.approx(stats.scoreatpercentile(luma, 90), rel=1e-5)
    assert found["over 232"] == np.mean(levels > 232)


def test_gray_images_have_no_colors_and_no_measurement_has_the_name_of_another() -> None:
    pixels = _photograph("coffee")[:, :192, :192]
    color, gray = measure_darkness(view_of(pixels)), measure_darkness(view_of(pixels[:1]))
    assert set(gray) < set(color)
    assert set(color).isdisjoint(measure(pixels))
    assert set(color) <= set(dark_model(is_gray=False).measurements)
    assert set(gray) <= set(dark_model(is_gray=True).measurements)


@pytest.mark.parametrize("is_gray", [False, True])
@pytest.mark.parametrize("name", [*_PHOTOGRAPHS, "camera"])
def test_clean_images_and_faint_noise_are_not_taken_for_dark(name: str, is_gray: bool) -> None:
    clean = _photograph(name, is_gray=is_gray)
    assert not _is_found(clean)
    for step in (
        {"name": "gaussian", "sigma": 2.5},
        {"name": "camera-noise", "severity": 1},
        {"name": "film-grain", "severity": 1},
        _PHOTONS,
    ):
        assert not _is_found(_degraded(clean, **step))


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_faint_darkness_is_found_and_treated_alone(name: str) -> None:
    dark = _degraded(_photograph(name), name=LOW_LIGHT, severity=1)
    found = diagnose(dark)
    assert [one.damage for one in found.findings] == [LOW_LIGHT]
    assert [step.model for step in found.steps] == ["sca-unet.low-light"]


def test_small_images_are_not_told() -> None:
    dark = _degraded(_photograph("coffee"), name=LOW_LIGHT, severity=1)
    assert _is_found(dark)
    assert not _is_found(dark[:, :, :152])


def test_noise_and_jpeg_are_found_beside_darkness_and_other_damage_stays_alone() -> None:
    for names in ((), ("gaussian",), ("jpeg",)):
        assert beside_darkness(names)
    for names in (("haze",), ("gaussian", "jpeg")):
        assert not beside_darkness(names)


@pytest.mark.parametrize("severity", [1, 2])
@pytest.mark.parametrize(("top", "left"), [(0, 0), (96, 0), (96, 96)])
def test_a_dark_scene_with_the_noise_of_a_camera_is_not_brightened(
    top: int, left: int, severity: int
) -> None:
    part = read_sample("astronaut").pixels[:, top : top + 192, left : left + 192]
    noisy = _degraded(part, name="camera-noise", severity=severity)
    assert LOW_LIGHT not in [finding.damage for finding in diagnose(noisy).findings]
    dark = _degraded(part, name=LOW_LIGHT, severity=severity)
    assert LOW_LIGHT in [finding.damage for finding in diagnose(dark).findings]


def test_darkness_beside_noise_must_be_sure_by_itself() -> None:
    night = read_sample("rocket").pixels[:, :192, 192:384]
    noisy = _degraded(night, name="camera-noise", severity=2)
    assert 0.6 < find_darkness(view_of(noisy)).chance < 0.9  # not denied, and not sure
    assert [finding.damage for finding in diagnose(noisy).findings] == ["camera-noise"]


def _stops_too_short(pixels: Pixels, stops: float) -> Pixels:
    """Return an image as exposed too short, by the curve of sRGB (IEC 61966-2-1), without noise."""
    light = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4) / 2**stops
    return _rounded(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
@pytest.mark.parametrize("stops", [3, 4])
def test_what_was_exposed_far_too_short_is_brightened_without_any_noise(name: str, stops: float) -> None:
    found = diagnose(_stops_too_short(_photograph(name), stops))
    assert [finding.damage for finding in found.findings] == [LOW_LIGHT]


def test_what_shines_before_black_is_no_dark_photograph() -> None:
    rows, columns = np.mgrid[:192, :192]
    cell = np.exp(-((rows - 96) ** 2 + (columns - 96) ** 2) / 800).astype(np.float32)
    glow = _rounded(np.stack([0.02 * cell, 0.3 * cell, 0.05 * cell]))
    assert diagnose(glow).is_clean
