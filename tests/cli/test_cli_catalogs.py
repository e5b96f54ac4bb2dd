"""`models`, `degrade --list` and `recipes` fit a screen, show one, show all; names find their way."""

import shutil

import pytest
import torch
from safetensors.torch import save_file

import restorecli
from restorecli.cli.support.parameter_text import described, drawn
from restorecli.core.models.catalog import MODELS
from restorecli.core.shipped import find_shipped, shipped
from restorecli.degradation.catalog import ALIASES, DEGRADATIONS, find
from restorecli.degradation.parameters import parameters_of
from restorecli.errors import WeightsError
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.methods.catalog import METHODS
from restorecli.restoration.purposes import PURPOSES, WORDS, model_named
from restorecli.training.shelf import shipped_recipes


@pytest.mark.parametrize(("line", "rows"), [("models", 45), ("degrade --list", 45), ("recipes", 35)])
def test_a_list_fits_one_screen(shell, line, rows) -> None:
    answer = shell(f"restorecli {line}")
    lines = answer.out.rstrip().splitlines()
    assert len(lines) <= rows
    assert max(len(each.rstrip()) for each in lines) <= 120


def test_models_names_everything_and_what_ships_is_for(shell) -> None:
    shown = shell("restorecli models").out
    for name in (*METHODS, *MODELS):
        assert name in shown
    for weights in shipped():
        assert restorecli.load(weights.name).spec.name == weights.name
        assert (weights.name if MODELS[weights.model].default_tag != weights.tag else weights.model) in shown


def test_every_method_has_one_purpose() -> None:
    named = [method for purpose in PURPOSES for method in purpose.methods]
    assert sorted(named) == sorted(METHODS), (
        "give every method of METHODS one purpose, in PURPOSES of restorecli/restoration/purposes.py"
    )


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_people_is_a_model(word) -> None:
    assert choose_restorer(word).spec.name == WORDS[word]
    assert model_named(word.upper()) == WORDS[word]
    assert MODELS.resolve(word) is None
    assert METHODS.resolve(word) is None


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_of_a_degradation_is_shown_with_it(shell, alias) -> None:
    assert find(alias.upper()).name == ALIASES[alias]
    assert alias in shell(f"restorecli degrade --list {alias}").out


@pytest.mark.parametrize("name", ["SCA-UNet", "sca_unet", "Sca-Unet.Gaussian", "sca-unet.gaussian"])
def test_any_case_finds_weights(name) -> None:
    assert choose_restorer(name).spec.name == "sca-unet.gaussian"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("sca-unet.gausian", "sca-unet.gaussian"),
        ("scaunet", "sca-unet"),
        ("denoize", "denoise"),
        ("tvv", "tv"),
    ],
)
def test_a_slip_is_answered_with_the_nearest(shell, photos, name, near) -> None:
    answer = shell(f"restorecli restore photos --model {name}", code=None)
    assert answer.code in (2, 5)
    assert f"did you mean {near!r}?" in answer.err
    assert len(answer.err) < 400
    assert f"did you mean {near!r}?" in shell(f"restorecli models {name}", code=None).err


def test_a_word_restores_with_its_model(shell, photos) -> None:
    words = "--model Despeckle --set switching-median.size=5"
    document = shell(f"restorecli restore photos -o out {words} --dry-run --json").data
    assert document["model"] == "switching-median"
    shell(f"restorecli restore photos -o out {words}")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_shown_with_its_parameters_in_words(shell, name) -> None:
    shown = shell(f"restorecli models {name}").out
    for parameter in parameters_of(METHODS[name].load()).values():
        assert f"{name}.{parameter.name}" in shown
        assert "0-255 scale" not in shown
    assert shell(f"restorecli models {name} --json").data["name"] == name


@pytest.mark.parametrize("name", [weights.name for weights in shipped()])
def test_weights_are_shown_with_their_card(shell, name) -> None:
    shown = shell(f"restorecli models {name}").out
    document = shell(f"restorecli models {name} --json").data
    assert document["summary"] in shown
    assert document["data"] in shown
    assert "dB on" in shown
    assert set(document["scores"]) >= {"validation"}


