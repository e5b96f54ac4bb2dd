"""Axes: round numbers that hold every value, whatever the values are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restorecli.report.axis import axis_around

NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


@given(st.lists(NUMBERS, max_size=20), st.booleans())
def test_an_axis_holds_its_values_between_round_ends(values, with_zero):
    axis = axis_around(values, with_zero=with_zero)
    slack = 1e-5 * axis.step
    assert all(axis.low - slack <= value <= axis.high + slack for value in values)
    assert not with_zero or axis.low <= 0 <= axis.high
    assert 2 <= len(axis.ticks) <= 9
    assert axis.ticks[-1] == pytest.approx(axis.high)
    assert axis.place(axis.low) == 0
    assert axis.place(axis.high) == 100
    digits = axis.step / 10 ** math.floor(math.log10(axis.step) + 1e-9)
    assert any(digits == pytest.approx(round_step) for round_step in (1, 2, 2.5, 5, 10))


@given(st.lists(NUMBERS, min_size=2, max_size=20))
def test_the_labels_of_an_axis_differ_and_are_exact(values):
    axis = axis_around(values)
    labels = [axis.label(tick) for tick in axis.ticks]
    assert len(set(labels)) == len(labels)
    assert [float(label) for label in labels] == pytest.approx(list(axis.ticks), abs=1e-6 * axis.step)


@pytest.mark.parametrize(
    ("values", "with_zero", "labels"),
    [
        ((0.32, 0.84), True, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((20.5, 36.1), True, ["0", "10", "20", "30", "40"]),
        ((-0.6, 4.2), True, ["-1", "0", "1", "2", "3", "4", "5"]),
        ((), False, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_axes_of_usual_scores(values, with_zero, labels):
    axis = axis_around(values, with_zero=with_zero)
    assert [axis.label(tick) for tick in axis.ticks] == labels
