"""How fine the search over one parameter is, and what it costs."""

import pytest

from restorecli.degradation.sampler import Range
from restorecli.tune.search import Descent


@pytest.mark.parametrize("target", range(97))
def test_seven_values_and_four_halvings_find_a_sixteenth_of_their_distance(target) -> None:
    """Seven values from 0 to 96 lie 16 apart: after four halvings whole numbers are found, and no others."""
    descent = Descent({"x": 0.0}, lambda values: -abs(values["x"] - target), lambda values: True)
    descent.line("x", Range(0, 96, whole=False, logarithmic=False))
    assert descent.values["x"] == target
    tried = descent.tried["x"]
    assert {0, 16, 32, 48, 64, 80, 96} <= tried.keys()
    assert all(value % 1 == 0 for value in tried)
    assert len(tried) <= 7 + 4 * 2
