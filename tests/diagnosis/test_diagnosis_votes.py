"""Two classifiers joined, and what counts as found by their chances."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from scipy import special

from restorecli.bench.diagnosis_network import CLASSES, DamageNetwork
from restorecli.bench.diagnosis_votes import Classified, fit_votes
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis import diagnose, diagnosing
from restorecli.diagnosis.deciding.decide import NONE, DecisionTable, shipped_table
from restorecli.diagnosis.deciding.naming import (
    damages_found,
    leading,
    limits,
    possible_damages,
    without_evidence,
)
from restorecli.diagnosis.deciding.network import WEIGHTS, network_chances, shipped_network
from restorecli.diagnosis.deciding.votes import Votes, shipped_votes, trust, write_votes
from restorecli.diagnosis.measuring.view import view_of
from restorecli.diagnosis.remedies import model_against
from restorecli.folders.samples import read_sample

VOTES = Votes(0.5, 2.0, {NONE: 0.3, "jpeg": -0.1, "haze": 0.0}, {"jpeg": 0.8})


def test_the_classifiers_are_multiplied_as_experts() -> None:
    one, other = {NONE: 0.2, "jpeg": 0.7, "haze": 0.1}, {NONE: 0.5, "jpeg": 0.2, "haze": 0.3}
    expected = {
        name: math.exp(offset) * one[name] ** 0.5 * other[name] ** 2 for name, offset in VOTES.offsets.items()
    }
    total = sum(expected.values())
    joined = VOTES.join(one, other)
    assert joined == pytest.approx({name: value / total for name, value in expected.items()})


def test_one_classifier_alone_cannot_rule_a_damage_out() -> None:
    joined = VOTES.join({NONE: 0.5, "jpeg": 0.5, "haze": 0.0}, {NONE: 0.0, "jpeg": 0.0, "haze": 1.0})
    assert joined["haze"] > 0.9


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_joined_chances_add_up_to_one(values: list[float]) -> None:
    names = (NONE, "jpeg", "haze")
    joined = VOTES.join(dict(zip(names, values[:3], strict=True)), dict(zip(names, values[3:], strict=True)))
    assert sum(joined.values()) == pytest.approx(1)
    assert min(joined.values()) >= 0


def test_both_classifiers_and_the_votes_know_the_same_damages(tmp_path) -> None:
    votes = shipped_votes()
    classes = set(shipped_table().classes)
    assert set(shipped_network().classes) == set(votes.offsets) == classes
    assert set(votes.sure) == classes
    assert all(0.5 <= sure <= 0.95 for sure in votes.sure.values())
    write_votes(votes, tmp_path / "votes.json", "a test")
    assert '"about": "a test"' in (tmp_path / "votes.json").read_text("utf-8")


def test_fitted_votes_follow_the_classifier_that_knows() -> None:
    """A classifier whose chances are true is taken as it is, one that guesses is left out."""
    rng = np.random.default_rng(0)
    names = (NONE, "jpeg", "haze")
    labels = [names[index] for index in rng.integers(0, 3, 2000)]
    named = [label if rng.random() < 0.7 else names[rng.integers(3)] for label in labels]
    knows = [{name: 0.8 if name == one else 0.1 for name in names} for one in named]
    guesses = [dict(zip(names, rng.dirichlet((5, 5, 5)), strict=True)) for _ in labels]
    possible = [frozenset(names[1:])] * len(labels)
    classified = Classified([(label,) for label in labels], guesses, knows, possible)
    votes = fit_votes(classified)
    assert votes.network == pytest.approx(1, abs=0.15)
    assert votes.measurements < 0.3
    swapped = fit_votes(replace(classified, measured=knows, seen=guesses))
    assert swapped.measurements == pytest.approx(votes.network, rel=1e-2)


def test_sure_is_what_images_without_damage_do_not_reach() -> None:
    sad = {NONE: 0.3, "jpeg": 0.6, "haze": 0.1}
    clean = {NONE: 0.8, "jpeg": 0.1, "haze": 0.1}
    classified = Classified(
        [(NONE,)] * 100 + [("jpeg",)] * 50 + [("haze",)] * 50,
        [clean] * 99 + [sad] + [{NONE: 0.1, "jpeg": 0.8, "haze": 0.1}] * 50
        + [{NONE: 0.1, "jpeg": 0.1, "haze": 0.8}] * 50,
        [{NONE: 1 / 3, "jpeg": 1 / 3, "haze": 1 / 3}] * 200,
        [frozenset(("jpeg", "haze"))] * 200,
    )  # fmt: skip
    votes = fit_votes(classified)
    reached = votes.join(sad, classified.seen[0])["jpeg"]
    assert votes.sure["jpeg"] == pytest.approx(min(max(reached + 0.01, 0.55), 0.95), abs=1e-3)
    assert votes.sure["haze"] == 0.55


@pytest.mark.parametrize(
    ("chances", "named"),
    [
        ({"jpeg": 0.75, "low-light": 0.20}, ("jpeg",)),
        ({"jpeg": 0.55, "low-light": 0.38}, ("jpeg",)),
        ({"jpeg": 0.55, "low-light": 0.40}, ("jpeg", "low-light")),
        ({"low-light": 0.65, "jpeg": 0.20}, ("low-light", "jpeg")),
        ({"jpeg": 0.90, "low-light": 0.06}, ("jpeg",)),
        ({"gaussian": 0.45, "speckle": 0.40}, ("gaussian",)),
        ({}, ()),
    ],
)
def test_one_or_two_damages_count_as_found(chances: dict[str, float], named: tuple[str, ...]) -> None:
    chances = chances | {NONE: 1 - sum(chances.values())}
    sure = dict.fromkeys(("jpeg", "low-light", "gaussian"), 0.8)
    assert damages_found(chances, set(chances) - {NONE}, sure) == named


def test_what_hardly_shows_does_not_bring_in_what_is_not_possible() -> None:
    """Small photographs look blurred, which nothing else in them speaks for, and a little like JPEG."""
    chances = {NONE: 0.04, "jpeg": 0.04, "motion-blur": 0.92}
    assert damages_found(chances, {"jpeg"}, {"jpeg": 0.55}) == ()
    assert damages_found(chances | {"jpeg": 0.3, "motion-blur": 0.66}, {"jpeg"}, {"jpeg": 0.55}) == (
        "jpeg",
        "motion-blur",
    )


@pytest.mark.parametrize(("side", "variance"), [(48, 7.5), (64, 5.0), (96, 2.5), (192, 0.0), (800, 0.0)])
def test_few_pixels_are_trusted_less_as_the_mean_over_stray_log_odds_is(side: int, variance: float) -> None:
    """MacKay's formula against the integral itself, to 0.02 of chance."""
    strays = np.linspace(-8, 8, 4001)
    weights = np.exp(-np.square(strays) / 2) / np.exp(-np.square(strays) / 2).sum()
    for score in (0.5, 2.0, 5.0):
        integral = float(weights @ special.expit(score + strays * np.sqrt(variance)))
        joined = Votes(1, 0, {NONE: 0.0, "jpeg": 0.0}, {}).join(
            {NONE: 1 / (1 + math.exp(score)), "jpeg": 1 / (1 + math.exp(-score))},
            {NONE: 0.5, "jpeg": 0.5},
            trust(side * side),
        )
        assert joined["jpeg"] == pytest.approx(integral, abs=0.02)


