"""Each verb's options stand in one place, a frozen dataclass; here it becomes the function's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec, TypeVar, cast

from restorecli.api.wording import check_names, in_python_words

P = ParamSpec("P")
Options = TypeVar("Options")
Result = TypeVar("Result")

Item = TypeVar("Item", bound=str | Mapping[str, object])

_PLACE = "Args:\n    options: See the class.\n"


def from_keywords(
    name: str, options: Callable[P, Options], run: Callable[[Options], Result]
) -> Callable[P, Result]:
    """Return `run` as a function whose arguments are the fields of `options`.

    Args:
        name: Of the function.
        options: The dataclass; the lines below "Attributes:" in its docstring describe the arguments.
        run: What is called with it; its docstring becomes the function's.
    """
    shape = inspect.signature(options)

    @in_python_words
    def call(*args: P.args, **kwargs: P.kwargs) -> Result:
        check_names(name, list(shape.parameters), list(kwargs))
        try:
            shape.bind(*args, **kwargs)
        except TypeError as fault:
            raise TypeError(f"{name}() {fault}") from None
        return run(options(*args, **kwargs))

    call.__name__ = call.__qualname__ = name
    call.__module__ = run.__module__
    call.__doc__ = _described(run.__doc__ or "", options.__doc__ or "")
    returned = inspect.signature(run).return_annotation
    call.__signature__ = shape.replace(return_annotation=returned)  # type: ignore[attr-defined]
    return call


def listed(items: Item | Sequence[Item]) -> Sequence[Item]:
    """Return a list of one for a single name or mapping, and a list as it is."""
    return [cast(Item, items)] if isinstance(items, str | Mapping) else items


def _described(function: str, options: str) -> str:
    """Return the docstring of a function with the attributes of its options as arguments."""
    attributes = inspect.cleandoc(options).partition("Attributes:\n")[2]
    return inspect.cleandoc(function).replace(_PLACE, f"Args:\n{attributes}\n", 1)
