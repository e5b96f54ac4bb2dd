"""Scratches in noise, and what is found behind them once they are filled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis.behind_marks import look_behind_marks
from restorecli.diagnosis.deciding.naming import faded_in_gray
from restorecli.diagnosis.diagnosing import diagnose, print_chance
from restorecli.diagnosis.measuring.view import to_luma
from restorecli.diagnosis.remedies import plan
from restorecli.diagnosis.result import Diagnosis, Finding
from restorecli.diagnosis.strengths import STRENGTHS
from restorecli.folders.samples import read_sample

Pixels = NDArray[np.float32]

_NOISE = Finding("gaussian", "noise", 0.9, STRENGTHS["gaussian"]({"noise sigma": 9.0, "noise slope": 0.0}))
_MARKS = Finding("scratches", "scratches", 0.99)


def _gray(*names: str) -> Pixels:
    clean = to_luma(read_sample("chelsea").pixels[:, 40:232, 100:292])[None]
    if not names:
        return clean
    chain = Chain.from_specs([{"name": name, "severity": 3} for name in names])
    worse = degrade_array(clean, chain, 0, "print")[0]
    return np.rint(np.clip(worse, 0, 1) * 255).astype(np.float32) / np.float32(255)


def _found(*findings: Finding) -> Diagnosis:
    return Diagnosis(findings, plan(findings, is_gray=True), (), 0.9)


def _taken_away(_: Pixels, after: Pixels) -> Pixels:
    return after


def _names(found: Diagnosis) -> list[str]:
    return [finding.damage for finding in found.findings]


@pytest.fixture(scope="module")
def faded() -> Pixels:
    return _gray("fade")


@pytest.fixture(scope="module")
def scratched(faded: Pixels) -> Pixels:
    chain = Chain.from_specs([{"name": "scratches", "severity": 3}])
    return np.asarray(np.clip(degrade_array(faded, chain, 0, "print")[0], 0, 1), np.float32)


def test_a_print_is_found_behind_its_scratches(faded: Pixels, scratched: Pixels) -> None:
    asked = []

    def restored(name: str, pixels: Pixels) -> Pixels:
        asked.append(name)
        return faded if name == "sca-unet.scratches" else pixels

    found = look_behind_marks(_found(_NOISE), scratched, restored, _taken_away)
    assert asked == ["sca-unet.noise", "sca-unet.scratches"]
    assert _names(found) == ["scratches", "fade"]
    assert [step.model for step in found.steps] == [
        "sca-unet.scratches",
        "sca-unet.old-photo",
        "sca-unet.grain",
    ]
    assert found.limits
    asked.clear()
    assert _names(look_behind_marks(_found(_MARKS), scratched, restored, _taken_away)) == [
        "scratches",
        "fade",
    ]
    assert asked == ["sca-unet.scratches"]  # they were found: nothing hides them


def test_noise_without_marks_stays_noise(faded: Pixels) -> None:
    diagnosis = _found(_NOISE)
    assert look_behind_marks(diagnosis, faded, lambda _, pixels: pixels, _taken_away) is diagnosis


def test_scratches_alone_stay_alone() -> None:
    clean, worse = _gray(), _gray("scratches")
    found = look_behind_marks(_found(_MARKS), worse, lambda *_: clean, _taken_away)
    assert _names(found) == ["scratches"]


def test_nothing_else_is_looked_at_again(scratched: Pixels) -> None:
    blocks = Finding("jpeg", "JPEG", 0.9)
    measured = replace(_found(_NOISE), measured=True)
    for diagnosis in (_found(), _found(blocks), _found(blocks, _NOISE), measured):
        again = look_behind_marks(
            diagnosis, scratched, lambda *_: pytest.fail("it was restored"), _taken_away
        )
        assert again is diagnosis


def test_a_doubt_is_confirmed_where_noise_is_removed(faded: Pixels, scratched: Pixels) -> None:
    doubting = replace(_found(), doubts=(replace(_MARKS, confidence=0.1),))
    made = {"sca-unet.grain": scratched, "sca-unet.scratches": faded}
    found = look_behind_marks(doubting, scratched, lambda name, _: made[name], _taken_away)
    assert _names(found) == ["scratches", "fade"]


def test_fading_of_gray_prints_is_told_by_both_judges_together(faded: Pixels) -> None:
    likely, flat = {"fade": 0.7, "old-photo": 0.1}, {"whitest": 220.0, "dark end": 30.0}
    assert faded_in_gray(flat, likely, likely) == pytest.approx(0.64)
    assert faded_in_gray(flat, likely, {"fade": 0.6, "old-photo": 0.0}) is None
    for known in ({"whitest": 240.0}, {"dark end": 10.0}, {"noise shared": 0.9}):  # has white, black, colors
        assert faded_in_gray({**flat, **known}, likely, likely) is None
    assert _names(diagnose(faded)) == ["fade"]
    assert print_chance(faded) > 0.3
    assert print_chance(_gray()) < 0.01
