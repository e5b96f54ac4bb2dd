"""Recipes are checked whole: every fault at once, with its place and the nearest right name."""

import time

import pytest
import yaml

from restorecli.errors import RecipeError
from restorecli.train.check import load_recipe
from restorecli.train.shelf import find_recipe, shipped_recipes
from restorecli.train.yaml_text import read_yaml


def test_all_faults_are_reported_at_once_with_their_places(workshop):
    path = workshop / "wrong.yaml"
    path.write_text(
        "name: wrong\n"
        "model:\n  name: sca-umet\n"
        "data:\n  train:\n    - claen: images\n  crop: big\n  degrade:\n    - name: gausian\n"
        "loss: {charbonnier: 1}\n"
        "optimiser: {lr: 2e-4}\n"
        "budget: {steps: 10}\n",
        encoding="utf-8",
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    text = str(caught.value)
    for place, words in (
        ("wrong.yaml:3:3", "sca-unet"),
        ("wrong.yaml:6:7", "did you mean 'clean'"),
        ("wrong.yaml:7:3", "integer"),
        ("wrong.yaml:9:7", "gaussian"),
        ("wrong.yaml:11:1", "did you mean 'optimizer'"),
    ):
        line = next((line for line in text.splitlines() if place in line and words in line), None)
        assert line is not None, (place, words, text)


def test_unknown_loss_missing_folder_and_missing_chain_are_faults(write_recipe):
    path = write_recipe(
        loss={"charbonier": 1, "edge": {"weight": 0.1, "epsilon": 1}},
        data={"train": [{"clean": "nowhere"}], "crop": 16, "batch": 2},
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    text = str(caught.value)
    assert "charbonnier" in text
    assert "epsilon" in text
    assert "no such folder" in text
    assert "chain of degradations" in text


@pytest.mark.parametrize("text", ["2e-4", "2E-4", "2.0e-4", ".0002", "2.e-4", "+2e-4"])
def test_numbers_are_numbers_as_in_yaml_1_2(write_recipe, text):
    path = write_recipe()
    path.write_text(path.read_text() + f"optimizer:\n  lr: {text}\n")
    assert load_recipe(path).optimizer.lr == pytest.approx(2e-4)


def test_a_range_stays_a_text(write_recipe):
    assert load_recipe(write_recipe()).data.degrade[0]["sigma"] == "5..40"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: a\nname: b\n", "twice"),
        ("a: &x [1]\nb: *x\n", "Aliases"),
        ("name:\n\t- a\n", "tabs"),
        ("name: !!python/object/apply:os.system [echo]\n", "not valid YAML"),
        ("- just\n- a list\n", "table"),
        ("", "table"),
        ("name: [unclosed\n", "not valid YAML"),
    ],
)
def test_dangerous_or_broken_yaml_is_refused_with_its_place(tmp_path, text, words):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=words):
        load_recipe(path)


def test_a_billion_laughs_are_refused_at_once(tmp_path):
    path = tmp_path / "bomb.yaml"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join('*' + a for _ in range(9))}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    path.write_text("\n".join(lines))
    started = time.monotonic()
    with pytest.raises(RecipeError, match="Aliases"):
        read_yaml(path)
    assert time.monotonic() - started < 1


def test_a_huge_or_binary_file_is_refused(tmp_path):
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"a: 1\n" * 300_000)
    with pytest.raises(RecipeError, match="too large"):
        read_yaml(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="UTF-8"):
        read_yaml(path)


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_works_beside_the_users_images(name, workshop):
    copy = workshop / f"{name}.yaml"
    copy.write_bytes(find_recipe(name).read_bytes())
    assert load_recipe(copy).name == name


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_opens_with_its_purpose_cost_and_launch_line(name):
    text = find_recipe(name).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "# Costs:" in text
    assert f"restorecli train {name}.yaml" in text


def test_an_unknown_recipe_offers_the_nearest():
    with pytest.raises(RecipeError, match="quick"):
        find_recipe("quik")


def test_the_resolved_recipe_is_itself_a_recipe(write_recipe, workshop):
    recipe = load_recipe(write_recipe())
    again = workshop / "again.yaml"
    again.write_text(yaml.safe_dump(recipe.resolved()))
    assert load_recipe(again) == recipe
