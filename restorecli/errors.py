"""The error family and the exit codes: everything that can go wrong, in words a user can act on."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process answers to its caller."""

    DONE = 0
    DEFECT = 1
    USAGE = 2
    SOME_FAILED = 3
    BAD_RECIPE_OR_DATA = 4
    WEIGHTS = 5
    RESOURCES = 6
    DIVERGED = 7
    BUSY = 8
    GATE = 9
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


class RestorecliError(Exception):
    """An expected failure: what is wrong, what was expected, what came, where, and what to try.

    Args:
        problem: One sentence that says what is wrong.
        expected: What would have been right.
        got: What was found instead.
        file: The file or folder concerned.
        unchanged: What was left as it was, so that the user knows nothing was lost.
        hint: What to try next, ideally a command.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.DEFECT

    def __init__(
        self,
        problem: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        file: str | Path | None = None,
        unchanged: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.expected = expected
        self.got = got
        self.file = None if file is None else str(file)
        self.unchanged = unchanged
        self.hint = hint

    def details(self) -> dict[str, str]:
        """Return the parts that are known beside the problem, by their printed label, in printing order."""
        parts = {
            "file": self.file,
            "expected": self.expected,
            "got": self.got,
            "unchanged": self.unchanged,
            "try": self.hint,
        }
        return {label: text for label, text in parts.items() if text is not None}

    def __str__(self) -> str:
        lines = [self.problem, *(f"  {label}: {text}" for label, text in self.details().items())]
        return "\n".join(lines)


class UsageError(RestorecliError):
    """The command line or a call of the Python interface asks for something that does not exist."""

    exit_code = ExitCode.USAGE


class ImageError(RestorecliError):
    """One image cannot be read, processed or written; the others of the job go on."""

    exit_code = ExitCode.SOME_FAILED


class RecipeError(RestorecliError):
    """A recipe is wrong; found before anything started."""

    exit_code = ExitCode.BAD_RECIPE_OR_DATA


class DataError(RestorecliError):
    """A data folder, manifest or pairing is wrong; found before anything started."""

    exit_code = ExitCode.BAD_RECIPE_OR_DATA


class WeightsError(RestorecliError):
    """Weights are missing, damaged, unsafe or do not fit the network."""

    exit_code = ExitCode.WEIGHTS


class ResourceError(RestorecliError):
    """Memory or disk ran out even after backing off."""

    exit_code = ExitCode.RESOURCES


class DivergedError(RestorecliError):
    """Training produced losses that are not finite, several times in a row."""

    exit_code = ExitCode.DIVERGED


class BusyError(RestorecliError):
    """The output folder is in use by another run."""

    exit_code = ExitCode.BUSY


class GateError(RestorecliError):
    """A quality gate was asked for and not met."""

    exit_code = ExitCode.GATE


class InterruptedRunError(RestorecliError):
    """The user or the system asked the run to stop; the hint holds the command that resumes."""

    exit_code = ExitCode.INTERRUPTED


class TerminatedRunError(InterruptedRunError):
    """The system (SIGTERM) asked the run to stop; the hint holds the command that resumes."""

    exit_code = ExitCode.TERMINATED
