"""What every command answers to a program: one JSON object of one shape, with a version of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from restorecli.errors import ExitCode, RestorecliError

VERSION = 1
"""Raised when a key of the envelope changes its meaning or goes; new keys leave it as it is."""

VERSION_KEY = "restorecli_result_version"

_PARTIAL = (ExitCode.SOME_FAILED, ExitCode.GATE)


@dataclass(frozen=True)
class CommandResult:
    """What a command found or did, ready for `--json`.

    Attributes:
        command: The command, e.g. "restore" or "bench eval".
        data: Its own result as JSON values; None where an error left none.
        notes: What a reader should know about the result.
        errors: What went wrong: the one error that ended the command, or one for each item that failed.
        exit_code: What the process answers.
    """

    command: str
    data: object = None
    notes: Sequence[str] = ()
    errors: Sequence[RestorecliError] = ()
    exit_code: ExitCode = ExitCode.DONE

    @property
    def status(self) -> str:
        """Return "done", "partial" (there is a result, but something in it failed) or "failed"."""
        if self.exit_code == ExitCode.DONE:
            return "done"
        return "partial" if self.exit_code in _PARTIAL and self.data is not None else "failed"

    def to_dict(self) -> dict[str, object]:
        """Return the envelope as JSON values."""
        return {
            VERSION_KEY: VERSION,
            "command": self.command,
            "status": self.status,
            "exit_code": int(self.exit_code),
            "data": self.data,
            "notes": list(self.notes),
            "errors": [error_document(error) for error in self.errors],
        }


def error_document(error: RestorecliError) -> dict[str, object]:
    """Return an error as JSON values: kind, exit code, problem, and the parts that are known."""
    kind: dict[str, object] = {"kind": type(error).__name__, "exit_code": int(error.exit_code)}
    return {**kind, "problem": error.problem, **error.details()}


def unwrapped(document: object) -> object:
    """Return the data of an envelope; a document of before there were envelopes is its own data."""
    if isinstance(document, dict) and VERSION_KEY in document:
        return document.get("data")
    return document
