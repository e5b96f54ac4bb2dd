"""`restorecli restore --tune`: what was tried, what was picked, and the words that give the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restorecli.cli import render

if TYPE_CHECKING:
    from restorecli.tune.tuning import Tried, Tuning

_SHOWN = 6


def show(tuning: Tuning) -> None:
    """Show on stderr what was tried, and what was picked."""
    rows = [(tried.name, _shown(tried.default), _span(tried), _shown(tried.best)) for tried in tuning.tried]
    render.table(("parameter", "default", "tried", "best"), rows, stderr=True)
    render.say(
        f"PSNR {tuning.before:.2f} -> {tuning.after:.2f} dB, mean over {tuning.pairs} of {tuning.of} pairs."
    )
    if tuning.unmatched:
        render.say(f"{tuning.unmatched} images have no counterpart.")
    render.say(f"The same again: {tuning.words}" if tuning.words else "The defaults are the best.")


def _span(tried: Tried) -> str:
    values = [value for value, _ in tried.scores]
    if len(values) <= _SHOWN:
        return ", ".join(map(_shown, values))
    return f"{len(values)} from {_shown(values[0])} to {_shown(values[-1])}"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
