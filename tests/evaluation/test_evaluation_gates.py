"""Gates: what falls behind a baseline, by how much, and what does not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from restorecli.errors import ExitCode, UsageError
from restorecli.evaluation.pairing.pairs import Unmatched
from restorecli.evaluation.statistics.gates import baseline_gate, psnr_gate

BEFORE = {"a/0.png": [30.0, 0.9], "a/1.png": [32.0, 0.8], "b/0.png": [28.0, 0.7]}


@pytest.fixture
def before(made):
    return made(BEFORE)


def changed(made, **scores):
    return made({**BEFORE, **{f"{name[0]}/{name[1]}.png": value for name, value in scores.items()}})


def test_the_same_scores_pass(made, before):
    assert baseline_gate(made(BEFORE), before, 0) is None


@pytest.mark.parametrize(
    ("score", "fault"),
    [
        ([27.98, 0.7], "category b: PSNR 27.9800 instead of 28.0000"),
        ([28.0, 0.699], "category b: SSIM 0.699000 instead of 0.700000"),
        ([28.0, None], "category b: SSIM has no value any more for 1 image"),
    ],
)
def test_a_category_that_got_worse_fails_and_is_named(made, before, score, fault):
    error = baseline_gate(changed(made, b0=score), before)
    assert error.exit_code == ExitCode.GATE
    assert fault in error.got


def test_a_category_may_not_pay_for_another(made, before):
    error = baseline_gate(changed(made, a0=[40.0, 0.9], b0=[27.0, 0.7]), before)
    assert "overall" not in error.got
    assert "category b: PSNR" in error.got


@pytest.mark.parametrize(("loss", "tolerance", "passes"), [
    (0.009, None, True), (0.011, None, False), (0.011, 0.02, True), (0.001, 0.0, False),
])  # fmt: skip
def test_the_tolerance(made, before, loss, tolerance, passes):
    assert (baseline_gate(changed(made, b0=[28 - loss, 0.7]), before, tolerance) is None) == passes


def test_better_is_no_fault_also_where_less_is_better(made):
    low, high = (made({"a/0.png": [value]}, metrics=["mse"]) for value in (10.0, 12.0))
    assert baseline_gate(low, high) is None
    assert "MSE 12.0000 instead of 10.0000" in baseline_gate(high, low).got


def test_a_missing_or_newly_unmatched_image_fails(made, before):
    fewer = made({path: value for path, value in BEFORE.items() if path != "a/1.png"})
    assert "a/1.png is missing (no such image)" in baseline_gate(fewer, before).got
    unreadable = replace(fewer, unmatched=(Unmatched("restored", "a/1.png", "broken"),))
    assert baseline_gate(unreadable, before).got == "a/1.png is missing (broken)"
    extra = replace(made(BEFORE), unmatched=(Unmatched("reference", "c/9.png", "no image"),))
    assert "reference c/9.png has no score" in baseline_gate(extra, before).got
    assert baseline_gate(extra, extra) is None


def test_new_images_do_not_dilute_the_means(made, before):
    worse = made({**BEFORE, "b/0.png": [27.0, 0.7], "b/1.png": [60.0, 1.0]})
    assert "category b: PSNR 27.0000 instead of 28.0000" in baseline_gate(worse, before).got
    assert baseline_gate(made({**BEFORE, "c/0.png": [1.0, 0.0]}), before) is None


def test_identical_images(made):
    perfect, spoiled = (made({"a/0.png": [v, 1.0], "a/1.png": [30.0, 1.0]}) for v in (math.inf, 80.0))
    assert "PSNR is not inf any more for 1 image" in baseline_gate(spoiled, perfect).got
    assert baseline_gate(perfect, spoiled) is None


def test_what_cannot_be_compared_is_refused(made, before):
    with pytest.raises(UsageError, match="protocol"):
        baseline_gate(replace(before, protocol="another"), before)
    with pytest.raises(UsageError, match="metric"):
        baseline_gate(made({"a/0.png": [30.0]}, metrics=["psnr"]), before)


def test_the_least_psnr(made, before):
    assert psnr_gate(before, 30) is None
    assert "30.0000 dB over 3 images" in psnr_gate(before, 30.1).got
    with pytest.raises(UsageError, match="PSNR"):
        psnr_gate(made({"a/0.png": [0.5]}, metrics=["ssim"]), 30)
