"""From measurements to chances, findings and steps."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from restorecli.core.shipped import shipped
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.diagnosis.deciding.decide import (
    FAR,
    NONE,
    DecisionTable,
    read_table,
    shipped_table,
    write_table,
)
from restorecli.diagnosis.deciding.together import TOGETHER, together
from restorecli.diagnosis.faint.camera_noise import SPREAD_NOISE
from restorecli.diagnosis.measuring.measurements import measure
from restorecli.diagnosis.measuring.screens import SCREEN
from restorecli.diagnosis.remedies import LIMITS, REMEDIES, plan, remedy_for
from restorecli.diagnosis.result import Diagnosis, Finding, Step, Strength
from restorecli.diagnosis.strengths import NOISE, STRENGTHS, TITLES
from restorecli.folders.samples import read_sample
from restorecli.restoration.methods.catalog import METHODS, create_method


def _table() -> DecisionTable:
    return DecisionTable(
        measurements=("a", "b"),
        units=np.array([1.0, 0.1]),
        means=np.array([1.0, 0.0]),
        deviations=np.array([0.5, 2.0]),
        classes=(NONE, "jpeg"),
        offsets=np.array([0.5, -0.5]),
        slopes=np.array([[0.0, 1.0], [2.0, 0.0]]),
        bends=np.array([[0.0, 0.0], [0.0, 0.3]]),
    )


def test_chances_are_the_formula_of_the_class() -> None:
    z = (np.log1p(3.0) - 1) / 0.5, -np.log1p(5.0) / 2
    scores = np.array([0.5 + z[1], -0.5 + 2 * z[0] + 0.3 * (z[1] ** 2 - 1)])
    expected = np.exp(scores) / np.exp(scores).sum()
    chances = _table().chances({"a": 3.0, "b": -0.5})
    assert [chances[NONE], chances["jpeg"]] == pytest.approx(expected)


def test_what_was_not_measured_counts_as_usual() -> None:
    table = _table()
    assert table.chances({"a": np.e - 1}) == pytest.approx(table.chances({"a": np.e - 1, "b": 0.0}))


def test_measurements_far_out_are_cut() -> None:
    table = _table()
    assert table.chances({"a": 1e9, "b": 0}) == pytest.approx(table.chances({"a": 1e12, "b": 0}))


def test_a_damage_needs_what_its_examples_have() -> None:
    table = replace(_table(), needed={"jpeg": {"a": (2.0, FAR)}})
    assert not table.is_possible("jpeg", {"a": 1.9})
    assert table.is_possible("jpeg", {"a": 2.1})
    assert table.is_possible("jpeg", {})
    assert table.is_possible("haze", {"a": 0.0})


def test_evidence_names_what_spoke_for_a_damage() -> None:
    assert list(_table().evidence({"a": 9.0, "b": 0.0}, "jpeg")) == ["a"]
    assert _table().evidence({"a": 0.0, "b": 0.0}, "jpeg") == {}


def test_a_table_is_read_as_it_was_written(tmp_path) -> None:
    table = replace(_table(), needed={"jpeg": {"a": (2.0, FAR)}})
    write_table(table, tmp_path / "t.json", "a test")
    back = read_table(tmp_path / "t.json")
    assert back.measurements == ("a", "b")
    assert back.classes == (NONE, "jpeg")
    assert back.needed["jpeg"] == {"a": (2.0, FAR)}
    for name in ("units", "means", "deviations", "offsets", "slopes", "bends"):
        np.testing.assert_allclose(getattr(back, name), getattr(_table(), name))


def test_the_shipped_table_uses_what_is_measured_and_knows_every_damage() -> None:
    table = shipped_table()
    assert set(table.measurements) <= set(measure(read_sample("chelsea").pixels))
    # An image that was made smaller is a clean small one; spread noise has tables, a screen laws of its own.
    assert set(table.classes) == {NONE, *DEGRADATIONS} - {"downscale", SCREEN, *SPREAD_NOISE}


def test_every_damage_has_words_strengths_and_limits() -> None:
    damages = {*shipped_table().classes, SCREEN, *SPREAD_NOISE} - {NONE}
    assert set(STRENGTHS) == set(TITLES) == set(LIMITS) == damages


def test_every_pair_is_there_once_and_its_weights_ship() -> None:
    weights = {entry.name for entry in shipped()}
    pairs = [frozenset((pair.first, pair.then)) for pair in TOGETHER]
    assert len(set(pairs)) == len(pairs)
    for pair in TOGETHER:
        assert {pair.first, pair.then} <= set(LIMITS)
        assert together(pair.then, pair.first) is pair
        assert {pair.joint, pair.then_by} <= {"", *weights}
    assert together("poisson", "jpeg") is together("gaussian", "jpeg")
    assert together("moire", "jpeg") is None


def test_remedies_are_there() -> None:
    weights = {entry.name for entry in shipped()}
    for remedy in REMEDIES:
        assert remedy.damage in LIMITS
        for model in (remedy.first, remedy.model, remedy.gray, remedy.last):
            assert not model or model in weights or model in METHODS
        if remedy.model in METHODS:
            create_method(remedy.model, remedy.parameters)


def test_ranges_of_one_strength_do_not_overlap() -> None:
    for damage, by in {(remedy.damage, remedy.by) for remedy in REMEDIES}:
        ranges = sorted((r.least, r.most) for r in REMEDIES if (r.damage, r.by) == (damage, by))
        for (_, end), (start, _) in itertools.pairwise(ranges):
            assert end <= start


@pytest.mark.parametrize(
    ("cast", "darkest"),
    [(1.2, 30), (0.4, 120), (0.4, 90), (0.4, 30)],
)
def test_dust_is_undone_however_strong_it_is(cast: float, darkest: float) -> None:
    strengths = Strength("darkest level", darkest), Strength("cast", cast)
    remedy = remedy_for(_finding("sand-dust", *strengths))
    assert remedy is not None
    assert remedy.model == "swm.sand-dust"


@pytest.mark.parametrize(
    ("damage", "levels", "model"),
    [
        ("quantize", 3.0, "tv"),
        ("quantize", 8.0, "sca-unet.noise-jpeg"),
        ("quantize", 16.0, "sca-unet.gaussian"),
        ("dither", 6.0, "resnet.dither"),
        ("dither", 8.0, "sca-unet.gaussian"),
    ],
)
def test_how_many_levels_are_left_chooses_what_smooths_them(damage: str, levels: float, model: str) -> None:
    remedy = remedy_for(_finding(damage, Strength("levels", levels)))
    assert remedy is not None
    assert remedy.model == model


def test_few_photons_of_gray_images_get_weights_that_know_them() -> None:
    few, many = (_finding("poisson", Strength("photons at white", count)) for count in (3.0, 60.0))
    assert [step.model for step in plan((few,), is_gray=True)] == ["sca-unet.noise"]
    assert [step.model for step in plan((many,), is_gray=True)] == ["dncnn.gray-blind"]


def test_moire_loses_its_straight_waves_before_its_bent_ones() -> None:
    waves = _finding("moire", *STRENGTHS["moire"]({"wave luma": 20.0}))
    assert [step.model for step in plan((waves,))] == ["demoire", "sca-unet.moire"]


@pytest.mark.parametrize("damage", ["fade", "old-photo"])
def test_marks_go_before_tones_come_back_and_grain_after_it(damage: str) -> None:
    steps = ["sca-unet.scratches", "sca-unet.old-photo", "sca-unet.grain"]
    assert [step.model for step in plan((_finding(damage),))] == steps


@pytest.mark.parametrize(
    ("damage", "growth", "model", "gray"),
    [
        ("gaussian", 0.2, "sca-unet.gaussian", "dncnn.gray-blind"),
        ("gaussian", 0.8, "sca-unet.noise", "sca-unet.noise"),
        ("poisson", 0.4, "sca-unet.noise", "dncnn.gray-blind"),
        ("speckle", 0.2, "sca-unet.noise", "sca-unet.noise"),
    ],
)
def test_noise_that_grows_with_brightness_gets_weights_that_know_it(
    damage: str, growth: float, model: str, gray: str
) -> None:
    found = {"noise sigma": 20.0, "noise slope": growth, "mean": 110.0}
    finding = _finding(damage, *STRENGTHS[damage](found))
    assert [step.model for step in plan((finding,))] == [model]
    assert [step.model for step in plan((finding,), is_gray=True)] == [gray]


def _finding(damage: str, *strengths: Strength) -> Finding:
    return Finding(damage, TITLES[damage], 0.9, strengths)


def _blur(sigma: float, noise: float = 0.3, damage: str = "gaussian-blur") -> Finding:
    return _finding(damage, Strength("sigma", sigma, "px"), Strength(NOISE, noise))


def test_two_damages_are_undone_in_the_order_of_their_pair_and_nothing_twice() -> None:
    noise, jpeg = _finding("gaussian", Strength("sigma", 20.0, "0-255 scale")), _finding("jpeg")
    dark = _finding("low-light", Strength("median brightness", 20.0, "0-255 scale"))
    haze = _finding("haze", Strength("veil", 0.4, "share"))
    faint = _finding("gaussian", Strength("sigma", 3.0, "0-255 scale"))
    for findings, models in (
        ([jpeg, dark], ["sca-unet.low-light", "sca-unet.noise-jpeg"]),
        ([noise, dark], ["sca-unet.low-light", "sca-unet.gaussian"]),
        ([haze, noise], ["sca-unet.gaussian", "sca-unet.haze"]),
        ([noise, jpeg], ["sca-unet.noise-jpeg"]),
        ([noise, _blur(1.5)], ["sca-unet.noise-blur"]),
        ([noise, _blur(1.5, damage="defocus")], ["sca-unet.deblur"]),
        ([noise, _blur(3.0)], ["sca-unet.gaussian", "wiener-deconv"]),
        ([faint, _blur(1.5)], ["sca-unet.gaussian", "wiener-deconv"]),
        ([jpeg, _blur(3.0)], ["sca-unet.jpeg", "wiener-deconv", "sca-unet.gaussian"]),
    ):
        assert [step.model for step in plan(findings)] == models
        assert [step.model for step in plan(findings[::-1])] == models
    twice = plan([noise, _finding("poisson", Strength("peak", 9.0), Strength("sigma", 20.0))])
    assert len({step.model for step in twice}) == len(twice)


@pytest.mark.parametrize("damage", ["gaussian-blur", "defocus", "motion-blur"])
def test_noise_that_deconvolution_would_amplify_is_removed_before_or_after_it(damage: str) -> None:
    quiet, noisy = plan((_blur(2.0, 0.3, damage),)), plan((_blur(2.0, 6.0, damage),))
    assert [step.model for step in quiet] == ["wiener-deconv", "sca-unet.gaussian"]
    assert [step.model for step in noisy] == ["sca-unet.gaussian", "wiener-deconv"]
    gray = plan((_blur(2.0, 0.3, damage),), is_gray=True)
    assert [step.model for step in gray] == ["wiener-deconv", "dncnn.gray-blind"]
    assert noisy[1].sigma == 3.0


def test_a_diagnosis_in_words_and_as_json() -> None:
    jpeg = _finding("jpeg", Strength("quality", 20.2))
    found = Diagnosis((jpeg,), (Step("deblock"),), ("gone",), 0.93)
    assert str(found) == "JPEG, quality about 20.2 -> deblock"
    assert str(Diagnosis((), (), (), 0.99)) == "no damage found"
    assert found.to_dict()["steps"] == [{"model": "deblock"}]
    assert found.to_dict()["findings"][0]["strengths"] == [{"name": "quality", "value": 20.2, "unit": ""}]
    assert str(Strength("lost pixels", 0.1, "share")) == "lost pixels about 10 %"
    assert str(Strength("radius", 4.0, "px")) == "radius about 4 px"
