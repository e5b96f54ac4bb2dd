"""Help answers at once, ends with examples, and every example is a valid command line."""

import importlib
import re
import shlex
import subprocess
import sys

import pytest
import typer.main

from restorecli.cli.app import COMMANDS, EXAMPLES, build, loaded

NAMES = [name for name, *_ in COMMANDS]
MODULES = [importlib.import_module(f"restorecli.cli.{module}") for _, module, *_ in COMMANDS]
LINES = sorted(
    {*EXAMPLES, *(line for module in MODULES if hasattr(module, "command") for line in module.EXAMPLES)}
)
HEAVY = ("torch", "numpy", "scipy", "skimage", "numba", "PIL", "tifffile")


def modules_after(*words: str) -> set[str]:
    """Return the heavy modules that a command line has imported by its end."""
    program = (
        "import sys; sys.argv = ['restorecli', *sys.argv[1:]]\n"
        "from restorecli.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print('MODULES', *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.partition("MODULES ")[2].split())
    return {name for name in HEAVY if name in loaded}


@pytest.mark.parametrize(
    "words", [("--version",), ("--help",), ("degrade", "--help"), ("restore", "--help"), ("train", "--help")]
)
def test_help_and_version_import_nothing_heavy(words) -> None:
    assert modules_after(*words) == set()


def test_the_overview_of_models_reads_cards_without_torch() -> None:
    assert modules_after("models") <= {"numpy"}


@pytest.mark.parametrize("words", [("--json",), ("--all",), ("swm",), ("swm.sand-dust",), ("dip",)])
def test_models_are_listed_and_shown_without_torch(words) -> None:
    assert not {"torch", "numba"} & modules_after("models", *words)


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = "import sys, restorecli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert not set(loaded.split()) & set(HEAVY)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_that_ends_with_examples(shell, name) -> None:
    text = shell(f"restorecli {name} --help").out
    assert f"restorecli {name}" in text
    after = text.partition("Examples")[2]
    lines = [line.strip() for line in after.splitlines() if line.strip()]
    assert lines
    assert all(line.startswith("$ restorecli ") for line in lines), "an example is wrapped or missing"


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_told_in_one_sentence(shell, name) -> None:
    listed = re.sub(r"[\s│]+", " ", shell("restorecli --help").out)
    assert re.search(rf" {name} [A-Z][^│]+\.", listed)


@pytest.mark.parametrize(("name", "told"), [(name, told) for name, _, told, _ in COMMANDS])
def test_the_list_says_of_a_command_what_its_help_begins_with(name, told) -> None:
    first = (loaded(name).help or "").partition("\n\n")[0]
    assert " ".join(first.split()) == told


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_the_list_of_commands_imports_none_of_them(words) -> None:
    program = (
        "import sys; sys.argv = ['restorecli', *sys.argv[1:]]\n"
        "from restorecli.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    loaded_modules = set(done.stderr.split())
    assert not loaded_modules & {f"restorecli.cli.{module}" for _, module, *_ in COMMANDS}
    assert "restorecli.cli.completion" not in loaded_modules


@pytest.mark.parametrize("line", LINES)
def test_every_example_is_a_valid_command_line(line) -> None:
    words = shlex.split(line.partition(" > ")[0])[1:]
    group = typer.main.get_command(build())
    with group.make_context("restorecli", list(words)) as context:
        name, command, rest = group.resolve_command(context, words)
        with command.make_context(name, rest, parent=context) as made:
            assert not made.args, "words of the example that no argument takes"


def test_every_option_says_what_it_does() -> None:
    for name in NAMES:
        for parameter in loaded(name).params:
            assert parameter.help, f"{name} {parameter.name}"


def test_the_version_is_the_packages(shell) -> None:
    import restorecli

    assert shell("restorecli --version").out == f"restorecli {restorecli.__version__}\n"


@pytest.mark.parametrize("terminal", [{}, {"TERM": "dumb"}, {"NO_COLOR": "1"}])
@pytest.mark.parametrize("line", ["restorecli --help", "restorecli degrade --help", "restorecli nonsense"])
def test_an_ascii_locale_is_no_problem(shell, line, terminal) -> None:
    ascii_only = {
        "LANG": "C",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "",
    }
    answer = shell.process(line, code=None, **ascii_only, **terminal)
    assert answer.code == (2 if "nonsense" in line else 0)
    assert "Traceback" not in answer.err
    assert (answer.out + answer.err).isascii()
