"""Errors become panels, JSON objects and exit codes in one place."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from restorecli import errors
from restorecli.cli.boundary import BoundaryGroup, TerminatedError, expected_error
from restorecli.errors import ExitCode, RestorecliError

TYPED = [
    (errors.UsageError, 2),
    (errors.ImageError, 3),
    (errors.RecipeError, 4),
    (errors.DataError, 4),
    (errors.WeightsError, 5),
    (errors.ResourceError, 6),
    (errors.DivergedError, 7),
    (errors.BusyError, 8),
    (errors.GateError, 9),
    (errors.InterruptedRunError, 130),
    (errors.TerminatedRunError, 143),
]

SYSTEM = [
    (OSError(errno.ENOSPC, "full", "a.png"), 6),
    (OSError(errno.EIO, "broken", "a.png"), 6),
    (PermissionError(errno.EACCES, "denied", "a.png"), 4),
    (FileNotFoundError(errno.ENOENT, "gone", "a.png"), 4),
    (MemoryError(), 6),
    (ValueError("odd"), 1),
    (KeyboardInterrupt(), 130),
    (TerminatedError(), 143),
    (BrokenPipeError(errno.EPIPE, "gone"), 141),
]


def run(raised: BaseException, *words: str):
    app = typer.Typer(cls=BoundaryGroup)

    @app.callback()
    def start(traceback: bool = False) -> None:
        """Stand for the real callback."""

    @app.command("job")
    def job(as_json: bool = typer.Option(False, "--json")) -> None:
        """Raise."""
        raise raised

    return CliRunner().invoke(app, ["job", *words])


@pytest.mark.parametrize(("kind", "code"), TYPED)
def test_every_typed_error_has_its_exit_code(kind, code) -> None:
    result = run(kind("it broke", expected="this", got="that", file="x/y.png", unchanged="all", hint="do so"))
    assert result.exit_code == code
    for part in (
        "it broke",
        "expected:",
        "this",
        "got:",
        "that",
        "x/y.png",
        "unchanged:",
        "all",
        "try:",
        "do so",
    ):
        assert part in result.stderr
    assert result.stdout == ""


def test_no_error_of_the_family_is_forgotten() -> None:
    def family(kind):
        return {kind, *(under for each in kind.__subclasses__() for under in family(each))}

    tested = {kind for kind, _ in TYPED} | {RestorecliError}
    ours = {kind for kind in family(RestorecliError) if kind.__module__ == "restorecli.errors"}
    assert ours == tested


@pytest.mark.parametrize(("raised", "code"), SYSTEM, ids=lambda value: type(value).__name__)
def test_what_the_system_does_has_its_exit_code(raised, code) -> None:
    assert run(raised).exit_code == code


@pytest.mark.parametrize("raised", [errors.DataError("no such folder", file="x"), ValueError("odd")])
def test_an_error_is_one_json_object_too(raised) -> None:
    result = run(raised, "--json")
    envelope = json.loads(result.stdout)
    assert envelope["restorecli_result_version"] == 1
    assert (envelope["command"], envelope["status"], envelope["data"]) == ("job", "failed", None)
    assert envelope["exit_code"] == result.exit_code
    [document] = envelope["errors"]
    assert document["exit_code"] == result.exit_code
    assert document["kind"].endswith("Error")
    assert document["problem"].split(":")[0] in result.stderr


def test_a_misspelled_option_is_one_json_object_too() -> None:
    result = run(ValueError(), "--json", "--wrong")
    assert result.exit_code == 2
    assert "--wrong" in json.loads(result.stdout)["errors"][0]["problem"]


def test_a_defect_shows_its_traceback_only_when_asked() -> None:
    assert "Traceback" not in run(ValueError("odd")).stderr
    assert "defect" in run(ValueError("odd")).stderr
    assert "in job" in run(ValueError("odd"), "--traceback").stderr


def test_the_traceback_option_may_stand_anywhere() -> None:
    assert run(ValueError("odd"), "--json", "--traceback").exit_code == 1


def test_a_file_name_cannot_steer_the_terminal() -> None:
    shown = run(errors.DataError("bad", file="a\x1b[31m\u202eb.png")).stderr
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown
    assert "a\\x1b[31m" in shown


def test_markup_in_a_message_is_text() -> None:
    assert "[bold]x[/nope]" in run(errors.DataError("[bold]x[/nope]")).stderr


def test_an_interrupt_names_the_command_that_goes_on() -> None:
    result = run(KeyboardInterrupt(), "--json")
    assert "restorecli job --json" in result.stderr
    document = json.loads(result.stdout)
    assert (document["status"], document["exit_code"]) == ("failed", 130)
    assert document["errors"][0]["try"] == "restorecli job --json"
    assert json.loads(run(TerminatedError(), "--json").stdout)["exit_code"] == 143


def test_a_defect_is_not_taken_for_an_expected_error() -> None:
    assert expected_error(ValueError()) is None
    assert expected_error(OSError("a message without a number")) is None


PROGRAM = """
import signal, time, typer
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from restorecli.cli import app
def wait() -> None:
    print("ready", flush=True)
    time.sleep(60)
import sys, types
sys.modules["restorecli.cli.wait"] = types.SimpleNamespace(command=wait, EXAMPLES=())
app.COMMANDS = (("wait", "wait", "Wait.", "x"), ("two", "wait", "Wait.", "x"))
from pathlib import Path
sys.argv = ["restorecli", "wait"]
app.main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_process_with_its_code(number, code) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert "restorecli wait" in told
    assert "Traceback" not in told


def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "restorecli", "recipes"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.returncode == ExitCode.BROKEN_PIPE
    assert "Traceback" not in done.stderr
    assert "rror" not in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["degrade", "--help"], ["--version"]])
def test_help_to_a_reader_that_goes_away_is_no_error(words) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "restorecli", *words]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.returncode == ExitCode.BROKEN_PIPE
    assert done.stderr == ""


def test_a_closed_stdout_is_no_error() -> None:
    line = f"{sys.executable} -m restorecli recipes >&-"
    done = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["models"], ExitCode.RESOURCES),
        pytest.param(["models", "--json"], ExitCode.RESOURCES, marks=pytest.mark.slow),
        (["eval", "nowhere", "nowhere", "--json"], ExitCode.BAD_RECIPE_OR_DATA),
        (["eval", "--jsom", "--json"], ExitCode.USAGE),
    ],
)
def test_a_full_disk_behind_stdout_is_told_on_stderr(words, code) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "restorecli", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "rror" in done.stderr


def test_warnings_of_libraries_are_notes_without_their_source_lines(shell) -> None:
    (shell.folder / "in").mkdir()
    torn = b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01"
    Image.new("RGB", (20, 20)).save(shell.folder / "in" / "a.jpg", exif=torn)
    told = shell.process("restorecli degrade in -o out --noise gaussian").err
    assert "note: Corrupt EXIF data." in told
    assert "site-packages" not in told
    assert "UserWarning" not in told
