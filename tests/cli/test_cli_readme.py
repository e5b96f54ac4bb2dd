"""What the README and the manual say is done: every command runs, the Python runs, the tables are true."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
import yaml
from PIL import Image

from restorecli.cli.app import COMMANDS
from restorecli.core.models.catalog import MODELS
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.docs import page, pages
from restorecli.errors import ExitCode
from restorecli.folders import samples
from restorecli.folders.samples import sample_files
from restorecli.restoration.methods.catalog import METHODS

CHECKOUT = Path(__file__).resolve().parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
READING_ORDER = ("degrade", "restore", "eval", "train")
"""Pages whose commands use what those before them wrote; the others stand alone."""


def manual() -> dict[str, str]:
    names = [*READING_ORDER, *(name for name in pages() if name not in READING_ORDER)]
    return {name: page(name) for name in names}


def test_pages_are_listed_in_alphabetical_order() -> None:
    assert list(pages()) == sorted(pages())


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def command_lines(text: str) -> list[str]:
    lines = [line for block in blocks(text, "sh") for line in block.splitlines() if line]
    return [part for line in lines for part in line.split(" && ") if part.startswith("restorecli ")]


LINES = [line for block in blocks(README, "sh") for line in block.splitlines() if line]

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
def small_samples(monkeypatch):
    """The built-in photographs, of each the middle alone."""
    small = tuple(replace(sample, crop=96) for sample in sample_files())
    monkeypatch.setattr(samples, "_SAMPLES", small)


@pytest.fixture
def prepared(shell, photos, small_samples):
    """The shell in a folder with what the manual supposes: images, and the manual's YAML chain."""
    shutil.copytree(photos, shell.folder / "imgs")
    with Image.open(next(photos.rglob("*.png"))) as photo:
        photo.convert("RGB").save(shell.folder / "my-photo.jpg")
    bucket = fsspec.filesystem("memory")  # in place of the manual's s3://bucket
    for name in ("noisy", "photos"):
        bucket.put(str(photos), f"/bucket/{name}", recursive=True)
    (shell.folder / "chain.yaml").write_text(blocks(page("degrade"), "yaml")[0], encoding="utf-8")
    return shell


def run_as_printed(shell, lines: list[str]) -> None:
    for line in lines:
        if line not in CHAIN:
            shell(line.replace("s3://bucket", "memory://bucket"))
        if " > recipe.yaml" in line:
            shrink(shell.folder / "recipe.yaml")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_chain_runs_exactly_as_typed_in_an_empty_folder(shell, small_samples) -> None:
    table = [shell(line) for line in CHAIN][-1].out
    document = shell("restorecli eval --json").data
    assert len(document["images"]) == len(sample_files())
    assert document["unmatched"] == []
    for name, group in document["categories"].items():
        assert name in table
        assert group["gain"]["psnr"] > 2
        assert group["gain"]["ssim"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_other_command_of_the_readme_runs_in_its_order(prepared) -> None:
    run_as_printed(prepared, command_lines(README))
    demo = prepared("restorecli eval restorecli-demo/restored --json").data
    assert demo["overall"]["gain"]["psnr"] > 5
    assert demo["unmatched"] == []
    html = (prepared.folder / "restorecli-demo" / "index.html").read_text(encoding="utf-8")
    assert "http://" not in html
    assert list((prepared.folder / "restorecli-demo" / "pictures").rglob("*.png"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_command_of_the_manual_runs_in_its_order(prepared) -> None:
    for text in manual().values():
        run_as_printed(prepared, command_lines(text))
    assert (prepared.folder / "scores.csv").is_file()


@pytest.mark.parametrize(
    "text", [pytest.param(README, id="README"), pytest.param(page("python"), id="python")]
)
def test_the_python_that_is_printed_runs(prepared, text) -> None:
    for block in blocks(text, "python"):
        exec(compile(block, "README.md", "exec"), {})


def test_every_command_stands_in_the_readme() -> None:
    missing = [
        name for name, *_ in COMMANDS if not any(f"restorecli {name}" in text for text in [*LINES, README])
    ]
    assert missing == [], "show each of these commands in README.md"


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_every_degradation_stands_in_the_readme(name) -> None:
    section = README.partition("## Degrade")[2].partition("```")[0]
    assert re.search(rf"\b{name}\b", section), f"name {name} in the section Degrade of README.md"


def test_the_readme_counts_what_there_is() -> None:
    counts = f"{len(METHODS)} methods", f"{len(DEGRADATIONS)} degradations", f"{len(MODELS)} networks"
    assert all(count in README for count in counts), counts


def test_the_table_of_exit_codes_is_complete() -> None:
    listed = {
        int(code)
        for row in re.findall(r"^\| ([\d, ]+) \|", page("exit-codes"), re.MULTILINE)
        for code in row.split(",")
    }
    assert listed == {int(code) for code in ExitCode}, "mend the table in restorecli/docs/exit-codes.md"


def test_the_two_commands_and_the_chain_are_there() -> None:
    assert set(CHAIN) <= set(LINES)
    assert "pip install . && restorecli demo" in LINES
    assert "pip install -e '.[test]' && python -m pytest -n auto" in LINES


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150


def test_every_page_of_the_manual_is_short_of_lines_that_a_terminal_breaks() -> None:
    for name, text in manual().items():
        long = [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")]
        assert long == [], name


def test_docs_lists_and_shows_the_pages(shell) -> None:
    listed = shell("restorecli docs").out
    assert all(name in listed for name in pages())
    assert shell("restorecli docs exit-codes").out == page("exit-codes")
    assert "did you mean 'eval'?" in shell("restorecli docs evl", code=2).err


def test_the_changelog_keeps_its_form() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.startswith("# Changelog\n")
    assert "## [Unreleased]" in changelog