def test_what_was_ruled_out_leaves_its_chance_to_damaged_tones() -> None:
    """Noise was ruled out, and with it a fifth of the chance."""
    sure = {"sand-dust": 0.9, "jpeg": 0.9}
    assert damages_found({NONE: 0.01, "sand-dust": 0.79}, {"sand-dust"}, sure) == ("sand-dust",)
    assert damages_found({NONE: 0.01, "sand-dust": 0.45, "rain": 0.1}, {"sand-dust"}, sure) == ()
    assert damages_found({NONE: 0.21, "sand-dust": 0.79}, {"sand-dust"}, sure) == ()
    assert damages_found({NONE: 0.01, "jpeg": 0.79}, {"jpeg"}, sure) == ()


def test_dust_must_be_the_surer_the_smaller_the_image() -> None:
    found, seen, sure = {"paint lines": 0.0}, {"rain": 0.0}, {"sand-dust": 0.75}
    asked = [limits(found, seen, sure, side * side)["sand-dust"] for side in (500, 256, 128)]
    assert asked[0] == asked[1] == pytest.approx(0.75)
    assert asked[2] / (1 - asked[2]) == pytest.approx(3 * 4**2.5)


def test_rain_that_the_network_plainly_sees_need_not_be_as_sure() -> None:
    asked = [
        limits({"paint lines": 0.0}, {"rain": seen}, {"rain": 0.92}, 192 * 192)["rain"]
        for seen in (0.7, 0.95)
    ]
    assert asked == [0.92, 0.8]


def test_photographs_whose_channels_share_all_detail_are_not_dusty() -> None:
    measured = dict.fromkeys(("gaussian-blur", "defocus", "motion-blur"), 0.1)
    for shared, lacking in ((0.99, True), (0.9, False)):
        found = {"noise shared": shared, "hole jump": 20.0}
        assert ("sand-dust" in without_evidence(found, measured)) == lacking


def test_what_alone_is_left_need_not_have_the_most_chance() -> None:
    sure = {"fade": 0.55}
    assert damages_found({NONE: 0.01, "fade": 0.45}, {"fade"}, sure) == ("fade",)
    assert damages_found({NONE: 0.01, "fade": 0.45, "gaussian": 0.12}, {"fade"}, sure) == ()


