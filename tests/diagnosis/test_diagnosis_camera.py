"""Noise of cameras: found wherever a person sees it, and in no clean image."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage import data

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis import diagnose
from restorecli.diagnosis.faint.camera_noise import (
    CAMERA_NOISE,
    FILM_GRAIN,
    SPREAD_NOISE,
    beside_camera_noise,
    camera_level,
    camera_table,
    find_shared_noise,
    measure_camera_noise,
)
from restorecli.diagnosis.measuring.view import View, view_of
from restorecli.images.reading import read_image

Pixels = NDArray[np.float32]

_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
_CLEAN = (*_PHOTOGRAPHS, "camera", "coins", "brick", "grass", "gravel", "page", "moon", "retina", "cell")
_CLEAN_TOO = ("immunohistochemistry", "hubble_deep_field", "skin", "colorwheel", "text")


def _photograph(name: str) -> Pixels:
    pixels = np.atleast_3d(getattr(data, name)())[..., :3].transpose(2, 0, 1)
    return np.asarray(pixels[:, :384, :384], np.float32) / np.float32(255)


def _saved(pixels: Pixels, quality: int | None) -> Pixels:
    levels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    if quality is not None:
        file = io.BytesIO()
        Image.fromarray(levels.transpose(1, 2, 0).squeeze()).save(file, "JPEG", quality=quality)
        levels = np.atleast_3d(np.asarray(Image.open(file))).transpose(2, 0, 1)
    return levels.astype(np.float32) / np.float32(255)


def _noisy(pixels: Pixels, name: str = CAMERA_NOISE, **values: float) -> Pixels:
    chain = Chain.from_specs([{"name": name, **values}])
    return degrade_array(pixels, chain, 0, "camera")[0]


def _is_found(pixels: Pixels) -> bool:
    return find_shared_noise(view_of(pixels)).is_sure


@pytest.mark.parametrize("quality", [None, 95, 85, 70])
@pytest.mark.parametrize("name", [*_CLEAN, *_CLEAN_TOO])
def test_clean_images_are_not_taken_for_noisy(name: str, quality: int | None) -> None:
    assert not _is_found(_saved(_photograph(name), quality))


@pytest.mark.parametrize("quality", [None, 90, 75])
@pytest.mark.parametrize("smoothing", [0.0, 0.5])
@pytest.mark.parametrize("name", _PHOTOGRAPHS)
def test_noise_of_a_camera_is_found_and_treated(name: str, smoothing: float, quality: int | None) -> None:
    noisy = _saved(_noisy(_photograph(name), electrons=200, smoothing=smoothing), quality)
    found = diagnose(noisy)
    assert [finding.damage for finding in found.findings] == [CAMERA_NOISE]
    assert str(found).startswith("noise of a camera, level about ")
    assert [step.model for step in found.steps] == ["sca-unet.camera"]


@pytest.mark.parametrize("quality", [None, 90])
@pytest.mark.parametrize("name", _PHOTOGRAPHS[:2])
def test_film_grain_is_found_and_treated(name: str, quality: int | None) -> None:
    found = diagnose(_saved(_noisy(_photograph(name), FILM_GRAIN, severity=4), quality))
    (finding,) = found.findings
    assert finding.damage in (SPREAD_NOISE if quality else {FILM_GRAIN})
    assert str(found).startswith(("film grain, level about ", "noise of a camera, level about "))
    assert [step.model for step in found.steps] == ["sca-unet.grain"]


@pytest.mark.parametrize("noise", SPREAD_NOISE)
@pytest.mark.parametrize("name", ["astronaut", "rocket"])
def test_strong_noise_is_found_in_gray_images(name: str, noise: str) -> None:
    gray = _photograph(name).mean(axis=0, keepdims=True)
    assert _is_found(_saved(_noisy(gray, noise, severity=5), None))


def test_gray_grain_is_found_in_images_of_color() -> None:
    grainy = _noisy(_photograph("chelsea"), FILM_GRAIN, severity=4, color=0.0)
    found = find_shared_noise(view_of(_saved(grainy, None)))
    assert (found.name, found.is_sure) == (FILM_GRAIN, True)
    assert found.table is camera_table(is_gray=True)


def test_noise_has_no_direction_and_the_same_spectrum_everywhere_and_texture_has() -> None:
    noise = np.random.default_rng(1).normal(128, 12, (1, 192, 192)).astype(np.float32)
    rows, columns = np.mgrid[:192, :192].astype(np.float32)
    stripes = 128 + 17 * np.sin(rows * rows / 300 + columns / 9)[None]
    of_noise, of_stripes = (measure_camera_noise(View(one, one)) for one in (noise, stripes))
    for name in ("luma 1 directed", "luma 1 steady", "scales alike 1"):
        assert of_noise[name] < 0.6 * of_stripes[name]
    assert of_noise["luma 1 quietest"] > 5 > of_stripes["luma 1 quietest"]
    # Differences to the right and below share a pixel: 2 s^2 / (2 s^2 + 2 s^2).
    assert of_noise["luma 1 directed"] == pytest.approx(0.5, abs=0.05)
    assert abs(of_noise["scales alike 2"]) < 0.4
    assert {f"luma 1 {shade}" for shade in ("dark", "medium", "bright")} <= set(of_noise)


def _by_another_camera(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Expose in linear light, and interpolate the mosaic bilinearly: not what the tables were fitted to."""
    gains = np.array([0.5, 1, 0.6])[:, None, None]
    light = 0.5 * gains * pixels**2.2
    masks = np.zeros_like(pixels)
    masks[0, ::2, ::2] = masks[1, ::2, 1::2] = masks[1, 1::2, ::2] = masks[2, 1::2, 1::2] = 1
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
    photons = rng.poisson(200 * light) / 200 + rng.normal(0, 0.01, light.shape)
    colors = [
        ndimage.convolve(plane * mask, kernel) / ndimage.convolve(mask, kernel)
        for plane, mask in zip(photons, masks, strict=True)
    ]
    return np.asarray(np.clip(np.stack(colors) / gains / 0.5, 0, 1) ** (1 / 2.2), np.float32)


