"""Which options of `evaluate` go with a part, and which with joining parts."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import TYPE_CHECKING, Any

from restorecli.errors import UsageError

if TYPE_CHECKING:
    from restorecli.api.evaluation import EvalOptions

_OF_ALL = frozenset(
    {"by", "against", "min_psnr", "baseline", "tolerance", "csv", "markdown", "latex", "report", "output"}
)
"""What looks at all images, and goes with `join`."""

_OF_SCORES = frozenset(
    {
        "restored",
        "reference",
        "degraded",
        "metrics",
        "protocol",
        "range",
        "masks",
        "strip_suffix",
        "shard",
        "cluster",
    }
)
"""What decides the scores, and goes with the parts."""


def check_together(options: EvalOptions) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: Some do not.
    """
    given = {entry.name for entry in fields(options) if getattr(options, entry.name) not in _unset(entry)}
    if options.join is not None and given & _OF_SCORES:
        raise UsageError(
            "The parts that are joined have their scores already.",
            expected="--join without what decides scores",
            got=_words(given & _OF_SCORES),
            hint="give it to every `restorecli eval --shard I/N --json` instead",
        )
    if options.shard is not None and given & _OF_ALL:
        raise UsageError(
            "A part says nothing of all images.",
            expected="--shard I/N without what needs all images",
            got=_words(given & _OF_ALL),
            hint="give it to the `restorecli eval --join FOLDER` that puts the parts together",
        )


def _unset(entry: Field[Any]) -> tuple[object, ...]:
    return (entry.default, None, (), {})


def _words(names: set[str]) -> str:
    arguments = {"restored": "RESTORED", "reference": "REFERENCE"}
    return ", ".join(arguments.get(name, f"--{name.replace('_', '-')}") for name in sorted(names))
