"""The words of `degrade` become the steps of a chain."""

from pathlib import Path

import pytest

from restorecli.cli.chain_words import ChainWords
from restorecli.errors import RecipeError, UsageError


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


def test_sigma_goes_to_the_first_step_that_has_one() -> None:
    steps = ChainWords(noise=["poisson", "gaussian", "blur"], sigma="0..55").steps()
    assert steps == [{"name": "poisson"}, {"name": "gaussian", "sigma": "0..55"}, {"name": "gaussian-blur"}]


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
        words.chain()
    assert told in str(caught.value)


def test_a_yaml_chain_is_read(tmp_path) -> None:
    file = tmp_path / "chain.yaml"
    file.write_text("- blur\n- name: gaussian\n  sigma: 0..55\n")
    assert [sampler.degradation.name for sampler in ChainWords(file=file).chain().samplers] == [
        "gaussian-blur",
        "gaussian",
    ]
    file.write_text("- gausian\n")
    with pytest.raises(RecipeError):
        ChainWords(file=file).chain()


@pytest.mark.parametrize("words", [ChainWords(noise=["gaussian"]), ChainWords(file=Path("c.yaml"))])
def test_a_replay_takes_no_other_words(words) -> None:
    with pytest.raises(UsageError, match="--replay"):
        words.refuse_beside_replay({})
