"""A recipe as a mapping or an object: the same run as by its file."""

import pytest
import torch
from safetensors.torch import load_file

import restorecli
from restorecli.errors import RecipeError
from restorecli.training.check import load_recipe
from restorecli.training.run import resume_command


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


def test_the_mapping_stays_as_it_was(content) -> None:
    before = repr(content)
    with pytest.raises(RecipeError):
        restorecli.train({**content, "loss": {"nonsense": 1}}, seed=5)
    assert repr(content) == before


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
