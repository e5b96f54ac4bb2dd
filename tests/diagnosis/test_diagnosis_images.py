"""Whole diagnoses: of clean and of damaged photographs, of files and folders."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis import FileInfo, diagnose
from restorecli.diagnosis.deciding.together import alike
from restorecli.diagnosis.files import diagnose_file, diagnose_files, file_info, kinds
from restorecli.errors import ImageError
from restorecli.folders.samples import read_sample
from restorecli.images.reading import read_image

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")

# Strong enough to be sure of on every one of the four photographs.
STRONG = [name for name in DEGRADATIONS if name != "downscale"]


def _damaged(name: str, damage: str, severity: int) -> NDArray[np.float32]:
    pixels = read_sample(name).pixels[:, :320, :480]
    worse, _ = degrade_array(pixels, Chain.from_specs([{"name": damage, "severity": severity}]), 0, name)
    return (np.rint(np.clip(worse, 0, 1) * 255) / 255).astype(np.float32)


@pytest.mark.parametrize("name", PHOTOS)
def test_photographs_without_damage_are_left_alone(name: str) -> None:
    found = diagnose(read_sample(name).pixels)
    assert found.is_clean
    assert found.steps == ()


@pytest.mark.parametrize("damage", STRONG)
def test_the_worst_damage_is_named(damage: str) -> None:
    named = (diagnose(_damaged(name, damage, 5)).findings for name in PHOTOS)
    right = (bool(found) and alike(found[0].damage, damage) for found in named)
    assert sum(itertools.islice(filter(None, right), 3)) == 3, "three of four photographs"


def test_strengths_are_those_that_made_it() -> None:
    noisy = diagnose(_damaged("chelsea", "gaussian", 3)).findings[0].strengths[0]
    assert noisy.value == pytest.approx(45.9, rel=0.1)
    quality = diagnose(_damaged("chelsea", "jpeg", 4)).findings[0].strengths[0]
    assert quality.value == pytest.approx(10, abs=1)
    disc = diagnose(_damaged("coffee", "defocus", 3)).findings[0].strengths[0]
    assert disc.value == pytest.approx(6, rel=0.1)


def test_the_same_image_has_the_same_diagnosis() -> None:
    image = _damaged("coffee", "jpeg", 3)
    assert diagnose(image) == diagnose(image.copy())


def test_what_cannot_be_diagnosed_is_said() -> None:
    with pytest.raises(ImageError, match="cannot be diagnosed"):
        diagnose(np.zeros((2, 64, 64), np.float32))
    with pytest.raises(ImageError, match="not finite"):
        diagnose(np.full((1, 64, 64), np.nan, np.float32))


def test_of_images_too_small_to_tell_that_is_said() -> None:
    tiny = diagnose(np.random.default_rng(0).random((3, 31, 400), np.float32))
    assert (tiny.findings, tiny.steps, tiny.confidence) == ((), (), 0.0)
    assert str(tiny) == tiny.to_dict()["untold"] == "too small to tell: a side is under 32 px"
    assert kinds([tiny, diagnose(np.zeros((3, 32, 32), np.float32))]) == [
        "1 image: too small to tell: a side is under 32 px",
        "1 image: no damage found",
    ]


@pytest.mark.parametrize("size", [(32, 32), (33, 500), (40, 41)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_flat_images_of_any_size_have_no_damage(size: tuple[int, int], value: float) -> None:
    assert diagnose(np.full((3, *size), value, np.float32)).is_clean
    assert diagnose(np.full((1, *size), value, np.float32)).is_clean


@pytest.fixture
def folder(tmp_path):
    """A clean photograph, a bad JPEG of it in a folder of its own, and a file that is no image."""
    pixels = (read_sample("coffee").pixels.transpose(1, 2, 0) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "clean.png")
    (tmp_path / "bad").mkdir()
    Image.fromarray(pixels).save(tmp_path / "bad" / "poor.jpg", quality=12)
    (tmp_path / "broken.png").write_bytes(b"no image")
    return tmp_path


def test_a_file_says_its_quality(folder) -> None:
    info = file_info(folder / "bad" / "poor.jpg")
    assert info.jpeg_table is not None
    assert len(info.jpeg_table) == 64
    assert file_info(folder / "clean.png") == FileInfo()
    found = diagnose_file(folder / "bad" / "poor.jpg")
    assert found.findings[0].damage == "jpeg"
    assert found.findings[0].strengths[0].value == 12


def test_images_of_a_folder_are_diagnosed_each_for_itself(folder) -> None:
    found = {one.path: one for one in diagnose_files(folder, workers=2)}
    assert list(found) == ["bad/poor.jpg", "broken.png", "clean.png"]
    assert found["clean.png"].diagnosis == diagnose(read_image(folder / "clean.png").pixels)
    assert found["broken.png"].diagnosis is None
    assert "error" in found["broken.png"].to_dict()


def test_kinds_of_images_are_said_in_a_line_each(folder) -> None:
    found = [one.diagnosis for one in diagnose_files(folder) if one.diagnosis is not None]
    lines = kinds([*found, found[0]])
    assert lines[0].startswith("2 images: JPEG, quality about 12 -> ")
    assert lines[1] == "1 image: no damage found"


def test_noise_under_jpeg_is_named_with_it_and_undone_with_it() -> None:
    pixels = read_sample("chelsea").pixels[:, :300, :400]
    chain = Chain.from_specs([{"name": "gaussian", "sigma": 20}, {"name": "jpeg", "quality": 50}])
    found = diagnose(np.rint(np.clip(degrade_array(pixels, chain, 0, "x")[0], 0, 1) * 255) / np.float32(255))
    assert {finding.damage for finding in found.findings} == {"jpeg", "gaussian"}
    assert [step.model for step in found.steps] == ["sca-unet.noise-jpeg"]


def test_a_night_shot_is_brightened_and_then_freed_of_noise_under_jpeg(tmp_path) -> None:
    steps = [{"name": "low-light", "severity": 3}, {"name": "poisson", "peak": 60}]
    steps += [{"name": "gaussian", "sigma": 4}]
    noisy, _ = degrade_array(
        read_sample("chelsea").pixels[:, :256, :320], Chain.from_specs(steps), 0, "night"
    )
    clipped = np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    file = tmp_path / "night.jpg"
    Image.fromarray(clipped).save(file, quality=85)
    found = diagnose_file(file)
    assert [finding.damage for finding in found.findings] == ["low-light", "jpeg"]
    assert [step.model for step in found.steps] == ["sca-unet.low-light", "sca-unet.noise-jpeg"]
    plain = diagnose(clipped.transpose(2, 0, 1).astype(np.float32) / 255)
    assert [step.model for step in plain.steps] == ["sca-unet.low-light", "sca-unet.gaussian"]


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("severity", [1, 3])
def test_impulses_are_found_in_small_images_too(name: str, severity: int) -> None:
    found = diagnose(np.ascontiguousarray(_damaged(name, "salt-pepper", severity)[:, 64:256, 96:288]))
    assert [step.model for step in found.steps] == ["switching-median"]


def test_a_diagnosis_does_not_wait_for_torch(folder) -> None:
    code = (
        "import sys; from pathlib import Path; from restorecli.diagnosis.files import diagnose_file\n"
        "assert not diagnose_file(Path(sys.argv[1])).is_clean\n"
        "assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code, str(folder / "bad" / "poor.jpg")]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("levels", [8, 16, 32])
def test_few_levels_are_found_whatever_the_photograph(levels: int) -> None:
    for name in PHOTOS:
        few = np.rint(read_sample(name).pixels[:, 100:292, 100:292] * (levels - 1)) / np.float32(levels - 1)
        found = diagnose(np.rint(few * 255).astype(np.float32) / np.float32(255)).findings
        assert [one.damage for one in found] == ["quantize"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "top", "left"),
    [
        ("8143", 0, 288),
        ("100080", 0, 0),
        ("347031", 0, 128),
        ("157087", 64, 0),
        ("107014", 48, 96),
        ("70011", 56, 256),
        ("71076", 80, 72),
        ("105019", 8, 40),
    ],
    ids=[
        "reeds",
        "a soft background",
        "a soft mountain",
        "a white sky",
        "an elephant",
        "a bird before brown bushes",
        "a figure before an ochre wall",
        "lions in dry grass",
    ],
)
def test_parts_of_clean_photographs_are_left_alone(data_folder, file: str, top: int, left: int) -> None:
    photo = read_image(data_folder / "bsds400" / f"{file}.jpg").pixels
    assert diagnose(photo[:, top : top + 192, left : left + 192]).is_clean


@pytest.mark.data
def test_a_faded_print_is_found_in_a_scan_that_was_made_smaller(data_folder) -> None:
    photo = read_image(data_folder / "bsds400" / "103078.jpg").pixels
    worse, _ = degrade_array(photo, Chain.from_specs([{"name": "fade", "severity": 4}]), 0, "103078.jpg")
    scan = Image.fromarray(np.rint(np.clip(worse, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0))
    small = scan.resize((scan.width // 2, scan.height // 2), Image.Resampling.LANCZOS)
    found = diagnose(np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(255))
    assert [finding.damage for finding in found.findings] == ["fade"]


@pytest.mark.data
@pytest.mark.parametrize("file", ["118035", "281017"], ids=["white walls", "a beach"])
def test_clipped_lights_of_high_key_photographs_are_no_holes(data_folder, file: str) -> None:
    photo = read_image(data_folder / "bsds400" / f"{file}.jpg").pixels[:, 40:232, 40:232]
    light = np.rint((0.1 + 0.9 * np.clip(1.9 * photo, 0, 1)) * 255).astype(np.float32) / np.float32(255)
    assert diagnose(light).is_clean


@pytest.mark.data
@pytest.mark.parametrize("severity", [1, 4])
def test_jpeg_of_a_brown_photograph_gets_no_second_step_for_its_tones(data_folder, severity: int) -> None:
    photo = read_image(data_folder / "bsds400" / "71076.jpg").pixels[:, 8:200, 120:312]
    chain = Chain.from_specs([{"name": "jpeg", "severity": severity}])
    worse, _ = degrade_array(photo, chain, 0, "71076.jpg")
    found = diagnose((np.rint(np.clip(worse, 0, 1) * 255) / 255).astype(np.float32))
    assert [step.model for step in found.steps] == ["sca-unet.jpeg"]


@pytest.mark.data
def test_real_dust_is_found_where_things_near_the_camera_are_black(data_folder) -> None:
    dusty = read_image(data_folder / "sand-dust" / "train" / "dusty" / "b0023.jpg").pixels
    assert [step.model for step in diagnose(dusty).steps] == ["swm.sand-dust"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "damage", "severity"),
    [("48055", "fade", 1), ("268074", "fade", 1), ("189003", "sand-dust", 3), ("69007", "old-photo", 1)],
)
def test_damaged_tones_are_found_in_noise_and_in_strong_contrast(
    data_folder, file: str, damage: str, severity: int
) -> None:
    photo = read_image(data_folder / "bsds400" / f"{file}.jpg").pixels
    top, left = ((side - 192) // 2 // 8 * 8 for side in photo.shape[1:])
    chain = Chain.from_specs([{"name": damage, "severity": severity}])
    worse, _ = degrade_array(photo[:, top : top + 192, left : left + 192], chain, 0, f"{file}.jpg")
    found = diagnose((np.rint(np.clip(worse, 0, 1) * 255) / 255).astype(np.float32))
    assert [finding.damage for finding in found.findings] == [damage]


@pytest.mark.data
@pytest.mark.parametrize("severity", [1, 3])
@pytest.mark.parametrize(("file", "top", "left"), [("28096", 32, 128), ("299091", 120, 112)])
def test_brown_photographs_that_faded_are_not_taken_for_dusty(
    data_folder, file: str, top: int, left: int, severity: int
) -> None:
    photo = read_image(data_folder / "bsds400" / f"{file}.jpg").pixels[:, top : top + 192, left : left + 192]
    worse, _ = degrade_array(
        photo, Chain.from_specs([{"name": "fade", "severity": severity}]), 0, f"{file}.jpg"
    )
    found = diagnose((np.rint(np.clip(worse, 0, 1) * 255) / 255).astype(np.float32))
    assert [finding.damage for finding in found.findings] == ["fade"]


@pytest.mark.data
@pytest.mark.parametrize("file", ["140075", "335088"])
def test_faint_rain_that_the_network_plainly_sees_is_found(data_folder, file: str) -> None:
    photo = read_image(data_folder / "bsds400" / f"{file}.jpg").pixels
    top, left = ((side - 192) // 2 // 8 * 8 for side in photo.shape[1:])
    part = photo[:, top : top + 192, left : left + 192]
    worse, _ = degrade_array(part, Chain.from_specs([{"name": "rain", "severity": 1}]), 0, f"{file}.jpg")
    found = diagnose((np.rint(np.clip(worse, 0, 1) * 255) / 255).astype(np.float32))
    assert [finding.damage for finding in found.findings] == ["rain"]


@pytest.mark.data
def test_hardly_any_small_photograph_is_taken_for_damaged(data_folder) -> None:
    """Five of these 40 crops of 48 px were: four of them by the steep slope of their spectra."""
    files = sorted((data_folder / "bsds400").glob("*.jpg"))[4::10]
    found = [diagnose(read_image(file).pixels[:, 136:184, 216:264]) for file in files]
    assert sum(not one.is_clean for one in found) <= 1
