"""Parameters in a person's words: what may be set, what holds if it is not, and what is drawn or tried."""

from __future__ import annotations

from restorecli.degradation.parameters import ParameterInfo, Value

_UNITS = {"0-255 scale": "8-bit levels", "px": "pixels"}


def described(info: ParameterInfo) -> str:
    """Return what may be set and the default, e.g. "0 to 510, 8-bit levels; default 25"."""
    return f"{_allowed(info)}; default {_value(info.default)}"


def drawn(text: str) -> str:
    """Return a range of the sampler in words: "log 1..60" is "1 to 60, small values more often"."""
    bare = text.removeprefix("log ")
    low, dots, high = bare.partition("..")
    words = f"{_number(float(low))} to {_number(float(high))}" if dots else bare.replace(",", ", ")
    return f"{words}, small values more often" if text.startswith("log ") else words


def _allowed(info: ParameterInfo) -> str:
    if info.choices:
        return " or ".join(_listed(info.choices))
    if info.kind is bool:
        return "yes or no"
    if info.kind is str:
        return "text"
    whole = "whole numbers " if info.kind is int else ""
    unit = _UNITS.get(info.unit, info.unit)
    return f"{whole}{_range(info)}{f', {unit}' if unit else ''}"


def _listed(choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the choices for "or" between the last two, commas before."""
    if len(choices) < 3:
        return choices
    return ", ".join(choices[:-1]), choices[-1]


def _range(info: ParameterInfo) -> str:
    if info.low is not None and info.high is not None:
        return f"{_number(info.low)} to {_number(info.high)}"
    if info.low is not None:
        return f"from {_number(info.low)}"
    return "any number" if info.high is None else f"up to {_number(info.high)}"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or '""' if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    """Return a number without needless digits: 25, 0.75, 1,000,000."""
    return f"{value:,.10g}"
