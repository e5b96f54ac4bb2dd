"""The words of `degrade` become the steps of a chain."""

from pathlib import Path

import pytest

from restorecli.api.degradation import DegradeOptions, chain_of
from restorecli.cli.support.chain_words import ChainWords
from restorecli.errors import RecipeError, UsageError


def chain(words: ChainWords):
    """Return the chain of the words of a command line."""
    words.check(replay=False, seed=None)
    return chain_of(DegradeOptions(noise=words.steps(), chain=words.file))


def test_noise_keeps_its_order_and_knows_aliases() -> None:
    assert ChainWords(noise=["blur", "gaussian"]).steps() == [{"name": "gaussian-blur"}, {"name": "gaussian"}]


def test_set_reaches_every_step_of_its_name_by_any_name() -> None:
    words = ChainWords(
        noise=["blur", "gaussian", "blur"], settings=["gaussian-blur.sigma=1.5", "gaussian.sigma=15,25"]
    )
    assert words.steps() == [
        {"name": "gaussian-blur", "sigma": "1.5"},
        {"name": "gaussian", "sigma": "15,25"},
        {"name": "gaussian-blur", "sigma": "1.5"},
    ]


def test_sigma_goes_to_the_one_step_that_waits_for_it() -> None:
    steps = ChainWords(noise=["poisson", "gaussian"], sigma="0..55").steps()
    assert steps == [{"name": "poisson"}, {"name": "gaussian", "sigma": "0..55"}]
    steps = ChainWords(noise=["blur", "gaussian"], settings=["blur.sigma=2"], sigma="25").steps()
    assert steps == [{"name": "gaussian-blur", "sigma": "2"}, {"name": "gaussian", "sigma": "25"}]


def test_sigma_for_two_steps_is_refused_with_the_words_that_say_which() -> None:
    with pytest.raises(UsageError) as caught:
        ChainWords(noise=["blur", "gaussian"], sigma="20").steps()
    assert "--set gaussian-blur.sigma=20 --set gaussian.sigma=20" in caught.value.hint


def test_parameters_behind_the_name_are_refused_with_the_words_that_say_them() -> None:
    with pytest.raises(UsageError, match="the name alone") as caught:
        ChainWords(noise=["blur:sigma=2,x=1"]).steps()
    assert caught.value.hint == "--noise gaussian-blur --set gaussian-blur.sigma=2 --set gaussian-blur.x=1"


def test_severity_and_random_hold_for_every_step() -> None:
    assert ChainWords(noise=["gaussian", "jpeg"], severity=4).steps()[1] == {"name": "jpeg", "severity": 4}
    assert ChainWords(noise=["gaussian", "jpeg"], random=True).steps()[1] == {"name": "jpeg", "random": True}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (ChainWords(), "--noise"),
        (ChainWords(noise=["gausian"]), "gaussian"),
        (ChainWords(noise=["gaussian"], settings=["sigma=3"]), "NAME.PARAM=VALUE"),
        (ChainWords(noise=["gaussian"], settings=["gaussian.sigma"]), "NAME.PARAM=VALUE"),
        (ChainWords(noise=["gaussian"], settings=["blur.sigma=3"]), "does not have"),
        (ChainWords(noise=["gaussian"], settings=["gaussian.sigmaa=3"]), "sigma"),
        (ChainWords(noise=["gaussian"], settings=["gaussian.sigma=loud"]), "number"),
        (ChainWords(noise=["gaussian"], settings=["gaussian.sigma=-1"]), "from 0"),
        (ChainWords(noise=["poisson"], sigma="3"), "sigma"),
        (ChainWords(noise=["gaussian"], settings=["gaussian.sigma=20"], sigma="30"), "twice"),
        (ChainWords(noise=["gaussian"], file=Path("chain.yaml")), "--noise"),
        (ChainWords(file=Path("chain.yaml"), random=True), "--random"),
    ],
)
def test_what_cannot_be_followed_is_refused(words, told) -> None:
    with pytest.raises(UsageError) as caught:
        chain(words)
    assert told in str(caught.value)


def test_a_yaml_chain_is_read(tmp_path) -> None:
    file = tmp_path / "chain.yaml"
    file.write_text("- blur\n- name: gaussian\n  sigma: 0..55\n")
    assert [sampler.degradation.name for sampler in chain(ChainWords(file=file)).samplers] == [
        "gaussian-blur",
        "gaussian",
    ]
    file.write_text("- gausian\n")
    with pytest.raises(RecipeError):
        chain(ChainWords(file=file))


@pytest.mark.parametrize("words", [ChainWords(noise=["gaussian"]), ChainWords(file=Path("c.yaml"))])
def test_a_replay_takes_no_other_words(words) -> None:
    with pytest.raises(UsageError, match="--replay"):
        words.check(replay=True, seed=None)
