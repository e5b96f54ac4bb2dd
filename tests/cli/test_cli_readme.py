"""What the README says is done: every command runs, the Python runs, the tables are true."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from restorecli.cli.app import COMMANDS, GROUPS
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.errors import ExitCode
from restorecli.folders.samples import sample_files

CHECKOUT = Path(__file__).resolve().parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


LINES = [line for block in blocks("sh") for line in block.splitlines() if line]
COMMAND_LINES = [part for line in LINES for part in line.split(" && ") if part.startswith("restorecli ")]

CHAIN = (
    "restorecli degrade --noise gaussian",
    "restorecli restore ./degraded --model sca-unet",
    "restorecli eval --by-category",
)


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
def test_the_chain_runs_exactly_as_typed_in_an_empty_folder(shell) -> None:
    table = [shell.process(line) for line in CHAIN][-1].out
    document = shell("restorecli eval --json").data
    assert len(document["images"]) == len(sample_files())
    assert document["unmatched"] == []
    for name, group in document["categories"].items():
        assert name in table
        assert group["gain"]["psnr"] > 2
        assert group["gain"]["ssim"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_other_command_runs_in_its_order(prepared) -> None:
    for line in COMMAND_LINES:
        if line not in CHAIN:
            prepared(line)
        if " > recipe.yaml" in line:
            shrink(prepared.folder / "recipe.yaml")
    demo = prepared("restorecli eval restorecli-demo/restored --json").data
    assert demo["overall"]["gain"]["psnr"] > 5
    assert demo["unmatched"] == []
    page = (prepared.folder / "restorecli-demo" / "index.html").read_text(encoding="utf-8")
    assert "http://" not in page
    assert list((prepared.folder / "restorecli-demo" / "pictures").rglob("*.png"))
    assert (prepared.folder / "scores.csv").is_file()


def test_the_python_of_the_readme_runs(prepared) -> None:
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})


def test_every_command_stands_in_the_readme() -> None:
    missing = [
        name
        for name, *_ in (*COMMANDS, *GROUPS)
        if not any(f"restorecli {name}" in text for text in [*LINES, README])
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


def test_the_two_commands_and_the_chain_are_there() -> None:
    assert set(CHAIN) <= set(LINES)
    assert "pip install . && restorecli demo" in LINES
    assert "pip install -e '.[test]' && python -m pytest -n auto" in LINES


def test_the_changelog_keeps_its_form() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.startswith("# Changelog\n")
    assert "## [Unreleased]" in changelog
