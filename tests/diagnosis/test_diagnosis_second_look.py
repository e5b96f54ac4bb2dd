"""What a network takes away confirms faint scratches and rain, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import restorecli
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis import confirming
from restorecli.diagnosis.confirming import DOUBTFUL, confirm, doubts_among
from restorecli.diagnosis.diagnosing import diagnose
from restorecli.diagnosis.drops import measure_drops, rain_chance
from restorecli.diagnosis.marks import measure_marks, paint_chance
from restorecli.diagnosis.result import Diagnosis, Finding
from restorecli.folders.samples import read_sample

Pixels = NDArray[np.float32]


def _crop(name: str = "chelsea") -> Pixels:
    return np.ascontiguousarray(read_sample(name).pixels[:, 40:232, 100:292])


def _damaged(pixels: Pixels, damage: str, severity: int) -> Pixels:
    worse = degrade_array(pixels, Chain.from_specs([{"name": damage, "severity": severity}]), 0, "look")[0]
    return np.rint(np.clip(worse, 0, 1) * 255).astype(np.float32) / np.float32(255)


def _without_detail(pixels: Pixels) -> Pixels:
    """What a network that knows no better would make of it: thin things are gone."""
    return np.asarray(ndimage.median_filter(pixels, (1, 5, 5)), np.float32)


def test_a_painted_line_measures_what_was_painted() -> None:
    below = np.broadcast_to(np.array([120, 80, 40], np.float32)[:, None, None], (3, 64, 64))
    before = below.copy()
    before[:, 10:50, 30:33] += 0.8 * (247 - before[:, 10:50, 30:33])
    (mark,) = measure_marks(before, below)
    assert mark["length"] == pytest.approx(40)
    assert mark["width"] == pytest.approx(3)
    assert mark["bend"] == pytest.approx(np.sqrt(2 / 3), rel=1e-3)  # of -1, 0, 1 from the middle
    assert mark["opacity"] == pytest.approx(0.8, abs=1e-5)
    assert mark["opacity spread"] == pytest.approx(0, abs=1e-5)
    assert mark["color lost"] == pytest.approx(0.8 * 80, rel=1e-4)
    assert mark["plateau"] == pytest.approx(1, rel=1e-5)
    assert mark["disc"] == pytest.approx(120 / (np.pi / 4 * 1600))
    assert mark["inside"] == pytest.approx(38 / 120)
    luma = float(np.array([0.299, 0.587, 0.114]) @ below[:, 0, 0])
    assert mark["step"] == pytest.approx(0.8 * (247 - luma), rel=1e-4)
    assert measure_marks(below, before) == []  # nothing light was taken away


def test_light_that_was_added_is_measured() -> None:
    after = np.random.default_rng(0).uniform(40, 160, (3, 96, 96)).astype(np.float32)
    light = np.zeros((96, 96), np.float32)
    for top, left in np.ndindex(4, 8):  # streaks 16 px long that lean by 45 degrees
        for step in range(16):
            light[24 * top + step, (12 * left - step) % 96] = 0.4
    found = measure_drops(255 - (255 - after) * (1 - light), after)
    assert found["light share"] == pytest.approx((light > 0).mean(), abs=0.01)
    assert found["channels apart"] == pytest.approx(0, abs=1e-4)
    assert found["along 8"] > 0.5
    assert found["single 8"] > 0.4
    assert found["even"] > 0.3
    assert found["light up"] > 0.7


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_paint_and_rain_are_told_from_detail(name: str) -> None:
    clean = _crop(name)
    scratched, wet = _damaged(clean, "scratches", 3), _damaged(clean, "rain", 3)
    assert paint_chance(255 * scratched, 255 * clean) > 0.99
    assert rain_chance(255 * wet, 255 * clean) > 0.8
    smooth = _without_detail(clean)
    assert paint_chance(255 * clean, 255 * smooth) < 0.5
    assert rain_chance(255 * clean, 255 * smooth) < 0.5


def test_more_marks_of_a_larger_image_are_no_evidence() -> None:
    clean = _crop()
    before, after = 255 * _damaged(clean, "scratches", 1), 255 * clean
    twice = [np.pad(pixels, ((0, 0), (0, 192), (0, 192)), constant_values=60) for pixels in (before, after)]
    assert paint_chance(*twice) < paint_chance(before, after)


def test_doubts_come_in_the_order_of_their_chance() -> None:
    assert doubts_among({}) == ()
    assert doubts_among(DOUBTFUL) == ("rain", "scratches")
    assert doubts_among({"rain": 0.05, "scratches": 0.2, "jpeg": 0.3}) == ("scratches", "rain")
    assert doubts_among({"rain": 0.001, "scratches": 0.001}) == ()


def _doubting(damage: str, chance: float) -> Diagnosis:
    return Diagnosis((), (), (), 0.6, doubts=(Finding(damage, damage, chance),))


@pytest.mark.parametrize(
    ("damage", "model"), [("scratches", "sca-unet.scratches"), ("rain", "sca-unet.rain")]
)
def test_a_confirmed_doubt_is_a_finding_with_its_treatment(damage: str, model: str) -> None:
    clean = _crop()
    worse = _damaged(clean, damage, 3)
    asked = []

    def restored(name: str, pixels: Pixels) -> Pixels:
        asked.append((name, pixels.shape))
        return clean

    found = confirm(_doubting(damage, 0.3), worse, restored)
    assert asked == [(f"sca-unet.{damage}", clean.shape)]
    assert [finding.damage for finding in found.findings] == [damage]
    assert [step.model for step in found.steps] == [f"sca-unet.{damage}"]
    assert found.confidence == found.findings[0].confidence > 0.9
    assert found.limits
    assert not found.doubts


def test_a_doubt_that_is_not_confirmed_changes_nothing() -> None:
    clean = _crop()
    for damage in DOUBTFUL:
        diagnosis = _doubting(damage, 0.3)
        assert confirm(diagnosis, clean, lambda _, pixels: pixels) is diagnosis
    sure = replace(_doubting("rain", 0.3), doubts=())
    assert confirm(sure, clean, lambda *_: pytest.fail("nothing is in doubt")) is sure


def test_the_less_the_first_look_sees_the_more_the_second_must(monkeypatch) -> None:
    monkeypatch.setitem(confirming._LOOKS, "scratches", lambda *_: 0.97)
    clean = _crop()

    def is_confirmed(chance: float) -> bool:
        return not confirm(_doubting("scratches", chance), clean, lambda _, pixels: pixels).is_clean

    assert [is_confirmed(chance) for chance in (0.005, 0.05, 0.2, 0.7)] == [False, False, True, True]


def test_where_more_than_paint_was_taken_away_nothing_is_confirmed() -> None:
    clean = _crop()
    before = 255 * _damaged(clean, "scratches", 3)
    assert paint_chance(before, 255 * clean) > 0.99
    assert paint_chance(before, 255 * clean - 40) == 0


def test_only_color_images_without_findings_are_in_doubt() -> None:
    levels = np.rint(255 * _crop("coffee")).astype(np.uint8).transpose(1, 2, 0)
    faint = restorecli.degrade_image(levels, [{"name": "scratches", "severity": 1}])
    scratched = faint.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    assert [doubt.damage for doubt in diagnose(scratched).doubts] == ["scratches"]
    assert not diagnose(scratched.mean(axis=0, keepdims=True)).doubts
    found = diagnose(_damaged(_crop("coffee"), "scratches", 5))
    assert found.findings
    assert not found.doubts
