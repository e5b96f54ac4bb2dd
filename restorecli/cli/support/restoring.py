"""What `restore` does beside `api`: it reads --set, and says what was tuned, planned, checked and done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from restorecli import api
from restorecli.cli import render
from restorecli.cores import keep_to_free_cores
from restorecli.counting import counted
from restorecli.restoration.methods.catalog import settings_for
from restorecli.restoration.purposes import model_named
from restorecli.result import CommandResult

if TYPE_CHECKING:  # torch, which takes seconds, is imported once the options are known to be right
    from restorecli.tune.tuning import Tried, Tuning

_SHOWN = 6


def parameters(model: str, settings: Sequence[str]) -> dict[str, object]:
    """Return the parameters that `--set` gives to a method, which may be called by a word for its purpose."""
    return settings_for(model_named(model), settings)


def run(asked: api.RestoreOptions, *, quiet: bool, as_json: bool) -> None:
    """Restore, and say what came of it.

    Args:
        asked: What was asked for.
        quiet: Name what failed, and nothing else.
        as_json: Print the result as JSON, too.
    """
    if asked.cluster is None:
        keep_to_free_cores(busy=True)
    result = api.run_restore(asked)
    if result.tuning is not None and not quiet:
        _print_tuning(result.tuning)
    if not quiet:
        render.say(*result.kinds)
    render.folder_summary(result, json_wanted=as_json, quiet=quiet)


def check_tiles(asked: api.RestoreOptions, *, as_json: bool) -> None:
    """Say how far tiles are from the whole first image; nothing is written."""
    image, check = api.check_restore_tiles(asked)
    if as_json:
        render.as_json(CommandResult("restore", {"picture": str(image), **check.to_dict()}))
    close = "equal to the whole" if check.psnr == math.inf else f"{check.psnr:.1f} dB to the whole"
    exact = ", as they must be" if check.exact else ""
    render.say(
        f"{PurePath(image).name}: tiles of {check.tile} px that share {check.overlap} px are {close}{exact}; "
        f"steps at their joins are {check.seam_ratio:.2f} times those of the whole."
    )
    if check.enough is None:
        render.say(f"No overlap was enough with tiles of {check.tile} px: try a larger --tile.")
    else:
        render.say(
            f"An overlap of {check.enough} px is enough for {check.wanted:.0f} dB. Nothing was written."
        )


def plan(asked: api.RestoreOptions, *, as_json: bool) -> None:
    """Say what a run would do; nothing is written."""
    planned = api.plan_restore(asked)
    if as_json:
        render.as_json(CommandResult("restore", planned.to_dict(), notes=planned.notes))
    finished = f" ({planned.finished} finished already)" if planned.finished else ""
    count = f"{counted(planned.images, 'image')}, {planned.megapixels:.1f} MP"
    render.say(*planned.kinds)
    render.say(f"{count}, would be restored with {planned.model} -> {planned.output}{finished}")
    if planned.seconds is not None:
        render.say(f"This would take about {render.duration(planned.seconds)}. Nothing was written.")
    render.say(*(f"note: {note}" for note in planned.notes))


def _print_tuning(tuning: Tuning) -> None:
    """Show on stderr what was tried, and what was picked."""
    rows = [(tried.name, _shown(tried.default), _span(tried), _shown(tried.best)) for tried in tuning.tried]
    render.table(("parameter", "default", "tried", "best"), rows, stderr=True)
    render.say(
        f"PSNR {tuning.before:.2f} -> {tuning.after:.2f} dB, mean over {tuning.pairs} of {tuning.of} pairs."
    )
    if tuning.unmatched:
        render.say(f"Without a counterpart: {counted(tuning.unmatched, 'image')}.")
    render.say(f"The same again: {tuning.words}" if tuning.words else "The defaults are the best.")


def _span(tried: Tried) -> str:
    values = [value for value, _ in tried.scores]
    if len(values) <= _SHOWN:
        return ", ".join(map(_shown, values))
    return f"{len(values)} from {_shown(values[0])} to {_shown(values[-1])}"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
