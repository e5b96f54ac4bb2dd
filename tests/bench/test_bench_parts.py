"""Differences between a network with and without a part: their intervals, and what they allow to say."""

import numpy as np
import pytest
from scipy import stats

from restorecli.bench.parts import Variant, difference, student_interval
from restorecli.bench.trials import TrialResult
from restorecli.errors import DivergedError


def result(psnr: float, images: dict[str, float] | None = None) -> TrialResult:
    scores = {"psnr": psnr, "ssim": 0.5}
    return TrialResult("x", 1, 0.1, "t", {"psnr": 20.0, "ssim": 0.4}, scores, images or {})


def variant(name: str, *psnr: float, images: int = 8) -> Variant:
    """Every image scores as the mean, a little more or less; the same for each variant."""
    around = np.linspace(-1, 1, images)
    made = {
        seed: result(value, {str(i): value + float(a) for i, a in enumerate(around)})
        for seed, value in enumerate(psnr)
    }
    return Variant(name, 1, made)


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.3, -0.1, 0.25], [5.0, 5.5, 4.0, 7.0]])
def test_the_interval_over_seeds_is_that_of_students_test(values) -> None:
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert student_interval(values) == pytest.approx((theirs.low, theirs.high))


def test_one_seed_has_no_interval() -> None:
    assert student_interval([1.0]) is None
    found = difference(variant("whole", 30.0), variant("part", 29.0))
    assert found.mean == pytest.approx(1.0)
    assert found.over_seeds is None
    assert found.verdict == "not told apart"


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        ((29.0, 29.1, 28.9), "the part helps"),
        ((31.0, 31.1, 30.9), "the part harms"),
        ((29.0, 31.0, 30.0), "not told apart"),
    ],
)
def test_the_verdict_follows_the_seeds(other, verdict) -> None:
    found = difference(variant("whole", 30.0, 30.1, 30.0), variant("part", *other))
    assert found.verdict == verdict
    assert found.mean == pytest.approx(np.mean([30.0, 30.1, 30.0]) - np.mean(other))


def test_seeds_that_agree_do_not_speak_for_images_that_do_not() -> None:
    """The part gains on one image and loses on the others: the seeds alone would not show it."""
    gains = {"a": 9.0, "b": -0.5, "c": -0.5, "d": -0.5, "e": -0.5}
    base = dict.fromkeys(gains, 30.0)
    better = {path: 30.0 + gain for path, gain in gains.items()}
    whole = Variant("whole", 1, {seed: result(31.4 + seed / 100, better) for seed in range(3)})
    part = Variant("part", 1, {seed: result(30.0, base) for seed in range(3)})
    found = difference(whole, part)
    assert found.over_seeds is not None
    assert found.over_seeds[0] > 0
    assert found.over_images is not None
    assert found.over_images[0] < 0
    assert found.verdict == "not told apart"


def test_only_seeds_that_both_have_are_compared() -> None:
    whole = variant("whole", 30.0, 31.0, 32.0)
    part = Variant("part", 1, {0: result(29.0), 1: DivergedError("gone"), 2: result(30.0)})
    assert difference(whole, part).by_seed == pytest.approx({0: 1.0, 2: 2.0})
    assert part.summary("psnr").n == 2
