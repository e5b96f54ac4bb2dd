"""The notation of random parameters, and what is drawn from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restorecli.degradation.base import parameters_of
from restorecli.degradation.families.noise import Gaussian
from restorecli.degradation.sampler import Choice, DegradationSampler, Range, read_spec
from restorecli.errors import UsageError

SIGMA = parameters_of(Gaussian)["sigma"]


def draws(count=400, **arguments):
    rng = np.random.default_rng(0)
    sampler = DegradationSampler(**arguments)
    return [sampler.draw(rng) for _ in range(count)]


@pytest.mark.parametrize(
    ("spec", "meaning"),
    [
        (25, Choice((25.0,))),
        ("25", Choice((25.0,))),
        ("2e-1", Choice((0.2,))),
        ([15, "25", 50], Choice((15.0, 25.0, 50.0))),
        ("15,25, 50", Choice((15.0, 25.0, 50.0))),
        ("0..55", Range(0, 55, whole=False, logarithmic=False)),
        (" 0.5 .. 5e1 ", Range(0.5, 50, whole=False, logarithmic=False)),
        ("log 0.1..10", Range(0.1, 10, whole=False, logarithmic=True)),
        (np.float32(3), Choice((3.0,))),
    ],
)
def test_the_notation(spec, meaning) -> None:
    assert read_spec(SIGMA, spec, "gaussian") == meaning


@pytest.mark.parametrize(
    "spec",
    ["loud", "", "5..1", "-3..4", "0..511", "log 0..5", [], [1, "x"], None, True, "1..2..3", {}, "nan"],
)
def test_what_says_nothing_known_is_refused(spec) -> None:
    with pytest.raises(UsageError, match=r"gaussian\.sigma"):
        read_spec(SIGMA, spec, "gaussian")


@pytest.mark.parametrize("spec", ["5..", "..5", "5..x", "5..1", "1..2..3"])
def test_a_bad_range_says_how_ranges_are_written(spec) -> None:
    with pytest.raises(UsageError, match="range") as raised:
        read_spec(SIGMA, spec, "gaussian")
    assert "LOW..HIGH" in str(raised.value)


def test_a_range_is_uniform_over_all_of_it() -> None:
    values = [step.sigma for step in draws(name="gaussian", specs={"sigma": "0..55"})]
    assert 0 <= min(values) < 2
    assert 53 < max(values) <= 55
    assert np.mean(values) == pytest.approx(27.5, abs=2.5)


def test_a_logarithmic_range_gives_each_power_its_share() -> None:
    values = np.array([step.sigma for step in draws(name="gaussian", specs={"sigma": "log 0.1..10"})])
    assert (values < 1).mean() == pytest.approx(0.5, abs=0.08)
    assert values.min() >= 0.1
    assert values.max() <= 10


def test_whole_numbers_stay_whole_and_both_ends_are_drawn() -> None:
    values = {step.levels for step in draws(name="quantize", specs={"levels": "2..5"})}
    assert values == {2, 3, 4, 5}
    values = {step.levels for step in draws(name="quantize", specs={"levels": "log 2..6"})}
    assert values <= {2, 3, 4, 5, 6}
    assert all(type(value) is int for value in values)


def test_words_and_switches_can_be_drawn() -> None:
    steps = draws(name="dither", specs={"kernel": "any", "serpentine": "any", "palette": "none, ega"})
    assert len({step.kernel for step in steps}) == 8
    assert {step.serpentine for step in steps} == {True, False}
    assert {step.palette for step in steps} == {"none", "ega"}


def test_probability_leaves_steps_out() -> None:
    steps = draws(name="gaussian", probability=0.3)
    assert sum(step is not None for step in steps) == pytest.approx(120, abs=30)
    assert draws(3, name="gaussian", probability=0) == [None] * 3


def test_severity_sets_what_is_left_open_and_can_be_drawn() -> None:
    (step,) = draws(1, name="salt-pepper", severity=4, specs={"salt": 1})
    assert (step.amount, step.salt) == (0.17, 1)
    amounts = {step.amount for step in draws(name="salt-pepper", severity="2..4")}
    assert amounts == {0.06, 0.09, 0.17}
    angles = [step.angle for step in draws(name="motion-blur", severity=1)]
    assert -45 <= min(angles) < -35 < 35 < max(angles) <= 45


def test_random_draws_what_is_left_open() -> None:
    steps = draws(name="jpeg", random=True, specs={"subsampling": "4:4:4"})
    assert {step.subsampling for step in steps} == {"4:4:4"}
    assert 30 <= min(step.quality for step in steps) < max(step.quality for step in steps) <= 95


def test_the_order_of_writing_changes_no_draw() -> None:
    one = draws(5, name="sand-dust", specs={"beta": "0..1", "grain": "2..9", "tone": "0..1"})
    two = draws(5, name="sand-dust", specs={"tone": "0..1", "grain": "2..9", "beta": "0..1"})
    assert one == two


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "gausian"},
        {"name": "gaussian", "probability": 1.5},
        {"name": "gaussian", "probability": "often"},
        {"name": "gaussian", "probability": True},
        {"name": "gaussian", "severity": 6},
        {"name": "gaussian", "severity": 2.5},
        {"name": "gaussian", "severity": 2, "random": True},
        {"name": "gaussian", "random": "yes"},
        {"name": "gaussian", "specs": {"sigm": 3}},
    ],
)
def test_wrong_samplers_are_refused(wrong) -> None:
    with pytest.raises(UsageError):
        DegradationSampler(**wrong)


@given(low=st.floats(0, 510), span=st.floats(0, 100), seed=st.integers(0, 2**32))
def test_draws_lie_within_their_ends(low, span, seed) -> None:
    high = min(low + span, 510.0)
    spec = read_spec(SIGMA, f"{low!r}..{high!r}", "gaussian")
    assert low <= spec.draw(np.random.default_rng(seed)) <= high
