"""What the README says is done: every command runs, the Python runs, the tables are true."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from restorecli.cli.app import COMMANDS
from restorecli.degrade.catalog import DEGRADATIONS
from restorecli.errors import ExitCode

CHECKOUT = Path(__file__).resolve().parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


LINES = [line for block in blocks("sh") for line in block.splitlines() if line]
COMMAND_LINES = [part for line in LINES for part in line.split(" && ") if part.startswith("restorecli ")]


def shrink(recipe: Path) -> None:
    """Cut the budget of a recipe to two small steps; what it does stays as it is."""
    content = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    content["data"] |= {"crop": 32, "batch": 2, "train": [{"clean": "photos"}]}
    content["validation"] = {**content.get("validation", {}), "every": 2, "holdout": 1, "max_side": 32}
    content["budget"] = {"steps": 2}
    content["optimizer"]["lr"] = float(content["optimizer"]["lr"])
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")


@pytest.fixture
def prepared(shell, photos):
    """The shell in a folder with what the README supposes: ./photos, ./imgs and its YAML chain."""
    shutil.copytree(photos, shell.folder / "imgs")
    (shell.folder / "chain.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    return shell


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_command_of_the_readme_runs_in_its_order(prepared) -> None:
    for line in COMMAND_LINES:
        prepared(line)
        if " > recipe.yaml" in line:
            shrink(prepared.folder / "recipe.yaml")
    assert (prepared.folder / "restorecli-demo" / "index.html").is_file()
    assert (prepared.folder / "scores.csv").is_file()


def test_the_python_of_the_readme_runs(prepared) -> None:
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})


def test_every_command_stands_in_the_readme() -> None:
    missing = [
        name for name, *_ in COMMANDS if not any(f"restorecli {name}" in text for text in [*LINES, README])
    ]
    assert missing == []


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_every_degradation_stands_in_the_readme(name) -> None:
    assert re.search(rf"\b{name}\b", README.partition("## Degrade")[2].partition("```")[0])


def test_the_table_of_exit_codes_is_complete() -> None:
    listed = {
        int(code) for row in re.findall(r"^\| ([\d, ]+) \|", README, re.MULTILINE) for code in row.split(",")
    }
    assert listed == {int(code) for code in ExitCode}


def test_the_two_commands_are_there() -> None:
    assert "pip install . && restorecli demo" in LINES
    assert "pip install -e '.[test]' && python -m pytest" in LINES


def test_the_changelog_keeps_its_form() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.startswith("# Changelog\n")
    assert "## [Unreleased]" in changelog
