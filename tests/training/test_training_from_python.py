"""A recipe as a mapping or an object: the same run as by its file."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import restorecli
from restorecli.errors import RecipeError, UsageError
from restorecli.training.check import load_recipe
from restorecli.training.overrides import read_overrides, words_of
from restorecli.training.run import check_recipe, resume_command


@pytest.fixture
def content(write_recipe, workshop, monkeypatch):
    """The tiny recipe as a mapping, whose folders start from the current one."""
    monkeypatch.chdir(workshop)
    recipe = load_recipe(write_recipe())
    return recipe.resolved()


def test_a_mapping_and_a_recipe_train_as_the_file_does(write_recipe, workshop, content) -> None:
    path = write_recipe()
    results = {
        name: restorecli.train(recipe, output=workshop / name, steps=2, device="cpu")
        for name, recipe in (("file", path), ("mapping", content), ("recipe", load_recipe(path)))
    }
    weights = {name: load_file(result.weights) for name, result in results.items()}
    assert all(result.steps == 2 for result in results.values())
    for name in ("mapping", "recipe"):
        assert all(torch.equal(value, weights[name][key]) for key, value in weights["file"].items())
    again = restorecli.train(content, output=workshop / "mapping", steps=4, resume=True, device="cpu")
    assert again.steps == 4


def test_faults_of_a_mapping_are_told_by_their_keys(content) -> None:
    wrong = {**content, "modle": {}, "model": {**content["model"], "name": "dncn"}}
    with pytest.raises(RecipeError) as caught:
        restorecli.train(wrong)
    assert "\n  modle: unknown key 'modle'; did you mean 'model'?" in caught.value.problem
    assert "\n  model.name: " in caught.value.problem
    assert "2 faults" in caught.value.problem


def test_a_number_that_is_a_text_is_told_from_one(content) -> None:
    with pytest.raises(
        RecipeError, match=r"optimizer.lr: a valid number, got '1e-3'; this is a text, as PyYAML"
    ):
        check_recipe(content, overrides={"optimizer.lr": "1e-3"})


def test_the_mapping_stays_as_it_was(content) -> None:
    before = repr(content)
    with pytest.raises(RecipeError):
        restorecli.train({**content, "loss": {"nonsense": 1}}, seed=5)
    assert repr(content) == before


def test_single_values_are_set_by_dotted_keys(content) -> None:
    words = ["data.degrade.0.sigma=[5, 10]", "schedule={name: cosine, warmup: 2}", "model.arguments.width=6"]
    changed = {
        **content,
        "data": {**content["data"], "degrade": [{"name": "gaussian", "sigma": [5, 10]}]},
        "schedule": {"name": "cosine", "warmup": 2},
        "model": {**content["model"], "arguments": {**content["model"]["arguments"], "width": 6}},
    }
    assert check_recipe(content, overrides=read_overrides(words)) == check_recipe(changed)
    with pytest.raises(RecipeError, match=r"optimizer.lrr: unknown key 'lrr'; did you mean 'lr'"):
        check_recipe(content, overrides={"optimizer.lrr": 1})
    with pytest.raises(UsageError, match="no such entry"):
        check_recipe(content, overrides={"data.degrade.1.sigma": 5})
    for wrong in ("optimizer.lr", "=1", "ema=[", "ema=*a"):
        with pytest.raises(UsageError, match="--set is not understood"):
            read_overrides([wrong])
    with pytest.raises(UsageError, match="twice"):
        read_overrides(["ema=0.9", "ema=0.99"])


def test_values_that_were_set_stand_in_the_command_that_goes_on(content) -> None:
    words = ["a=2e-3", "b=true", 'c="true"', "d=5..30", "e=[1, 2]", "f=null", "g=x y", 'h=""', "i={k: 1}"]
    overrides = read_overrides(words)
    assert overrides == read_overrides(list(words_of(overrides)))
    assert list(words_of({"d": "5..30", "c": "true"})) == ["d=5..30", 'c="true"']
    assert resume_command("r.yaml", Path("run"), overrides=overrides).endswith(
        "--set 'g=x y' --set 'h=\"\"' --set 'i={\"k\": 1}' --resume"
    )
    assert "overrides={'ema': 0.9}, resume=True" in resume_command(
        content, Path("run"), overrides={"ema": 0.9}
    )


def test_what_goes_on_is_said_in_python(content, workshop) -> None:
    assert (
        resume_command(content, workshop)
        == f"restorecli.train(recipe, output={str(workshop)!r}, resume=True)"
    )


def test_files_that_are_new_gone_or_changed_are_named(write_recipe, workshop) -> None:
    folder, images = workshop / "run", workshop / "images" / "kind"
    restorecli.train(write_recipe(), output=folder, steps=2, device="cpu")
    (images / "new.png").write_bytes((images / "0.png").read_bytes())
    (images / "1.png").unlink()
    (images / "2.png").write_bytes((images / "2.png").read_bytes() + b" ")
    with pytest.raises(RecipeError) as caught:
        restorecli.train(write_recipe(), output=folder, steps=4, resume=True, device="cpu")
    told = caught.value.got
    assert "1 new (" in told
    assert "new.png)" in told
    assert "1 gone (" in told
    assert "1.png)" in told
    assert "1 of another size (" in told
    assert "2.png)" in told


def test_without_a_listing_a_change_is_noticed_all_the_same(write_recipe, workshop) -> None:
    folder, images = workshop / "run", workshop / "images" / "kind"
    restorecli.train(write_recipe(), output=folder, steps=2, device="cpu")
    for spoil in (lambda file: file.write_text("[1"), lambda file: file.unlink()):
        spoil(folder / "pictures.jsonl")
        (images / "new.png").write_bytes((images / "0.png").read_bytes())
        with pytest.raises(RecipeError, match="changed since") as caught:
            restorecli.train(write_recipe(), output=folder, steps=4, resume=True, device="cpu")
        assert "pictures: '" in caught.value.got
