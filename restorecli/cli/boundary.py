"""The one place where errors become panels and exit codes; no command catches anything itself."""

from __future__ import annotations

import errno
import itertools
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import typer

from restorecli.cli import render
from restorecli.cli.plain_help import PlainGroup
from restorecli.errors import (
    DataError,
    ExitCode,
    InterruptedRunError,
    ResourceError,
    RestorecliError,
    TerminatedRunError,
    UsageError,
)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EMFILE)


class TerminatedError(KeyboardInterrupt):
    """SIGTERM or SIGUSR1 arrived: unwound like Ctrl-C, so that every room cleans up the same way."""


def raise_terminated(number: int, _frame: FrameType | None) -> NoReturn:
    """Handle SIGTERM and SIGUSR1; a second one ends the process at once."""
    signal.signal(number, signal.SIG_DFL)
    raise TerminatedError


class BoundaryGroup(PlainGroup):
    """The command group with the error boundary around the reading of arguments and around the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer's context is private
        """Remember the words of the command line; `--traceback` and `--plugins` may stand anywhere in it."""
        ctx.meta["restorecli.words"] = tuple(args)
        anywhere = [option for option in ("--traceback", "--plugins") if option in args]
        args = [*anywhere, *(word for word in args if word not in anywhere)]
        with _boundary(ctx.meta["restorecli.words"]):
            rest: list[str] = super().parse_args(ctx, args)
        return rest

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as above
        """Run the command inside the boundary."""
        with _boundary(ctx.meta["restorecli.words"]):
            return super().invoke(ctx)


@contextmanager
def _boundary(words: tuple[str, ...]) -> Iterator[None]:
    try:
        try:
            yield
        finally:
            _flush()
    except typer.Exit:
        raise
    except typer.TyperException as error:
        _also_as_json(UsageError(error.format_message()), words)
        raise  # Typer shows the usage line and its own panel
    except (KeyboardInterrupt, BrokenPipeError, SystemExit) as error:
        _stop(error, words)
    except Exception as error:  # noqa: BLE001 - the boundary: what is not expected is told apart inside
        _fail(error, words)


def _stop(error: BaseException, words: tuple[str, ...]) -> NoReturn:
    """Leave because the reader went away, or because the user or the system asked for it."""
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        _mute_stdout()
        raise typer.Exit(ExitCode.BROKEN_PIPE) from error
    if isinstance(error, SystemExit):
        raise error
    again = f"restorecli {shlex.join(words)}"
    kind, what = InterruptedRunError, "Interrupted"
    if isinstance(error, TerminatedError):
        kind, what = TerminatedRunError, "Terminated"
    render.say(f"{what}. What is finished is kept; the same command goes on:", f"  {again}")
    stopped = kind(f"{what}.", unchanged="every finished output", hint=again)
    _also_as_json(stopped, words)
    raise typer.Exit(int(stopped.exit_code)) from error


def _fail(error: Exception, words: tuple[str, ...]) -> NoReturn:
    """Show an error the way the user asked for, and leave with its exit code."""
    if "--traceback" in words:
        render.say("".join(traceback.format_exception(error)).rstrip())
    known = expected_error(error)
    shown = known or RestorecliError(
        f"A defect in restorecli: {type(error).__name__}: {error}",
        unchanged="your inputs and every finished output",
        hint="please report it with the output of `restorecli doctor` and of this command with --traceback",
    )
    render.show_error(shown)
    _also_as_json(shown, words)
    raise typer.Exit(int(shown.exit_code)) from error


def _also_as_json(error: RestorecliError, words: tuple[str, ...]) -> None:
    """Write the error to stdout where that was asked for; stderr tells it, so stdout may refuse."""
    if "--json" not in words:
        return
    from restorecli.result import CommandResult

    try:
        render.as_json(CommandResult(_command(words), errors=[error], exit_code=error.exit_code))
        _flush()
    except OSError:
        _mute_stdout()


def _command(words: tuple[str, ...]) -> str:
    """Return the command that a command line names, "" where it names none."""
    after = itertools.dropwhile(lambda word: word.startswith("-"), words)
    named = list(itertools.takewhile(lambda word: not word.startswith("-"), after))
    return " ".join(named[: 2 if named[:1] == ["bench"] else 1])


def expected_error(error: Exception) -> RestorecliError | None:
    """Return the typed error that `error` is or stands for; None when it is a defect of the program.

    The rooms raise `RestorecliError`; what the system refuses (a full disk, a folder that may not be read)
    arrives as OSError and MemoryError from anywhere, and is no defect either.
    """
    if isinstance(error, RestorecliError):
        return error
    if isinstance(error, MemoryError):
        return ResourceError("Memory ran out.", got=str(error) or None, hint="a smaller --tile")
    if not isinstance(error, OSError) or error.errno is None:
        return None
    from restorecli.images.faults import BROKEN_DISK

    hints = {errno.EIO: BROKEN_DISK, **dict.fromkeys(_FULL, "free some space")}
    kind = ResourceError if error.errno in hints else DataError
    return kind(
        f"The system refused: {os.strerror(error.errno)}.",
        file=error.filename,
        unchanged="your inputs and every finished output",
        hint=hints.get(error.errno, "check the path and its permissions"),
    )


def _flush() -> None:
    """Write out what is buffered while a reader that went away can still be told from a defect."""
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()


def _mute_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return
