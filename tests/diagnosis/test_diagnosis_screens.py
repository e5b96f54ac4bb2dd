"""Printed screens are found by two peaks at right angles, and nothing else is taken for one."""

import numpy as np
import pytest

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis.diagnosing import diagnose
from restorecli.diagnosis.measuring.screens import SCREEN, find_screen, strongest_screen
from restorecli.diagnosis.measuring.view import to_luma, view_of
from restorecli.folders.samples import read_sample
from restorecli.images.reading import read_image


def _photo(*, gray: bool):
    pixels = read_sample("chelsea").pixels[:, 40:232, 100:292]
    return np.asarray(to_luma(pixels)[None] if gray else pixels, np.float32)


def _damaged(pixels, *specs):
    worse = degrade_array(pixels, Chain.from_specs(list(specs)), 0, "screen")[0]
    return np.rint(np.clip(worse, 0, 1) * 255).astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("gray", [True, False])
@pytest.mark.parametrize(("period", "angle"), [(2.4, 75), (4.2, 45), (7.5, 15)])
def test_a_screen_is_found_with_its_period_under_jpeg(gray: bool, period: float, angle: float) -> None:
    spec = {"name": SCREEN, "period": period, "angle": angle}
    found = diagnose(_damaged(_photo(gray=gray), spec, {"name": "jpeg", "quality": 85}))
    assert [finding.damage for finding in found.findings] == [SCREEN]
    strengths = {one.name: one.value for one in found.findings[0].strengths}
    assert strengths["period"] == pytest.approx(period, rel=0.03)
    if gray:
        assert strengths["angle"] == pytest.approx(angle, abs=2)
    assert [step.model for step in found.steps] == ["descreen", "sca-unet.deblur"]


@pytest.mark.parametrize("name", ["moire", "dither", "gaussian", "rain", "quantize"])
def test_other_damage_is_no_screen(name: str) -> None:
    for gray in (True, False):
        worse = _damaged(_photo(gray=gray), {"name": name, "severity": 5})
        assert find_screen(view_of(worse)) is None


def test_one_wave_and_cloth_and_bricks_are_no_screens() -> None:
    rows, columns = np.mgrid[:192, :192].astype(np.float32)
    photo = 255 * _photo(gray=True)[0]
    wave = 60 * np.cos(2 * np.pi * (0.15 * columns + 0.11 * rows))
    assert strongest_screen(photo + wave).balance < 0.5
    cloth = 40 * np.cos(2 * np.pi * 0.25 * columns) + 40 * np.cos(2 * np.pi * 0.25 * rows)
    bricks = 60.0 * ((rows % 12 < 2) | ((columns + 12 * (rows // 12 % 2)) % 24 < 2))
    for texture in (cloth, bricks):
        assert find_screen(view_of((photo + texture)[None] / 255)) is None
    assert strongest_screen(np.full((64, 64), 9, np.float32)) is None


def test_a_lattice_behind_something_is_no_screen() -> None:
    """A print has dots wherever it has middle tones."""
    dots = _damaged(_photo(gray=True), {"name": SCREEN, "period": 6.0})
    assert find_screen(view_of(dots)) is not None
    dots[:, :, 110:] = 0.3 + 0.4 * _photo(gray=True)[:, :, 110:]
    assert strongest_screen(255 * dots[0]).share > 0.35
    assert find_screen(view_of(dots)) is None


@pytest.mark.data
def test_a_real_lattice_is_no_screen(data_folder) -> None:
    photo = read_image(data_folder / "bsds400" / "198023.jpg").pixels
    assert strongest_screen(255 * photo[0]).share > 0.35
    assert find_screen(view_of(photo)) is None
