"""YAML 1.2: one reader, so that a recipe and a chain file mean the same by the same text."""

import pytest

from restorecli.degradation.chain_file import read_chain_file
from restorecli.errors import RecipeError
from restorecli.yaml12 import read_yaml

MEANINGS = [
    ("010", 10),
    ("-007", -7),
    ("1:30", "1:30"),
    ("190:20:30", "190:20:30"),
    ("2024-01-31", "2024-01-31"),
    ("2e-4", 2e-4),
    (".5", 0.5),
    ("1_000", "1_000"),
    ("true", True),
    ("off", False),
    ("~", None),
    ("'010'", "010"),
]


@pytest.mark.parametrize(("text", "value"), MEANINGS)
def test_a_recipe_and_a_chain_file_mean_the_same(tmp_path, text, value):
    recipe, chain = tmp_path / "recipe.yaml", tmp_path / "chain.yaml"
    recipe.write_text(f"key: {text}\n")
    chain.write_text(f"- key: {text}\n")
    assert read_yaml(recipe)[0] == {"key": value}
    assert type(read_yaml(recipe)[0]["key"]) is type(value)
    assert read_chain_file(chain) == [{"key": value}]


def test_a_number_too_long_for_a_double_stays_no_whole_number(tmp_path):
    path = tmp_path / "long.yaml"
    path.write_text(f"key: {'9' * 40}\n")
    assert read_yaml(path)[0]["key"] == pytest.approx(1e40)


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("- gaussian\n- {name: jpeg, quality: 1, quality: 2}\n", "2:28", "'quality' is given twice"),
        ("- &a gaussian\n- *a\n", "2:3", "Aliases are not allowed in a chain file"),
        ("- !!python/object:os.system x\n", "1:3", "Tags are not allowed in a chain file"),
        ("- gaussian\n-\tjpeg: [\n", "2:2", "This chain file is not valid YAML"),
        ("[" * 60, "1:31", "This chain file is nested too deep"),
        ("- [a, b]: 1\n", "1:3", "A key must be a plain word"),
    ],
)
def test_a_fault_of_a_chain_file_is_told_with_line_and_column(tmp_path, text, place, problem):
    path = tmp_path / "chain.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=problem) as caught:
        read_chain_file(path)
    assert caught.value.file == f"{path}:{place}"


def test_places_of_all_values_are_known(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("name: x\ndata:\n  train:\n    - clean: a\n")
    _, places = read_yaml(path)
    assert places[("name",)] == (1, 1)
    assert places[("data", "train", 0, "clean")] == (4, 7)
