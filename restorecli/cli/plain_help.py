"""Help in plain words: no `<bool>` behind a switch, no Python types behind an option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typer import TyperException
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_WORDS = {"list[Path]": "PATH", "list[str]": "NAME", "str": "TEXT", "path": "PATH", "int": "NUMBER"}


def examples(*commands: str) -> str:
    """Return the end of a command's help: examples that run as they stand."""
    return "\n".join(["[bold]Examples[/bold]", *(f"$ {command}" for command in commands)])


class PlainArgument(TyperArgument):
    """An argument whose name says what it is; no type is shown beside it."""

    def display_type_rich(self, ctx: Any) -> str | None:  # noqa: ANN401 - Typer's context is private
        """Return nothing to show."""
        del ctx
        return None


class _Plain:
    """What the commands and groups below have in common."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - as above
        """Return the options and arguments with what stands behind them in the help."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if isinstance(param, TyperOption) and param.metavar is None:
                param.metavar = _shown(param, ctx)
            elif isinstance(param, TyperArgument):
                param.__class__ = PlainArgument
        return params


def _shown(option: TyperOption, ctx: Any) -> str | None:  # noqa: ANN401 - as above
    """Return what stands behind an option: nothing for a switch; None leaves what Typer shows."""
    if option.is_flag:
        return ""
    shown = option.display_type(ctx).strip("<>")
    if shown in _WORDS:
        return _WORDS[shown]
    if shown.startswith("list["):
        return shown.removeprefix("list[").removesuffix("]")
    return "NUMBER" if shown.endswith(" range") else shown


class PlainCommand(_Plain, TyperCommand):
    """A command with plain help, which says what to do about the files that a shell made of `*.jpg`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as above
        """Read the words behind the command."""
        words = tuple(args)  # reading takes them out of the list
        try:
            rest: list[str] = super().parse_args(ctx, args)
        except TyperException as error:
            files = [word for word in words if Path(word).is_file()]
            if "unexpected extra argument" in error.message and len(files) > 2:
                folder = f"{Path(files[0]).parent}/"
                error.message += f". Name one image, or the folder of several, such as {folder}"
            raise
        return rest


class PlainGroup(_Plain, TyperGroup):
    """A group of commands with plain help."""