@pytest.mark.parametrize("quality", [None, 90, 75])
@pytest.mark.parametrize("name", _PHOTOGRAPHS)
def test_noise_of_a_camera_that_demosaics_in_another_way_is_found(name: str, quality: int | None) -> None:
    noisy = _by_another_camera(_photograph(name), np.random.default_rng(3))
    assert [one.damage for one in diagnose(_saved(noisy, quality)).findings] == [CAMERA_NOISE]


@pytest.mark.parametrize("sigma", [10, 25])
def test_white_noise_stays_white_noise(sigma: float) -> None:
    pixels = _photograph("chelsea")
    noisy = pixels + np.random.default_rng(0).normal(0, sigma / 255, pixels.shape)
    assert CAMERA_NOISE not in [one.damage for one in diagnose(_saved(noisy, None)).findings]


@pytest.mark.parametrize(
    ("names", "coarse", "quality", "kept"),
    [
        ((), 2.5, 100.0, (CAMERA_NOISE,)),
        (("moire",), 2.5, 100.0, (CAMERA_NOISE,)),
        (("low-light", "gaussian"), 2.5, 100.0, ("low-light", CAMERA_NOISE)),
        (("low-light", "gaussian"), 1.1, 100.0, ("low-light", "gaussian")),
        (("gaussian",), 2.5, 100.0, (CAMERA_NOISE,)),
        (("gaussian",), 1.1, 100.0, ("gaussian",)),
        (("jpeg", "gaussian"), 2.5, 50.0, ("jpeg", "gaussian")),
        (("jpeg",), 2.5, 75.0, (CAMERA_NOISE,)),
        (("jpeg",), 2.5, 20.0, ("jpeg",)),
        (("low-light",), 2.5, 100.0, ("low-light", CAMERA_NOISE)),
        (("rain",), 2.5, 100.0, ("rain",)),
    ],
)
def test_what_else_was_found_decides_what_camera_noise_stands_beside(
    names: tuple[str, ...], coarse: float, quality: float, kept: tuple[str, ...]
) -> None:
    found = {"noise coarse": coarse, "jpeg quality": quality, "wave luma": 9.0}
    assert beside_camera_noise(names, found, CAMERA_NOISE, is_dark=True) == kept


def test_waves_that_stand_out_stay_moire() -> None:
    found = {"noise coarse": 2.5, "jpeg quality": 100.0, "wave luma": 9.0, "wave color": 25.0}
    assert beside_camera_noise(("moire",), found, CAMERA_NOISE, is_dark=False) == ("moire",)


def test_darkness_that_is_not_sure_gives_way_to_noise_of_a_camera() -> None:
    found = {"noise coarse": 2.5, "jpeg quality": 100.0, "wave luma": 0.0}
    assert beside_camera_noise(("low-light",), found, CAMERA_NOISE, is_dark=False) == (CAMERA_NOISE,)


def test_detail_of_white_noise_is_its_deviation_and_falls_by_half_with_each_scale() -> None:
    planes = np.random.default_rng(1).normal(128, 6, (1, 384, 384)).astype(np.float32)
    found = measure_camera_noise(View(planes, planes))
    for scale in (1, 2, 4):
        assert found[f"luma {scale} middle"] == pytest.approx(6 / scale, rel=0.1)
    assert set(found) == set(camera_table(is_gray=True).measurements)
    assert camera_level({f"luma {scale} flat": 10.0 for scale in (1, 2, 4)}) == pytest.approx(1.3 * 300**0.5)


def test_images_of_32_px_have_measurements_to_tell_by() -> None:
    tiny = _photograph("chelsea")[:, 100:132, 100:132]
    found = measure_camera_noise(view_of(tiny))
    assert np.isfinite(list(found.values())).all()
    assert not _is_found(tiny)


@pytest.mark.data
@pytest.mark.parametrize("side", [128, 96, 64, 48, 32])
def test_small_clean_images_are_not_taken_for_noisy(data_folder, side: int) -> None:
    files = sorted((data_folder / "bsds400").glob("*.jpg"))[::4]
    for file in files:
        assert not _is_found(read_image(file).pixels[:, 80 : 80 + side, 80 : 80 + side]), file.name


def _crops(folder: Path, count: int) -> list[Pixels]:
    """Return the middle 192 px of every fifth photograph, which no table was fitted to."""
    files = sorted((folder / "bsds400").glob("*.jpg"))[4::5][:count]
    return [read_image(file).pixels[:, 64:256, 64:256] for file in files]


@pytest.mark.slow
@pytest.mark.data
def test_on_photographs_noise_is_found_and_never_in_clean_ones(data_folder) -> None:
    crops = _crops(data_folder, 80)
    assert not any(_is_found(_saved(crop, quality)) for crop in crops for quality in (None, 90, 75))
    for severity in (3, 4, 5):
        for quality in (None, 90, 75):
            noisy = [_saved(_noisy(crop, severity=severity), quality) for crop in crops[::2]]
            assert np.mean([_is_found(image) for image in noisy]) >= (0.8 if severity == 3 else 0.95)
        grainy = [_saved(_noisy(crop, FILM_GRAIN, severity=severity), None) for crop in crops[::2]]
        assert np.mean([_is_found(image) for image in grainy]) >= 0.95
