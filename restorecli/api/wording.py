"""Errors in Python's words: rooms name options as the command line does, Python calls by their argument."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from restorecli.catalogs import did_you_mean
from restorecli.errors import RestorecliError

P = ParamSpec("P")
Result = TypeVar("Result")

_OTHER_NAMES = {
    "format": "image_format",
    "overwrite": "overwrite=True",
    "set": "parameters",
}
"""Arguments that are called otherwise than the option of the command line."""

_COMMAND = re.compile(r"(\brestorecli [a-z][^`,;?]*)")
_OUTPUT = re.compile(r"(?<![\w-])-o/--output\b(?: DIR)?")
_SETTING = re.compile(r"--set (?P<owner>[\w-]+)\.(?P<name>[\w-]+)=(?P<value>[^\s,;]+)")
_OPTION = re.compile(r"(?<![\w-])--(?P<name>[a-z][a-z-]*)")


def in_python_words(function: Callable[P, Result]) -> Callable[P, Result]:
    """Return `function` with the errors it raises worded for Python; see `for_python`, `check_names`."""
    parameters = inspect.signature(function).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Result:
        if not takes_any:
            check_names(function.__name__, list(parameters), list(kwargs))
        try:
            return function(*args, **kwargs)
        except RestorecliError as error:
            raise for_python(error) from error.__cause__

    return call


def check_names(function: str, known: list[str], given: list[str]) -> None:
    """Refuse a misspelled argument, and name the nearest.

    Args:
        function: Its name.
        known: Its arguments.
        given: The keywords of a call.

    Raises:
        TypeError: As Python itself raises it.
    """
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            ending = f"; {hint}" if hint else ""
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{ending}")


def for_python(error: RestorecliError) -> RestorecliError:
    """Reword an error for Python, in place: "--to-srgb" becomes "to_srgb".

    Returns:
        The same error.
    """
    error.problem = python_words(error.problem)
    error.args = (error.problem,)
    error.expected = _reworded(error.expected)
    error.got = _reworded(error.got)
    error.hint = _reworded(error.hint)
    return error


def _reworded(text: str | None) -> str | None:
    return None if text is None else python_words(text)


def python_words(text: str) -> str:
    """Return a text with the command line's options as arguments of the functions.

    >>> python_words("use --tile auto, or another -o/--output")
    'use tile auto, or another output'
    >>> python_words("--set tv.strength=2")
    'parameters={"strength": 2}'
    >>> python_words("restorecli degrade --list")
    'in a shell: restorecli degrade --list'
    """
    parts = _COMMAND.split(text)  # what is to be typed into a shell stays, at every second place
    parts[::2] = [_options_reworded(part) for part in parts[::2]]
    if len(parts) > 1 and not parts[0]:
        return f"in a shell: {''.join(parts)}"
    return "".join(parts)


def _options_reworded(text: str) -> str:
    text = _OUTPUT.sub("output", text)
    text = _SETTING.sub(lambda found: f'parameters={{"{found["name"]}": {found["value"]}}}', text)
    return _OPTION.sub(lambda found: _argument(found["name"]), text)


def _argument(option: str) -> str:
    return _OTHER_NAMES.get(option, option).replace("-", "_")
