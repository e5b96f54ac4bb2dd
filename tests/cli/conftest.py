"""A shell in a folder of its own: runs command lines as they are printed in the help and in the README."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import restorecli
from restorecli.cli.app import build, loaded


@dataclass
class Answer:
    """What a command line answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, object]:
        """The object that `--json` printed; it says the exit code that the process answered."""
        document = json.loads(self.out)
        assert document["exit_code"] == self.code
        assert (document["status"] == "done") == (self.code == 0)
        return document

    @property
    def data(self):
        """The command's own result in it."""
        return self.document["data"]

    @property
    def error(self) -> dict[str, object]:
        """The first error in it."""
        return self.document["errors"][0]


@dataclass
class Shell:
    """Runs `restorecli ...` lines in this process (torch is imported once) or in a new one."""

    folder: Path
    history: list[str] = field(default_factory=list)

    def __call__(self, line: str, *, code: int | None = 0) -> Answer:
        """Run a line, with `> FILE` understood, and require its exit code (None: any)."""
        command, _, target = line.partition(" > ")
        words = shlex.split(command)
        assert words[0] == "restorecli", line
        result = CliRunner().invoke(build(), words[1:], prog_name="restorecli")
        answer = Answer(result.exit_code, result.stdout, result.stderr)
        self.history.append(line)
        assert code is None or answer.code == code, (
            f"{line}\n{answer.out}\n{answer.err}\n{result.exception!r}"
        )
        if target:
            file = self.folder / target.strip()
            file.parent.mkdir(exist_ok=True)  # the manual's `mkdir` is no command of ours
            file.write_text(answer.out, encoding="utf-8")
        return answer

    def process(self, line: str, *, code: int | None = 0, **environment: str) -> Answer:
        """Run a line in a process of its own."""
        words = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(
            words, cwd=self.folder, env=process_environment(**environment), capture_output=True, check=False
        )
        answer = Answer(
            done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        )
        assert code is None or answer.code == code, f"{line}\n{answer.out}\n{answer.err}"
        return answer


def process_environment(**changes: str) -> dict[str, str]:
    """Return this process's environment with changes; an empty text takes a variable away."""
    merged = {**os.environ, **changes}
    return {name: value for name, value in merged.items() if value}


def make_photos(folder: Path) -> Path:
    """Write four small smooth images in two categories."""
    rng = np.random.default_rng(5)
    for index in range(4):
        coarse = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)
        path = folder / ("indoors", "outdoors")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((72, 64), Image.Resampling.BICUBIC).save(path)
    return folder


@pytest.fixture(autouse=True)
def same_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """New processes import the package that is being tested, wherever they run."""
    monkeypatch.setenv("PYTHONPATH", str(Path(restorecli.__file__).parent.parent))


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return Shell(tmp_path)


@pytest.fixture
def photos(shell: Shell) -> Path:
    """The folder ./photos of the shell, with four small images in two categories."""
    return make_photos(shell.folder / "photos")


@pytest.fixture
def check_examples(shell: Shell) -> Callable[[str, Iterable[str]], None]:
    """Check that the help of a bench command shows its examples, and that each is a valid command line."""

    def check(command: str, lines: Iterable[str]) -> None:
        shown = shell(f"restorecli bench {command} --help").out.partition("Examples")[2]
        assert f"$ restorecli bench {command}" in shown
        group = loaded("bench")
        for line in lines:
            words = shlex.split(line)[2:]
            with group.make_context("bench", list(words)) as context:
                name, found, rest = group.resolve_command(context, words)
                with found.make_context(name, rest, parent=context):
                    pass

    return check
