"""The bootstrap interval against scipy's, against the normal interval, and its independence of order."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from restorecli.evaluation.statistics.intervals import RESAMPLES, bootstrap_interval, resampled_means

SAMPLES = [
    np.random.default_rng(1).normal(30, 2, 12),
    np.random.default_rng(2).gamma(1.5, 3, 40),
    -np.random.default_rng(3).lognormal(0, 1, 200),
    np.random.default_rng(4).random(1000),
]


@pytest.mark.parametrize("values", SAMPLES)
def test_the_ends_are_scipys_for_the_same_resamples(values):
    ordered = np.sort(values)
    drawn = SimpleNamespace(bootstrap_distribution=resampled_means(ordered))
    judge = stats.bootstrap((ordered,), np.mean, method="BCa", n_resamples=0, bootstrap_result=drawn)
    assert bootstrap_interval(values) == pytest.approx(tuple(judge.confidence_interval), abs=1e-9)


@pytest.mark.parametrize("values", SAMPLES)
def test_other_resamples_give_almost_the_same(values):
    judge = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=9999, rng=5)
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    assert bootstrap_interval(values) == pytest.approx(tuple(judge.confidence_interval), abs=0.2 * error)


def test_many_images_have_the_interval_of_the_normal_distribution():
    values = np.random.default_rng(6).normal(0, 1, 5000)
    error = values.std(ddof=1) / np.sqrt(len(values))
    low, high = bootstrap_interval(values)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_it_holds_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    held = [low <= 2 <= high for low, high in (bootstrap_interval(rng.gamma(2, 1, 40)) for _ in range(200))]
    assert 0.88 <= np.mean(held) <= 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.randoms())
@settings(deadline=None, max_examples=50)
def test_order_changes_no_digit_and_the_ends_are_among_the_values(values, rng: random.Random):
    shuffled = list(values)
    rng.shuffle(shuffled)
    low, high = bootstrap_interval(values)
    assert bootstrap_interval(shuffled) == (low, high)
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= low <= high <= max(values) + slack


def test_few_or_equal_images():
    assert bootstrap_interval([]) is None
    assert bootstrap_interval([3.0]) is None
    assert bootstrap_interval([0.1, 0.1, 0.1]) == (0.1, 0.1)


def test_every_resample_is_a_mean_of_values_of_the_sample():
    means = resampled_means(np.array([0.0, 1.0, 10.0]))
    sums = {a + b + c for a in (0, 1, 10) for b in (0, 1, 10) for c in (0, 1, 10)}
    assert len(means) == RESAMPLES
    assert set(np.round(means * 3).astype(int)) == sums
