"""How long programs take to start: ours beside the imports that none of its kind can do without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from restorecli.bench.timing import Taken, in_turns

BASE = "import typer, rich"
"""What is compared with: what every command line of this kind imports."""

COMPLETION = "restorecli re, and Tab in bash"
"""What offers `restore` and `recipes`."""

_TICK = 1e-3
"""Seconds that a program takes where the system counts so coarsely that it sees none."""

_SIDE = 32
_ENTRY = "import sys; from restorecli.cli.app import main; sys.exit(main())"
_COMPLETE = """
import os
os.environ.update(_RESTORECLI_COMPLETE="complete_bash", COMP_WORDS="restorecli re", COMP_CWORD="1")
from restorecli.cli.app import main
main()
"""


@dataclass(frozen=True, slots=True)
class Start:
    """One program from its start to its end.

    Attributes:
        name: The line that was run.
        taken: Median times.
        times_the_base: Its time over that of `BASE`.
    """

    name: str
    taken: Taken
    times_the_base: Taken

    def to_dict(self) -> dict[str, object]:
        """Return the measurement as JSON values."""
        return {
            "name": self.name,
            **self.taken.to_dict(),
            "times_the_base": self.times_the_base.wall,
            "times_the_base_by_cpu_time": self.times_the_base.cpu,
        }


def bench_start(*, rounds: int = 5, model: str = "sca-unet") -> tuple[Start, ...]:
    """Time programs from start to end, in turns: the interpreter, imports, and commands of ours.

    Args:
        rounds: Timed calls of each; medians are given.
        model: What restores a small image in the last line.

    Raises:
        subprocess.CalledProcessError: One of them failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pixels = np.random.default_rng(0).integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "small.png")
        programs = _programs(model)
        taken = in_turns({line: partial(_run, words, folder) for line, words in programs.items()}, rounds)
    base = taken[BASE]
    return tuple(
        Start(line, taken[line], Taken(taken[line].wall / base.wall, taken[line].cpu / base.cpu))
        for line in programs
    )


def _programs(model: str) -> dict[str, Sequence[str]]:
    """Return what is run, by the line that a user would type."""
    scripts = {"python": "pass", BASE: BASE, "import numpy": "import numpy", "import torch": "import torch"}
    commands = (
        "--help",
        "restore --help",
        "models",
        "restore small.png -o median.png --model median --overwrite",
        f"restore small.png -o network.png --model {model} --overwrite",
    )
    return {
        **{line: (sys.executable, "-c", script) for line, script in scripts.items()},
        **{f"restorecli {words}": (sys.executable, "-c", _ENTRY, *words.split()) for words in commands},
        COMPLETION: (sys.executable, "-c", _COMPLETE),
    }


def _run(program: Sequence[str], folder: Path) -> Taken:
    wall, before = time.perf_counter(), _children()
    subprocess.run(program, cwd=folder, env=_environment(folder), check=True, capture_output=True)  # noqa: S603
    cpu = _children() - before
    return Taken(time.perf_counter() - wall, max(cpu, _TICK))


def _children() -> float:
    """Return the CPU seconds of all processes that ended below this one."""
    if sys.platform == "win32":
        times = os.times()
        return times.children_user + times.children_system
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # counts microseconds, os.times only hundredths
    return used.ru_utime + used.ru_stime


def _environment(folder: Path) -> Mapping[str, str]:
    """Return this process's environment, in which programs find the modules that it found.

    They find them compiled, as an installation leaves them, even where Python is told to keep none compiled:
    those of the first round, which does not count, are kept in `folder` then.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    return environment
