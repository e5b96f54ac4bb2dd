"""White noise that was saved as JPEG, which most files do with colors at half the resolution."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

import restorecli
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis import FileInfo, diagnose, diagnosing
from restorecli.diagnosis.faint.camera_noise import find_shared_noise
from restorecli.diagnosis.faint.hidden_layer import Told
from restorecli.diagnosis.faint.saved_noise import (
    beside_saved_noise,
    find_saved_noise,
    measure_saved_noise,
    saved_noise_model,
)
from restorecli.diagnosis.measuring.measurements import measure
from restorecli.diagnosis.measuring.view import view_of
from restorecli.folders.samples import read_sample

Bytes = NDArray[np.uint8]
Pixels = NDArray[np.float32]

_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee")


def _photograph(name: str) -> Bytes:
    pixels = read_sample(name).pixels[:, :256, 64:320].transpose(1, 2, 0)
    return np.rint(255 * pixels).astype(np.uint8)


def _noisy(image: Bytes, sigma: float) -> Bytes:
    noise = np.random.default_rng(0).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def _saved(image: Bytes, quality: int, subsampling: str = "4:2:0") -> Bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=subsampling)  # gray has none
    with Image.open(file) as opened:
        return np.asarray(opened)


def _pixels(image: Bytes) -> Pixels:
    planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return np.ascontiguousarray(planes, np.float32) / np.float32(255)


def _names(image: Bytes) -> list[str]:
    return [finding.damage for finding in diagnose(_pixels(image)).findings]


def _is_sure(pixels: Pixels) -> bool:
    view = view_of(pixels)
    return find_saved_noise(view, measure(pixels, view), find_shared_noise(view)).is_sure


@pytest.mark.parametrize(("sigma", "quality"), [(10, 92), (15, 95), (20, 80), (35, 75)])
@pytest.mark.parametrize("name", _PHOTOGRAPHS)
def test_noise_in_a_file_with_reduced_colors_is_noise_and_not_fading(name, sigma, quality) -> None:
    found = diagnose(_pixels(_saved(_noisy(_photograph(name), sigma), quality)))
    assert [finding.damage for finding in found.findings] == ["gaussian", "jpeg"]
    assert [step.model for step in found.steps] == ["sca-unet.noise-jpeg"]


@pytest.mark.parametrize("name", _PHOTOGRAPHS)
def test_such_a_file_comes_back_better(name) -> None:
    clean = _photograph(name)
    spoiled = _saved(_noisy(clean, 10), 92)
    before, after = (
        peak_signal_noise_ratio(clean, image) for image in (spoiled, restorecli.restore_image(spoiled))
    )
    assert after > before + 2


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("quality", [98, 90, 75, 50])
@pytest.mark.parametrize("name", [*_PHOTOGRAPHS, "rocket"])
def test_files_without_noise_are_not_taken_for_noisy(name, quality, subsampling) -> None:
    view = view_of(_pixels(_saved(_photograph(name), quality, subsampling)))
    assert not find_saved_noise(
        view, measure(_pixels(_photograph(name)), view), find_shared_noise(view)
    ).is_sure


def test_noise_that_is_still_white_and_noise_of_cameras_stay_what_they_are() -> None:
    clean = _photograph("chelsea")
    assert _names(_noisy(clean, 20)) == ["gaussian"]
    assert _names(_saved(_noisy(clean, 20), 95, "4:4:4")) == ["gaussian"]
    steps = [{"name": "camera-noise", "severity": 3}, {"name": "jpeg", "quality": 90}]
    pixels = degrade_array(_pixels(clean), Chain.from_specs(steps), 0, "camera")[0]
    assert [one.damage for one in diagnose(pixels).findings] == ["camera-noise"]


def test_in_gray_weights_against_white_noise_alone_are_not_taken_under_coarse_jpeg() -> None:
    gray = _photograph("coffee").mean(axis=2).round().astype(np.uint8)
    spoiled = _pixels(_saved(_noisy(gray, 15), 75))
    found = diagnose(spoiled, FileInfo())
    assert [step.model for step in found.steps] == ["sca-unet.noise-jpeg"]


def test_a_faded_print_saved_as_a_file_has_still_faded() -> None:
    steps = [{"name": "fade", "severity": 3}, {"name": "jpeg", "quality": 90}]
    pixels = degrade_array(_pixels(_photograph("coffee")), Chain.from_specs(steps), 0, "fade")[0]
    assert "fade" in [one.damage for one in diagnose(pixels).findings]


@pytest.mark.parametrize("name", _PHOTOGRAPHS)
def test_dust_in_a_file_is_dust_though_its_noise_is_sure(name) -> None:
    steps = [{"name": "sand-dust", "severity": 3}, {"name": "jpeg", "quality": 90}]
    pixels = degrade_array(_pixels(_photograph(name)), Chain.from_specs(steps), 0, "dust")[0]
    assert _is_sure(pixels)
    assert [one.damage for one in diagnose(pixels).findings] == ["sand-dust"]


def test_what_it_is_taken_for_gives_way_and_other_damage_stays() -> None:
    for names in ((), ("jpeg",), ("gaussian",), ("film-grain",)):
        assert beside_saved_noise(names) == ("gaussian", "jpeg")
    for names in (("low-light", "jpeg"), ("quantize",), ("scratches",)):
        assert beside_saved_noise(names) == names


def test_what_speaks_for_it_is_shown_and_other_damage_is_no_surer_for_it(monkeypatch) -> None:
    noisy = diagnose(_pixels(_saved(_noisy(_photograph("coffee"), 20), 80)))
    measured = set(saved_noise_model(is_gray=False).measurements)
    noise, jpeg = noisy.findings
    assert noise.evidence
    assert set(noise.evidence) <= measured
    assert jpeg.evidence
    assert jpeg.evidence != noise.evidence
    chain = Chain.from_specs([{"name": "scratches", "severity": 2}])
    scratched = degrade_array(_pixels(_photograph("coffee")), chain, 0, "scratched")[0]
    alone = diagnose(scratched)
    sure = Told("gaussian+jpeg", 1.0, True, {})
    monkeypatch.setattr(diagnosing, "find_saved_noise", lambda *_: sure)
    assert [one.damage for one in alone.findings] == ["scratches"]
    assert diagnose(scratched).findings == alone.findings


def test_small_images_are_not_told() -> None:
    spoiled = _pixels(_saved(_noisy(_photograph("coffee"), 15), 92))
    for side, is_sure in ((160, True), (152, False)):
        assert _is_sure(np.ascontiguousarray(spoiled[:, :side])) is is_sure


def test_its_measurements_are_those_that_the_models_know() -> None:
    color = measure_saved_noise(view_of(_pixels(_photograph("coffee"))))
    assert set(color) == set(saved_noise_model(is_gray=False).measurements)
    assert set(saved_noise_model(is_gray=True).measurements) < set(color)
