"""What a parameter allows is said in words that fit its kind."""

import pytest

from restorecli.degradation.parameters import ParameterFacts


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (ParameterFacts("a", str, "x", "", None, None, (), None, ""), "any text"),
        (ParameterFacts("a", str, "x", "", None, None, ("x", "y"), None, ""), "x, y"),
        (ParameterFacts("a", bool, True, "", None, None, (), None, ""), "true or false"),
        (ParameterFacts("a", int, 1, "px", 1, 9, (), None, ""), "a whole number from 1 up to 9 (px)"),
        (ParameterFacts("a", float, 1.0, "", 0, None, (), None, ""), "a number from 0"),
    ],
)
def test_the_allowed_values_in_words(facts, words) -> None:
    assert facts.allowed == words
