"""The templates of the page: whatever a name holds, it stays text."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from restorecli.evaluation.tables.cells import NO_VALUE, format_number, format_summary
from restorecli.report.panels import printable

if TYPE_CHECKING:
    from restorecli.evaluation.metrics.metric import Metric
    from restorecli.evaluation.statistics.intervals import Interval
    from restorecli.evaluation.statistics.summary import Summary

_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_MIN_P = 0.0001
_MAX_OPTION = 60


def rendered(template: str, **values: object) -> str:
    """Return a template of this package filled in.

    Every value that is not `Markup` is escaped, and its control, direction and undecodable characters are
    spelled out.

    Args:
        template: Name of a file in `templates`.
        values: What the template asks for; anything it asks for beside is an error.
    """
    return _environment().get_template(template).render(values)


def data_island(value: object) -> Markup:
    """Return data for the page's script, to stand inside a script element that no browser runs.

    Args:
        value: What JSON can hold, without infinity and not-a-number; no text in it can end the element, since
            `<`, `>` and `&` are written as JSON escapes, and so is everything outside ASCII.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.translate(_UNSAFE))  # noqa: S704


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("restorecli.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=_number,
        direction=direction,
        verdict=_verdict,
        spread=_spread,
        interval=_interval,
        p_value=_p_value,
        shortened=_shortened,
    )
    return environment


def _finalized(value: object) -> object:
    return value if isinstance(value, Markup) else printable(str(value))


def direction(metric: Metric) -> str:
    """Return which way a metric improves, in words; nothing where it has no direction."""
    return {True: "higher is better", False: "lower is better", None: ""}[metric.higher_is_better]


def _number(value: float | None, metric: Metric, *, signed: bool = False) -> str:
    return format_number(value, metric.decimals, signed=signed)


def _verdict(gain: float | None, metric: Metric) -> str:
    if not gain or metric.higher_is_better is None:
        return ""
    return "gain" if (gain > 0) == metric.higher_is_better else "loss"


def _spread(summary: Summary, metric: Metric) -> str:
    return format_summary(summary, metric.decimals).partition(" ")[2]


def _interval(ends: Interval | None, metric: Metric) -> str:
    if ends is None:
        return NO_VALUE
    return " to ".join(format_number(end, metric.decimals, signed=True) for end in ends)


def _p_value(value: float | None) -> str:
    if value is None:
        return NO_VALUE
    return f"{value:.4f}" if value >= _MIN_P else f"<{_MIN_P:.4f}"


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_OPTION else f"{text[:_MAX_OPTION]}…"
