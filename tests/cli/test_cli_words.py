"""Words that new users meet: what is wrong with a call, what to type next, help without Python's types."""

import pytest

from restorecli.cli.app import COMMANDS, loaded
from restorecli.degradation import folder
from restorecli.folders.samples import sample_files


def test_a_fault_of_the_call_is_said_once(shell, photos) -> None:
    answer = shell("restorecli restore photos --model wiener-deconv", code=3)
    assert answer.err.count("which kernel blurred") == 1
    assert "failed: all 4 images, first indoors/0.png" in answer.err


def test_faults_of_files_are_said_of_each(shell, photos) -> None:
    for name in ("a.png", "b.png"):
        (photos / name).write_bytes(b"no image")
    answer = shell("restorecli restore photos --model median", code=3)
    assert "failed: a.png: " in answer.err
    assert "failed: b.png: " in answer.err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("recipe.yaml", "restorecli recipes quick > recipe.yaml"),
        ("my/esrgan.yml", "restorecli recipes esrgan > my/esrgan.yml"),
        ("quik", "did you mean 'quick'?"),
        ("xyzzy", "restorecli recipes"),
    ],
)
def test_a_missing_recipe_says_how_to_get_one(shell, name, told) -> None:
    answer = shell(f"restorecli train {name}", code=4)
    assert f"try: {told}\n" in answer.err


def commands():
    for name, *_ in COMMANDS:
        yield name
        yield from (f"{name} {each}" for each in getattr(loaded(name), "commands", ()))


@pytest.mark.parametrize("name", ["", *commands()])
def test_help_shows_no_types_of_python(shell, monkeypatch, name) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    shown = shell(f"restorecli {name} --help").out
    for word in ("<", ">=x", "bool", "list[", "Path]"):
        assert word not in shown.replace("<=", "").replace("restorecli recipes quick > recipe.yaml", "")


def test_an_option_with_a_value_still_says_so(shell) -> None:
    shown = shell("restorecli restore --help").out
    for words in ("--model            TEXT", "--tile                SIDE", "NUMBER [x>=0]"):
        assert " ".join(words.split()) in " ".join(shown.split())


def test_the_demo_opens_its_page_and_ends_with_what_to_type_next(shell, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setattr(folder, "sample_files", lambda: sample_files()[:1])
    last = shell("restorecli demo --open").err.rstrip().splitlines()[-1]
    assert opened == [(shell.folder / "restorecli-demo" / "index.html").resolve().as_uri()]
    assert last == "Next: restorecli restore my-photo.jpg -o better.png"