def test_a_network_is_shown_with_its_weights_or_how_to_get_some(shell) -> None:
    shown = shell("restorecli models SCA-UNet").out
    assert "sca-unet.noise-blur" in shown
    assert "(the default)" in shown
    assert "restorecli train quick/restormer" in shell("restorecli models restormer").out
    assert "after after" not in " ".join(shell("restorecli models old-photo").out.split())


@pytest.mark.slow
def test_a_file_says_what_it_holds(shell) -> None:
    shutil.copy(find_shipped("swm").path, shell.folder / "mine.safetensors")
    assert "Sand-dust" in shell("restorecli models mine.safetensors").out
    save_file({"body.0.weight": torch.zeros(4, 3, 3, 3)}, shell.folder / "foreign.safetensors")
    torch.save({"params": {"head.weight": torch.zeros(8, 3, 3, 3)}}, shell.folder / "foreign.pth")
    for name, tensor, numbers in (("safetensors", "body.0.weight", "108"), ("pth", "head.weight", "216")):
        shown = shell(f"restorecli models foreign.{name}").out
        assert tensor in shown
        assert f"{numbers} numbers" in shown
        assert shell(f"restorecli models foreign.{name} --json").data["parameters"] == int(numbers)
    (shell.folder / "broken.pth").write_bytes(b"nothing")
    shell("restorecli models broken.pth", code=int(WeightsError.exit_code))


def test_a_file_of_another_project_says_whose_network_it_holds(shell) -> None:
    """IRCNN of KAIR: seven filters at every second place, 3 to 8 to 3 channels."""
    widths = [3, *[8] * 6, 3]
    tensors = {f"model.{2 * i}.weight": torch.zeros(widths[i + 1], widths[i], 3, 3) for i in range(7)}
    tensors |= {f"model.{2 * i}.bias": torch.zeros(widths[i + 1]) for i in range(7)}
    torch.save(tensors, shell.folder / "downloaded.pth")
    shown = shell("restorecli models downloaded.pth").out
    assert "IRCNN of KAIR" in shown
    assert "restorecli restore FOLDER --model downloaded.pth" in shown
    assert shell("restorecli models downloaded.pth --json").data["network"] == "ircnn"


def test_everything_is_still_there(shell) -> None:
    for line in ("models --all", "degrade --list all", "recipes --all"):
        assert len(shell(f"restorecli {line}").out.splitlines()) > 45
    listed = shell("restorecli recipes --all").out
    assert all(name in listed for name in shipped_recipes())
    names = {entry["name"] for entry in shell("restorecli models --json").data}
    assert names == {*MODELS, *METHODS}
    assert len(shell("restorecli degrade --list --json").data) == len(DEGRADATIONS)
    assert shell("restorecli degrade --list jpeg --json").data["name"] == "jpeg"
    assert "did you mean" in shell("restorecli degrade --list gausian", code=2).err


def test_parameters_are_described_in_words() -> None:
    told = {name: described(parameter) for name, parameter in parameters_of(find("gaussian")).items()}
    assert told == {"sigma": "0 to 510, 8-bit levels; default 25", "gray": "yes or no; default no"}
    levels = parameters_of(find("quantize"))["levels"]
    assert described(levels) == "whole numbers 2 to 65,536, levels; default 8"
    law = parameters_of(find("speckle"))["law"]
    assert described(law) == "gaussian or gamma; default gaussian"


@pytest.mark.parametrize(
    ("notation", "words"),
    [("0..55", "0 to 55"), ("log 1..60", "1 to 60, small values more often"), ("3,5,7", "3, 5, 7")],
)
def test_ranges_are_told_in_words(notation, words) -> None:
    assert drawn(notation) == words


def test_every_range_of_the_catalogs_can_be_told() -> None:
    for part in (*DEGRADATIONS.values(), *METHODS.values()):
        for parameter in parameters_of(part.load()).values():
            assert described(parameter)
            assert parameter.draw is None or drawn(parameter.draw)
