"""Summaries against NumPy and the statistics module; infinite and undefined scores by the stated policy."""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restorecli.evaluation.statistics.summary import mean_gain, summarize

scores = st.lists(st.floats(-100, 100), min_size=1, max_size=30)


@given(scores)
@settings(deadline=None)
def test_finite_scores_agree_with_numpy(values):
    summary = summarize(values)
    assert summary.n == len(values)
    assert summary.mean == pytest.approx(np.mean(values), abs=1e-9)
    assert summary.median == pytest.approx(statistics.median(values), abs=1e-12)
    assert summary.minimum == min(values)
    if len(values) > 1:
        assert summary.std == pytest.approx(np.std(values, ddof=1), abs=1e-6)
    else:
        assert summary.std is None


@given(st.lists(st.one_of(st.none(), st.just(math.inf), st.floats(0, 60)), max_size=30), st.randoms())
@settings(deadline=None)
def test_the_order_does_not_change_a_digit(values, rng: random.Random):
    shuffled = list(values)
    rng.shuffle(shuffled)
    assert summarize(shuffled) == summarize(values)


def test_identical_images_are_counted_and_kept_out_of_the_mean():
    summary = summarize([30.0, math.inf, 20.0, None])
    assert (summary.n, summary.identical, summary.undefined) == (2, 1, 1)
    assert summary.mean == 25.0
    assert summary.median == 30.0
    assert summary.minimum == 20.0


def test_only_identical_images_have_an_infinite_mean():
    summary = summarize([math.inf, math.inf])
    assert (summary.n, summary.identical, summary.mean, summary.std) == (0, 2, math.inf, None)
    assert summary.median == math.inf


def test_no_scores_have_no_mean():
    summary = summarize([None])
    assert (summary.n, summary.mean, summary.median, summary.minimum) == (0, None, None, None)


def test_a_gain_is_over_the_images_where_both_are_finite():
    assert mean_gain([10.0, None, 20.0, 5.0], [13.0, 30.0, math.inf, 6.0]) == 2.0
    assert mean_gain([None], [3.0]) is None


def test_the_worst_score_follows_the_direction():
    assert summarize([1.0, 3.0, None]).worst == 1.0
    assert summarize([1.0, 3.0], higher_is_better=False).worst == 3.0
    assert summarize([1.0, 3.0], higher_is_better=None).worst is None
    assert summarize([1.0, 3.0]).interval is None
    assert summarize([1.0, 3.0], interval=True).interval == (1.0, 3.0)
