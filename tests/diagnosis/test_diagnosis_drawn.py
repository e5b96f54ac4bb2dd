"""Pages, screenshots, masks and cutouts: what is drawn is not taken for a damaged photograph."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from restorecli.degradation.families.holes import Holes
from restorecli.diagnosis.diagnosing import diagnose
from restorecli.diagnosis.measuring.holes import can_be_holes, find_holes, measure_holes
from restorecli.diagnosis.measuring.impulses import measure_impulses, shows_impulses
from restorecli.diagnosis.measuring.levels import is_drawn, is_mask, measure_levels
from restorecli.diagnosis.measuring.noise import measure_noise
from restorecli.diagnosis.measuring.tones import measure_tones
from restorecli.diagnosis.measuring.view import view_of
from restorecli.folders.samples import read_sample

Pixels = NDArray[np.float32]


def _photo() -> Pixels:
    return read_sample("chelsea").pixels[:, :256, :320]


def _pixels(image: Image.Image) -> Pixels:
    array = np.asarray(image, np.float32) / 255
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _page(ink: int = 0, paper: int = 255, size: int = 12) -> Image.Image:
    page = Image.new("L", (320, 240), paper)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    for row in range(12, 225, size + 5):
        pen.text((12, row), "Lorem ipsum dolor sit amet, consectetur adipiscing", ink, font)
    return page


def _screenshot() -> Image.Image:
    shot = Image.new("RGB", (320, 240), (245, 245, 248))
    shot.paste(_page(20, 245).convert("RGB").crop((0, 0, 300, 220)), (60, 30))
    pen = ImageDraw.Draw(shot)
    pen.rectangle((0, 0, 320, 24), fill=(50, 60, 90))
    pen.rectangle((0, 24, 60, 240), fill=(225, 228, 235))
    pen.text((8, 6), "File  Edit  View", "white", ImageFont.load_default(12))
    return shot


@pytest.mark.parametrize(("size", "mode"), [(9, "L"), (12, "RGB"), (16, "L")])
def test_a_page_of_black_letters_has_no_salt_and_pepper(size: int, mode: str) -> None:
    """Thin letters are black single pixels among white ones, and were wiped out as impulses."""
    assert diagnose(_pixels(_page(size=size).convert(mode))).is_clean


def test_a_screenshot_has_no_holes_where_its_background_is() -> None:
    image = _pixels(_screenshot())
    assert diagnose(image).is_clean
    found = measure_holes(image)
    assert found["hole share"] > 0.1
    assert not can_be_holes(found)


@pytest.mark.parametrize("kind", ["strokes", "text"])
def test_holes_in_photographs_are_still_holes_and_the_rest_is_not_flat(kind: str) -> None:
    image = Holes(kind=kind, share=0.3).apply(_photo(), np.random.default_rng(0))
    found = measure_holes(image)
    assert found["flat beside holes"] < 0.1
    assert can_be_holes(found)
    assert [finding.damage for finding in diagnose(image).findings] == ["holes"]


@pytest.mark.parametrize("sigma", [20, 40])
def test_noise_that_is_clipped_on_a_page_is_neither_holes_nor_impulses(sigma: int) -> None:
    page = np.asarray(_page(15, 240), np.float32)
    noisy = page + np.random.default_rng(0).normal(0, sigma, page.shape)
    image = (np.clip(noisy, 0, 255) / 255).astype(np.float32)[None]
    view = view_of(image)
    found = {**measure_holes(image), **measure_noise(view), **measure_impulses(view), **measure_levels(view)}
    assert not can_be_holes(found)
    assert not shows_impulses(found)
    damages = {finding.damage for finding in diagnose(image).findings}
    assert not damages & {"holes", "salt-pepper"}


def test_a_code_and_a_mask_are_left_alone() -> None:
    code = (np.random.default_rng(0).random((1, 24, 24)) < 0.5).astype(np.float32)
    assert diagnose(np.kron(code, np.ones((1, 10, 10), np.float32))).is_clean
    mask = np.zeros((1, 240, 320), np.float32)
    mask[:, 100:110, 40:200] = 1
    assert diagnose(mask).is_clean


def test_what_is_drawn_is_told_from_photographs() -> None:
    for image, drawn in ((_pixels(_page()), True), (_pixels(_screenshot()), True), (_photo(), False)):
        found = measure_levels(view_of(image))
        assert is_drawn(found) == drawn
        assert not is_mask(found)
    levels = np.array([[[1, 1, 2], [1, 3, 2], [1, 1, 1]]], np.float32) / 255
    assert measure_levels(view_of(levels))["neighbors flat"] == pytest.approx(1 / 4)


def test_a_backdrop_is_no_hole() -> None:
    """A cutout on white that reaches the lower border, and a turned scan with white corners."""
    photo = 0.1 + 0.8 * _photo()
    rows, columns = np.mgrid[:256, :320]
    person = np.hypot(rows - 110, columns - 160) < 80
    person |= (rows > 150) & (columns < 300)
    assert not find_holes(np.where(person, photo, 1).astype(np.float32))[0].any()
    turned = np.abs(rows - 128) + np.abs(columns - 160) < 230
    assert not find_holes(np.where(turned, photo, 1).astype(np.float32))[0].any()


def test_an_image_of_one_color_is_measured_without_warnings() -> None:
    image = np.ones((3, 64, 80), np.float32) * np.array([0.47, 0.55, 0.63], np.float32)[:, None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measure_tones(view_of(image))["vignette"] == 0
        assert diagnose(image).is_clean


def test_pixel_art_is_neither_jpeg_nor_too_dark() -> None:
    small = Image.fromarray((255 * read_sample("astronaut").pixels.transpose(1, 2, 0)).astype(np.uint8))
    few = small.resize((48, 48), Image.Resampling.BOX).quantize(16).convert("RGB")
    assert diagnose(_pixels(few.resize((192, 192), Image.Resampling.NEAREST))).is_clean
    assert diagnose(_pixels(few.resize((384, 384), Image.Resampling.NEAREST))).is_clean


def test_a_caption_on_a_photograph_stays() -> None:
    photo = Image.fromarray((255 * (0.1 + 0.8 * _photo())).astype(np.uint8).transpose(1, 2, 0))
    ImageDraw.Draw(photo).text((10, 10), "HELLO 2004", "white", ImageFont.load_default(44))
    found = measure_holes(_pixels(photo))
    assert found["hole jump"] > 30
    assert not can_be_holes(found)
    assert diagnose(_pixels(photo)).is_clean
