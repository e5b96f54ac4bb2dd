"""What a parameter allows is said in words that fit its kind."""

import pytest

from restorecli.degradation.parameters import ParameterInfo


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (ParameterInfo("a", str, "x", "", None, None, (), None, ""), "any text"),
        (ParameterInfo("a", str, "x", "", None, None, ("x", "y"), None, ""), "x, y"),
        (ParameterInfo("a", bool, True, "", None, None, (), None, ""), "true or false"),
        (ParameterInfo("a", int, 1, "px", 1, 9, (), None, ""), "a whole number from 1 up to 9 (px)"),
        (ParameterInfo("a", float, 1.0, "", 0, None, (), None, ""), "a number from 0"),
    ],
)
def test_the_allowed_values_in_words(info, words) -> None:
    assert info.allowed == words
