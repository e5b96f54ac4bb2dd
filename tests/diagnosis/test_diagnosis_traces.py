"""Traces of files and screens: JPEG, few levels, impulses, waves, against what made them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from restorecli.diagnosis import diagnose
from restorecli.diagnosis.measuring.blocks import first_block, measure_blocks, quality_of_table
from restorecli.diagnosis.measuring.impulses import is_full_of_impulses, measure_impulses
from restorecli.diagnosis.measuring.levels import is_rounded, measure_levels, shows_few_levels
from restorecli.diagnosis.measuring.noise import measure_noise
from restorecli.diagnosis.measuring.view import view_of
from restorecli.diagnosis.measuring.waves import measure_waves, peak
from restorecli.folders.samples import read_sample

Pixels = NDArray[np.float32]


def _photo(name: str = "astronaut") -> Pixels:
    return read_sample(name).pixels[:, :360, :400]


def _bytes(pixels: Pixels) -> NDArray[np.uint8]:
    return np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(_bytes(pixels)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.float32).transpose(2, 0, 1) / 255


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
@pytest.mark.parametrize("quality", [7, 15, 30, 50, 75])
def test_pillows_quality_is_found_in_the_pixels(name: str, quality: int) -> None:
    found = measure_blocks(view_of(_jpeg(_photo(name), quality)))
    assert found["jpeg quality"] == pytest.approx(quality, abs=2)


@pytest.mark.parametrize(("top", "left"), [(1, 0), (3, 5), (7, 7)])
def test_a_jpeg_that_was_cropped_is_found_as_one_that_was_not(top: int, left: int) -> None:
    compressed = _jpeg(_photo("coffee"), 30)
    assert first_block(view_of(compressed)) == (0, 0)
    cut = compressed[:, top:, left:]
    assert first_block(view_of(cut)) == (-top % 8, -left % 8)
    assert [finding.damage for finding in diagnose(cut).findings] == ["jpeg"]


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_no_block_is_seen_in_photographs_made_small(name: str) -> None:
    assert first_block(view_of(_photo(name)[:, ::2, ::2])) == (0, 0)


@pytest.mark.parametrize("quality", [50, 60, 75])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket"])
def test_coefficients_that_keep_the_steps_are_proof_of_jpeg(name: str, quality: int) -> None:
    compressed = _jpeg(_photo(name), quality)
    assert measure_blocks(view_of(compressed))["jpeg quality"] == pytest.approx(quality, abs=2)
    assert [finding.damage for finding in diagnose(compressed).findings] == ["jpeg"]


def test_an_enlarged_picture_has_no_grid() -> None:
    small = _photo()[:, :160, :160]
    for factor in (2, 4):
        large = small.repeat(factor, 1).repeat(factor, 2)
        assert measure_blocks(view_of(large))["grid"] < 0.2


def test_the_grid_is_seen_wherever_it_starts() -> None:
    clean = measure_blocks(view_of(_photo()))["grid"]
    poor = _jpeg(_photo(), 12)
    aligned, shifted = (measure_blocks(view_of(cut))["grid"] for cut in (poor, poor[:, 3:, 5:]))
    assert shifted == pytest.approx(aligned, rel=0.1)
    assert aligned > 3 * clean


def test_images_that_were_no_jpeg_show_no_quality() -> None:
    smooth = np.random.default_rng(0).normal(0.5, 0.1, (3, 128, 128)).astype(np.float32)
    assert measure_blocks(view_of(smooth))["jpeg quality"] == 100


@pytest.mark.parametrize("quality", [1, 10, 40, 75, 90, 100])
def test_tables_of_pillow_say_their_quality(quality: int) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
    table = Image.open(buffer).quantization[0]  # type: ignore[attr-defined] # JPEG's own
    assert quality_of_table(tuple(table)) == quality


@pytest.mark.parametrize("levels", [2, 4, 16])
def test_levels_are_counted(levels: int) -> None:
    few = np.rint(_photo() * (levels - 1)) / (levels - 1)
    found = measure_levels(view_of(few))
    assert found["levels used"] == levels
    assert 2 ** found["colors"] == pytest.approx(len(np.unique(_bytes(few).reshape(-1, 3), axis=0)))


def test_dither_alternates_and_bands_do_not() -> None:
    gray = Image.fromarray(_bytes(_photo())).convert("L")
    dots = np.asarray(gray.convert("1"), np.float32)[None]
    bands = (np.asarray(gray, np.float32) > 127)[None].astype(np.float32)
    dithered, banded = (measure_levels(view_of(image)) for image in (dots, bands))
    assert dithered["neighbors alternate"] > 0.2 > 3 * banded["neighbors alternate"]
    assert banded["neighbors equal"] > 0.9 > dithered["neighbors equal"]


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_lost_pixels_are_counted(share: float) -> None:
    rng = np.random.default_rng(1)
    image = 0.25 + 0.5 * _photo()
    lost = rng.random(image.shape[1:]) < share
    image[:, lost] = rng.integers(0, 2, lost.sum())
    found = measure_impulses(view_of(image))
    assert found["impulses extreme"] == pytest.approx(share, rel=0.1)
    assert found["clipped"] == pytest.approx(share, rel=0.1)


def test_photographs_hold_hardly_any_impulse() -> None:
    for name in ("astronaut", "chelsea", "coffee"):
        assert measure_impulses(view_of(_photo(name)))["impulses extreme"] < 1e-3


@pytest.mark.parametrize("frequency", [0.1, 0.25])
def test_waves_stand_above_photographs(frequency: float) -> None:
    rows, columns = np.indices((360, 400))
    phase = 2 * np.pi * frequency * (0.8 * columns + 0.6 * rows)
    waves = np.stack([np.cos(phase + shift) for shift in (0, 2, 4)]) * 8 / 255
    clean, colored, gray = (
        measure_waves(view_of(image)) for image in (_photo(), _photo() + waves, _photo() + waves[:1])
    )
    assert colored["wave color"] > clean["wave color"] + 10
    assert gray["wave luma"] > clean["wave luma"] + 4


@pytest.mark.parametrize("side", [48, 64])
def test_small_photographs_show_no_waves(side: int) -> None:
    """Near the mean a photograph's spectrum falls so steeply that every place there stands out."""
    heights = []
    for name in ("astronaut", "chelsea", "coffee"):
        for left in range(0, 256, 64):
            part = _photo(name)[:, 100 : 100 + side, left : left + side]
            heights.append(measure_waves(view_of(part))["wave color"])
    assert np.median(heights) < 13


