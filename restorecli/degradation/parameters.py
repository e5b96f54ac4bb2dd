"""What is known about one parameter of a degradation: unit, bounds, default random range; and its checks."""

from __future__ import annotations

import dataclasses
import math
import sys
from abc import ABC
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from restorecli.catalogs import closest
from restorecli.errors import UsageError

Value = bool | int | float | str
"""What a parameter may hold; each of them survives JSON unchanged."""

_METADATA_KEY = "info"
_SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """What is declared of one parameter: it gives its checks, its help text and its random range.

    Attributes:
        name: The parameter's name, the same in Python, YAML and on the command line.
        kind: bool, int, float or str.
        default: The value when none is given.
        unit: The unit in words, e.g. "px" or "0-255 scale"; empty where a number has none.
        low: The lowest allowed value (numbers only).
        high: The highest allowed value (numbers only).
        choices: The allowed words (text only).
        draw: The default random range in the sampler's notation; None keeps the default when drawing. Of a
            method without weights: the range that `restore --tune` searches; None is not searched.
        help: What it does, in one phrase.
    """

    name: str
    kind: type[Value]
    default: Value
    unit: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    draw: str | None
    help: str

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "any text"
        word = "a whole number" if self.kind is int else "a number"
        low = "" if self.low is None else f" from {self.low:g}"
        high = "" if self.high is None else f" up to {self.high:g}"
        return f"{word}{low}{high}{f' ({self.unit})' if self.unit else ''}"

    def check(self, value: object, owner: str) -> Value:
        """Return `value` as the parameter's own kind.

        Args:
            value: A candidate; whole floats pass as integers and NumPy scalars as Python's numbers.
            owner: The degradation's name, for the message.

        Raises:
            UsageError: Wrong kind, out of bounds, or not one of the choices.
        """
        checked = self._cast(value)
        if checked is None or not self._inside(checked):
            near = closest(str(value), self.choices)
            raise UsageError(
                f"{owner}.{self.name} cannot be {value!r}.",
                expected=self.allowed,
                got=repr(value),
                hint=f"{owner}.{self.name}={near or self.default}",
            )
        return checked

    def read(self, text: str, owner: str) -> Value:
        """Return the value that `text` (from a command line or YAML) writes down; checked like `check`."""
        word = text.strip()
        if self.kind is str:
            return self.check(word, owner)
        if self.kind is bool:
            return self.check(_SWITCHES.get(word.lower(), word), owner)
        try:
            return self.check(float(word), owner)
        except ValueError:
            return self.check(word, owner)

    def _cast(self, value: object) -> Value | None:
        if self.kind is bool or self.kind is str:
            return value if isinstance(value, (bool, str)) and type(value) is self.kind else None
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            return None
        if isinstance(value, int) and abs(value) > sys.float_info.max:
            return None
        number = float(value)
        if not math.isfinite(number):
            return None
        if self.kind is float:
            return number
        return int(number) if number.is_integer() else None

    def _inside(self, value: Value) -> bool:
        if isinstance(value, str):
            return not self.choices or value in self.choices
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def parameter(
    default: Value,
    *,
    help: str,  # noqa: A002 - the word that every option of the command line uses
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Iterable[str] = (),
    draw: str | None = None,
) -> Any:  # noqa: ANN401 - like dataclasses.field, it stands where the field's own type is expected
    """Declare a parameter of a degradation, as `dataclasses.field` declares a field.

    Args:
        default: The value when none is given; its type is the parameter's type.
        help: What it does, in one phrase.
        unit: The unit in words.
        low: The lowest allowed value.
        high: The highest allowed value.
        choices: The allowed words of a text parameter.
        draw: The default random range in the sampler's notation, e.g. "0..55"; of a method, what is searched.
    """
    info = ParameterInfo("", type(default), default, unit, low, high, tuple(choices), draw, help)
    return dataclasses.field(default=default, metadata={_METADATA_KEY: info})


@cache
def parameters_of(degradation: type[Any]) -> Mapping[str, ParameterInfo]:
    """Return the parameters of a degradation class by name, in the order of declaration.

    Raises:
        UsageError: A field is not made with `parameter`: nobody could set it, and no record would hold it.
    """
    fields = [field for field in dataclasses.fields(degradation) if field.init]
    bare = [field.name for field in fields if _METADATA_KEY not in field.metadata]
    if bare:
        raise UsageError(
            f"{degradation.name} has fields that are no parameters.",
            expected=f"{bare[0]}: float = parameter(0.5, low=0, high=1, help=...), for example",
            got=", ".join(bare),
            hint="from restorecli.degradation.base import parameter",
        )
    return {
        field.name: dataclasses.replace(field.metadata[_METADATA_KEY], name=field.name) for field in fields
    }


class WithParameters(ABC):
    """The base of degradations and methods: frozen dataclasses whose fields are made with `parameter`.

    Values are checked here, whoever builds one. A class outside restorecli that gives no name is called by
    its place "package.module:Name".
    """

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not cls.__module__.startswith("restorecli.") and "name" not in vars(cls):
            cls.name = f"{cls.__module__}:{cls.__qualname__}"

    def __post_init__(self) -> None:
        for name, info in parameters_of(type(self)).items():
            object.__setattr__(self, name, info.check(getattr(self, name), self.name))


def read_setting(setting: str, *, expected: str, hint: str) -> tuple[str, str, str]:
    """Take NAME.PARAM=VALUE of `--set` apart.

    Raises:
        UsageError: It is something else; `expected` and `hint` say what it should be.
    """
    place, equals, value = setting.partition("=")
    name, dot, key = place.strip().rpartition(".")
    if not (equals and dot and name and key):
        raise UsageError("--set is not understood.", expected=expected, got=setting, hint=hint)
    return name, key.strip(), value.strip()
