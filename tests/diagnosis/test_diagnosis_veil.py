"""Faint haze: known by black, white and full colors that an image lacks from top to bottom."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis import diagnose
from restorecli.diagnosis.faint.veil import HAZE, beside_veil, find_veil, measure_veil, veil_model
from restorecli.diagnosis.measuring.tones import measure_tones
from restorecli.diagnosis.measuring.view import view_of
from restorecli.folders.samples import read_sample

Pixels = NDArray[np.float32]

_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


def _photograph(name: str, *, is_gray: bool = False) -> Pixels:
    pixels = read_sample(name).pixels[:, :384, :384]
    return _rounded(pixels.mean(axis=0, keepdims=True)) if is_gray else pixels


def _rounded(pixels: Pixels) -> Pixels:
    return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.float32) / np.float32(255)


def _hazy(pixels: Pixels, **words: object) -> Pixels:
    return _rounded(degrade_array(pixels, Chain.from_specs([{"name": "haze", **words}]), 0, "veil")[0])


def _patches(channels: int = 3) -> Pixels:
    """Return patches of 8 px that are black, white, and of full colors, everywhere alike."""
    colors = np.eye(channels, dtype=np.float32).repeat(2, axis=0)
    colors[1], colors[3 % len(colors)] = 0, 1
    picked = colors[np.arange(24 * 24).reshape(24, 24) % len(colors)]
    return np.ascontiguousarray(picked.repeat(8, axis=0).repeat(8, axis=1).transpose(2, 0, 1))


def test_even_haze_measures_what_its_law_says() -> None:
    share = np.exp(-0.4)  # of the light of things that passes
    hazy = degrade_array(
        _patches(),
        Chain.from_specs([{"name": "haze", "beta": 0.4, "light": 0.8, "near": 1, "far": 1, "drift": 0}]),
        0,
        "law",
    )[0]
    found = measure_veil(view_of(hazy))
    black, white = 255 * 0.8 * (1 - share), 255 * (share + 0.8 * (1 - share))
    for name in ("lowest 1", "mean lowest 1", "band 0 lowest 5", "band 5 lowest 5", "rows least"):
        assert found[name] == pytest.approx(black, abs=0.1)
    for name in ("highest 99", "mean highest 99", "band 0 highest 95", "band 5 highest 95"):
        assert found[name] == pytest.approx(white, abs=0.1)
    assert found["deepest 99"] == pytest.approx(1 - black / (white + 4), abs=1e-3)
    assert found["black slope"] == pytest.approx(0, abs=1e-3)
    assert found["black rest"] == pytest.approx(0, abs=1e-3)


def test_haze_that_thickens_to_the_top_lifts_the_upper_bands_more() -> None:
    found = measure_veil(view_of(_hazy(_patches(), severity=1)))
    lowest = [found[f"band {band} lowest 1"] for band in range(6)]
    assert lowest == sorted(lowest, reverse=True)
    assert found["black slope"] < -2
    assert found["rows correlation"] < -0.8


def test_gray_images_have_no_colors_and_shared_names_are_of_the_tones() -> None:
    view = view_of(_photograph("coffee"))
    color, gray = measure_veil(view), measure_veil(view_of(_photograph("coffee", is_gray=True)))
    assert set(gray) < set(color)
    assert set(measure_tones(view)) < set(color)
    assert set(color) == set(veil_model(is_gray=False).measurements)
    assert set(gray) == set(veil_model(is_gray=True).measurements)


@pytest.mark.parametrize("is_gray", [False, True])
@pytest.mark.parametrize("name", [*_PHOTOGRAPHS, "camera"])
def test_clean_and_matte_images_are_not_taken_for_hazy(name: str, is_gray: bool) -> None:
    clean = _photograph(name, is_gray=is_gray)
    assert not find_veil(view_of(clean)).is_sure
    assert not find_veil(view_of(_rounded(np.asarray(0.08 + 0.85 * clean, np.float32)))).is_sure


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_faint_haze_is_found_and_treated_alone(name: str) -> None:
    found = diagnose(_hazy(_photograph(name), severity=1))
    assert [one.damage for one in found.findings] == [HAZE]
    assert [step.model for step in found.steps] == ["sca-unet.haze"]


def test_small_images_are_not_told() -> None:
    hazy = _hazy(_photograph("coffee"), severity=1)
    assert find_veil(view_of(hazy)).is_sure
    assert not find_veil(view_of(hazy[:, :, :152])).is_sure


def test_faint_haze_stands_beside_noise_and_jpeg_alone() -> None:
    for names in ((), ("gaussian",), ("jpeg",)):
        assert beside_veil(names)
    for names in (("fade",), ("low-light",), ("gaussian", "jpeg")):
        assert not beside_veil(names)