def test_waves_stand_above_small_photographs() -> None:
    rows, columns = np.indices((48, 48))
    phase = 2 * np.pi * 0.25 * (0.8 * columns + 0.6 * rows)
    waves = np.stack([np.cos(phase + shift) for shift in (0, 2, 4)]) * 8 / 255
    part = _photo()[:, 100:148, 100:148]
    clean, waved = (measure_waves(view_of(image))["wave color"] for image in (part, part + waves))
    assert waved > clean + 4


def test_a_wave_in_noise_has_the_height_of_theory() -> None:
    rows, columns = np.indices((128, 128))
    wave = 3 * np.cos(2 * np.pi * (20 * columns + 12 * rows) / 128)
    noise = np.random.default_rng(2).normal(0, 1, (128, 128))
    # One part, Hann: power amplitude^2 / 4 times the sum of the window squared over its energy; the mean of
    # nine places takes half of the main lobe's.
    single = 9 / 4 * 64**4 / (48**2)
    assert peak((wave + noise).astype(np.float32)) == pytest.approx(10 * np.log10(single / 9 * 2.25), abs=1)


@pytest.mark.parametrize("levels", [2, 8, 16, 32, 64])
def test_photographs_of_few_levels_are_on_an_even_scale(levels: int) -> None:
    few = np.rint(_photo() * (levels - 1)) / (levels - 1)
    found = measure_levels(view_of(few))
    assert found["even levels"] == levels
    assert shows_few_levels(found) == (levels > 2)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_gaps_of_a_stretched_histogram_are_no_even_scale(name: str) -> None:
    photo = _photo(name)
    stretched = np.clip(2.3 * photo - 0.4, 0, 1)
    dark = photo * 0.2
    for image in (photo, stretched, dark):
        found = measure_levels(view_of(image))
        assert found["even levels"] == 256
        assert not shows_few_levels(found)


def test_a_chart_of_even_grays_is_no_photograph_of_few_levels() -> None:
    chart = np.repeat(np.repeat(np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 4, 4), 60, 1), 60, 2)
    found = measure_levels(view_of(chart))
    assert found["even levels"] == 16
    assert not shows_few_levels(found)


def test_only_salt_and_pepper_makes_many_pixels_black_or_white_at_once() -> None:
    rng = np.random.default_rng(2)
    image = _photo()
    lost = rng.random(image.shape[1:]) < 0.25
    peppered = np.where(lost, rng.integers(0, 2, lost.shape).astype(np.float32), image)
    noisy = np.clip(image + rng.normal(0, 100 / 255, image.shape), 0, 1).astype(np.float32)
    for pixels, full in ((peppered, True), (noisy, False), (image, False)):
        view = view_of(pixels)
        found = {**measure_impulses(view), **measure_levels(view), **measure_noise(view)}
        assert is_full_of_impulses(found) == full


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_eight_levels_were_rounded_or_dithered(name: str) -> None:
    photo = _photo(name).mean(axis=0)
    rounded = np.rint(photo * 7) / 7
    errors = np.zeros((photo.shape[0] + 1, photo.shape[1] + 2), np.float64)
    dithered = np.zeros_like(rounded)
    for row, column in np.ndindex(*photo.shape):  # Floyd and Steinberg, 1976
        wanted = photo[row, column] + errors[row, column + 1]
        dithered[row, column] = np.rint(np.clip(wanted, 0, 1) * 7) / 7
        error = (wanted - dithered[row, column]) / 16
        errors[row, column + 2] += 7 * error
        errors[row + 1, column : column + 3] += np.array([3, 5, 1]) * error
    for image, expected in ((rounded, True), (dithered, False)):
        assert is_rounded(measure_levels(view_of(np.stack([image] * 3).astype(np.float32)))) == expected
