"""What a network takes away confirms faint scratches and rain, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import restorecli
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis.deciding.decide import shipped_table
from restorecli.diagnosis.diagnosing import diagnose
from restorecli.diagnosis.measuring.view import to_luma
from restorecli.diagnosis.result import Diagnosis, Finding
from restorecli.diagnosis.second_look import confirming, marks
from restorecli.diagnosis.second_look.confirming import DOUBTFUL, confirm, doubts_among
from restorecli.diagnosis.second_look.drops import measure_drops, rain_chance
from restorecli.diagnosis.second_look.marks import find_marks, measure_marks, paint_chance, paint_chances
from restorecli.diagnosis.second_look.ripples import moire_chance, sameness
from restorecli.folders.samples import read_sample
from restorecli.restoration.auto import AutoRestorer
from restorecli.restoration.context import Context

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
    assert mark["thick"] == pytest.approx(3)
    assert mark["seam"] == pytest.approx(0, abs=1e-5)
    luma = float(np.array([0.299, 0.587, 0.114]) @ below[:, 0, 0])
    assert mark["step"] == pytest.approx(0.8 * (247 - luma), rel=1e-4)
    assert mark["power"] == pytest.approx(3 * 40 * np.square(0.8 * (247 - below[:, 0, 0])).mean(), rel=1e-4)
    assert mark["dark"] == 0
    (dark,) = measure_marks(255 - before, 255 - below)  # measured in the negative
    assert dark == pytest.approx({**mark, "dark": 1}, rel=1e-4, abs=1e-4)
    assert len(measure_marks(below, before)) == 1  # light that came back is a dark mark that was taken


@pytest.mark.parametrize(
    ("thickness", "left", "alone", "is_paint"),
    [(13, 0.0, 0.9, True), (13, 0.6, 0.9, False), (3, 0.6, 0.9, True), (13, 0.6, 0.9999, True)],
)
def test_a_thick_mark_that_stays_an_edge_must_be_nearly_sure(
    thickness, left, alone, is_paint, monkeypatch
) -> None:
    """Of a white brim a network takes the light, but not the brim; of thin scratches it may leave some."""
    below = np.broadcast_to(np.array([120, 80, 40], np.float32)[:, None, None], (3, 96, 128))
    before, after = below.copy(), below.copy()
    band = np.s_[:, 40 : 40 + thickness, 10:118]
    before[band] += 0.9 * (247 - before[band])
    after[band] += left * (before[band] - after[band])
    (mark,) = measure_marks(before, after)
    assert (mark["thick"], mark["seam"]) == (pytest.approx(thickness, abs=1), pytest.approx(left, abs=1e-5))
    monkeypatch.setattr(marks, "marks_table", lambda: SimpleNamespace(chances=lambda _: {"scratches": alone}))
    (chance,) = paint_chances([mark])
    assert chance > 0.5 if is_paint else chance == 0


def test_marks_have_numbers_where_they_are() -> None:
    below = np.full((1, 64, 64), 128, np.float32)
    before = below.copy()
    before[0, 5:9, 5:40] = 240  # a light mark, a dark one beside it, and one that is too small
    before[0, 9:12, 5:40] = 10
    before[0, 50, 50:53] = 240
    taken = find_marks(before, below)
    assert [mark["dark"] for mark in taken.found] == [0, 1]
    assert set(np.unique(taken.numbers)) == {0, 1, 2}
    assert (taken.numbers[5:9, 5:40] == 1).all()
    assert (taken.numbers[9:12, 5:40] == 2).all()
    assert np.count_nonzero(taken.numbers) == 7 * 35


def test_a_doubtful_mark_is_believed_among_sure_ones(monkeypatch) -> None:
    """The shares that come out solve the equation of Saerens et al.: they are their own prior."""
    table = SimpleNamespace(chances=lambda mark: {"scratches": mark["chance"]})
    monkeypatch.setattr(marks, "marks_table", lambda: table)

    def chances(*alone: float) -> NDArray[np.float64]:
        return paint_chances([{"chance": chance} for chance in alone])

    assert chances(0.4)[0] < 0.4 < chances(0.4, *[0.99] * 20)[0]
    assert chances(0.4, *[0.01] * 20)[0] < chances(0.4)[0]
    assert len(chances()) == 0
    alone = np.array([0.02, 0.3, 0.6, 0.97, 0.999])
    found = chances(*alone)
    common = (found.sum() + 0.5) / (len(found) + 5.5)  # half a mark that is paint and five that are none
    odds = alone / (1 - alone) * 3 * common / (1 - common)  # the table counts what is no paint three times
    assert found == pytest.approx(odds / (1 + odds), abs=1e-4)


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


def _wave(down: float, across: float, side: int = 192) -> NDArray[np.float32]:
    rows, columns = np.mgrid[:side, :side]
    return np.asarray(20 * np.cos(2 * np.pi * (down * rows + across * columns)), np.float32)


def test_a_wave_is_the_same_everywhere_and_noise_is_not() -> None:
    clean = np.full((3, 192, 192), 128, np.float32)
    colored = clean.copy()
    colored[1] += _wave(8 / 64, 5 / 64)  # a whole number of waves in each part: the window spreads them by 3
    assert sameness(colored, clean) == pytest.approx(1, abs=0.01)
    assert sameness(clean[:1] + _wave(0.11, -0.17), clean[:1]) > 0.9
    noisy = clean + np.random.default_rng(0).normal(0, 20, clean.shape).astype(np.float32)
    assert sameness(noisy, clean) < 0.03
    assert sameness(colored[:, :63], clean[:, :63]) == 0
    assert sameness(clean, clean) == 0


def test_waves_of_many_frequencies_are_texture() -> None:
    clean = np.full((1, 192, 192), 128, np.float32)
    whole, patchwork = clean + _wave(0.2, 0.1), clean.copy()
    for part in range(9):
        rows, columns = (slice(64 * place, 64 * place + 64) for place in divmod(part, 3))
        patchwork[:, rows, columns] += _wave(0.1 + 0.04 * part, 0.4 - 0.04 * part, 64)
    assert moire_chance(whole, clean) > 0.99
    assert sameness(patchwork, clean) < 0.5 * sameness(whole, clean)


def test_a_shift_of_light_is_no_moire() -> None:
    clean = np.full((1, 128, 128), 128, np.float32)
    slope = clean + np.linspace(0, 30, 128, dtype=np.float32)
    assert moire_chance(slope, clean) < 0.95


def test_faint_moire_is_confirmed_where_the_first_look_was_not_sure() -> None:
    gray = to_luma(_crop("coffee"))[None]
    faint = _damaged(gray, "moire", 1)
    assert diagnose(faint).is_clean
    restorer = AutoRestorer()
    restorer.steps(faint, Context())
    assert [finding.damage for finding in restorer.diagnoses[-1].findings] == ["moire"]
    assert all(diagnosis.is_clean for diagnosis in _diagnosed_again(gray))


def _diagnosed_again(image: Pixels) -> list[Diagnosis]:
    restorer = AutoRestorer()
    restorer.steps(image, Context())
    return restorer.diagnoses


def test_doubts_come_in_the_order_of_their_chance() -> None:
    assert doubts_among({}) == ()
    assert doubts_among(DOUBTFUL) == ("rain", "moire", "scratches")
    assert doubts_among({"rain": 0.05, "scratches": 0.2, "jpeg": 0.3}) == ("scratches", "rain")
    assert doubts_among({"rain": 0.001, "scratches": 0.001}) == ()


def _doubting(damage: str, chance: float) -> Diagnosis:
    return Diagnosis((), (), (), 0.6, doubts=(Finding(damage, damage, chance),))


@pytest.mark.parametrize("damage", ["scratches", "rain", "moire"])
def test_a_confirmed_doubt_is_a_finding_with_its_treatment(damage: str) -> None:
    clean = _crop()
    worse = _damaged(clean, damage, 3)
    asked = []

    def restored(name: str, pixels: Pixels) -> Pixels:
        asked.append((name, pixels.shape))
        return clean

    found = confirm(_doubting(damage, 0.3), worse, restored)
    assert asked == [(f"sca-unet.{damage}", clean.shape)]
    assert [finding.damage for finding in found.findings] == [damage]
    assert found.steps[-1].model == f"sca-unet.{damage}"
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


def test_scratches_must_be_nearly_sure(monkeypatch) -> None:
    clean = _crop()

    def is_confirmed(chance: float) -> bool:
        monkeypatch.setitem(confirming._LOOKS, "scratches", lambda *_: chance)
        return not confirm(_doubting("scratches", 0.01), clean, lambda _, pixels: pixels).is_clean

    assert [is_confirmed(chance) for chance in (0.5, 0.985, 0.995)] == [False, False, True]


def test_scratches_in_gray_must_be_surer(monkeypatch) -> None:
    monkeypatch.setitem(confirming._LOOKS, "scratches", lambda *_: 0.995)
    clean = _crop()
    assert confirming.confirms("scratches", clean, clean) == 0.995
    assert confirming.confirms("scratches", clean[:1], clean[:1]) is None


def test_gray_images_are_not_looked_at_again_for_rain() -> None:
    """What gray images do not have is no evidence of theirs: that once stopped the diagnosis."""
    chances = {"rain": 0.5, "scratches": 0.002}
    assert doubts_among(chances, is_gray=True) == ("scratches",)
    assert doubts_among(chances) == ("rain",)
    shown = shipped_table().evidence({"line light": 9.0}, "scratches")
    assert set(shown) <= {"line light"}


def test_images_without_findings_are_in_doubt() -> None:
    levels = np.rint(255 * _crop("coffee")).astype(np.uint8).transpose(1, 2, 0)
    faint = restorecli.degrade_image(levels, [{"name": "scratches", "severity": 1}])
    scratched = faint.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    assert [doubt.damage for doubt in diagnose(scratched).doubts] == ["scratches"]
    gray = np.asarray(to_luma(scratched)[None], np.float32)
    for image in (gray, np.repeat(gray, 3, axis=0)):
        assert diagnose(image).doubts[0].damage == "scratches"
    found = diagnose(_damaged(_crop("coffee"), "scratches", 5))
    assert found.findings
    assert not found.doubts