def test_what_is_not_possible_does_not_lead() -> None:
    chances = {NONE: 0.1, "haze": 0.5, "jpeg": 0.4}
    assert leading(chances, {"jpeg"}) == ("jpeg", 0.4)
    assert leading(chances, set()) is None


def test_what_the_network_plainly_sees_is_possible_but_for_veils() -> None:
    seen = {NONE: 0.05, "rain": 0.9, "haze": 0.9, "fade": 0.7}
    assert possible_damages({"jpeg"}, {"haze": 0.1}, seen) == {"jpeg", "rain"}


def test_a_veil_that_both_classifiers_plainly_see_is_possible() -> None:
    """Real dust leaves what is near the camera black: the bound of the dark end does not hold there."""
    seen, measured = {"sand-dust": 0.98, "haze": 0.0}, {"sand-dust": 0.97, "haze": 0.0}
    assert possible_damages((), measured, seen) == {"sand-dust"}
    assert possible_damages((), measured | {"sand-dust": 0.7}, seen) == frozenset()


def test_the_network_sees_an_image_as_a_whole() -> None:
    pixels = read_sample("chelsea").pixels
    gray = pixels.mean(axis=0, keepdims=True)
    for image in (pixels, gray, pixels[:, :48, :40]):
        chances = network_chances(view_of(image))
        assert sum(chances.values()) == pytest.approx(1)
    assert network_chances(view_of(gray)) == network_chances(view_of(np.repeat(gray, 3, axis=0)))


@pytest.mark.parametrize("damage", ["scratches", "rain", "jpeg", "salt-pepper", "fade", "old-photo"])
def test_the_network_sees_what_is_plain_to_the_eye(damage: str) -> None:
    chain = Chain.from_specs([{"name": damage, "severity": 4}])
    seen = []
    for name in ("chelsea", "coffee", "astronaut"):
        pixels = read_sample(name).pixels[:, :288, :288]
        worse, _ = degrade_array(pixels, chain, 0, name)
        rounded = np.rint(np.clip(worse, 0, 1) * 255).astype(np.float32) / np.float32(255)
        seen.append(network_chances(view_of(rounded))[damage] - network_chances(view_of(pixels))[damage])
    assert min(seen) > 0.2


@pytest.fixture
def hazy(monkeypatch):
    """A photograph that both classifiers half take for hazy."""
    half = dict.fromkeys(shipped_votes().offsets, 0.002) | {NONE: 0.5, "haze": 0.5}
    monkeypatch.setattr(diagnosing, "network_chances", lambda view: half)
    monkeypatch.setattr(
        DecisionTable, "chances", lambda table, found: half | {"camera-noise": 0.0, "film-grain": 0.0}
    )
    monkeypatch.setattr(DecisionTable, "possible", lambda table, found: frozenset({"haze"}))
    return read_sample("chelsea").pixels


def test_a_damage_that_is_not_sure_is_named_as_a_suspicion(hazy) -> None:
    found = diagnose(hazy)
    assert found.is_clean
    assert found.steps == ()
    assert found.suspicion is not None
    assert 0.25 < found.suspicion.chance < shipped_votes().sure["haze"]
    assert str(found) == "no damage found"
    assert found.to_dict()["suspicion"] == {
        "damage": "haze", "chance": round(found.suspicion.chance, 3), "model": "sca-unet.haze",
    }  # fmt: skip
    assert str(found.suspicion).endswith("; --model sca-unet.haze would treat it)")


def test_what_must_be_told_more_is_not_advised_alone() -> None:
    assert model_against("defocus") in ("", "sca-unet.deblur")
    assert model_against("holes") == ""
    assert model_against("jpeg") == "sca-unet.jpeg"


def test_damaged_tones_need_the_measurements_too(monkeypatch) -> None:
    sure = dict.fromkeys(shipped_votes().offsets, 0.0001) | {"sand-dust": 0.99}
    monkeypatch.setattr(diagnosing, "network_chances", lambda view: sure)
    assert diagnose(read_sample("chelsea").pixels).is_clean


@pytest.mark.parametrize("side", [33, 48, 192, 301])
def test_the_network_says_what_it_says_in_torch(side: int) -> None:
    """NumPy computes what was trained in torch: the same chances to 1e-5."""
    trained = DamageNetwork(len(CLASSES))
    trained.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    trained.eval()
    for name in ("chelsea", "coffee"):
        photo = read_sample(name).pixels[:, :side, 32 : 32 + side]
        noisy = np.clip(photo + np.random.default_rng(0).normal(0, 0.1, photo.shape), 0, 1)
        for image in (photo, noisy.astype(np.float32)):
            with torch.inference_mode():
                expected = trained(torch.from_numpy(np.ascontiguousarray(image))[None])[0].softmax(0)
            seen = network_chances(view_of(image))
            assert tuple(seen) == CLASSES
            np.testing.assert_allclose(list(seen.values()), expected, atol=1e-5)
