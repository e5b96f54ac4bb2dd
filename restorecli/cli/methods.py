"""`restorecli eval --against` and `--list-metrics`: other methods, and what can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.cli import render
from restorecli.cli.progress import BarProgress
from restorecli.errors import DataError, UsageError

if TYPE_CHECKING:
    from restorecli.evaluation.result import Evaluation
    from restorecli.evaluation.scoring import Redegrade
    from restorecli.evaluation.statistics.comparison import Comparison


def read_rivals(words: Sequence[str], candidate: str) -> dict[str, Path]:
    """Read `--against NAME=DIR`; without a name it is the folder's.

    Raises:
        UsageError: A name is missing, or stands twice, or for the pictures that are evaluated.
    """
    rivals: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        path = Path(folder if equals else word)
        name = name if equals else path.name
        if not name or name in rivals or name == candidate or (equals and not folder):
            raise UsageError(
                "--against is not understood.",
                expected=f"NAME=DIR, each name once and none of them {candidate!r}",
                came=word,
                hint=f"--against other={path}",
            )
        rivals[name] = path
    return rivals


def compare_with(
    evaluation: Evaluation,
    rivals: dict[str, Path],
    *,
    name: str,
    groups: bool,
    protocol: str,
    redegrade: Redegrade,
    workers: int | None,
) -> tuple[Evaluation, Comparison | None]:
    """Score other methods on the same pictures.

    Returns:
        The evaluation with the notes about the others, and the comparison; None without others.
    """
    if not rivals:
        return evaluation, None
    from restorecli.evaluation.rivals import evaluate_rival
    from restorecli.evaluation.statistics.comparison import compare

    found = {
        rival: evaluate_rival(
            evaluation,
            folder,
            protocol=protocol,
            redegrade=redegrade,
            workers=workers,
            progress=BarProgress(),
        )
        for rival, folder in rivals.items()
    }
    notes = [f"{rival}: {note}" for rival, other in found.items() for note in other.notes]
    comparison = compare(evaluation, found, name=name, groups=groups)
    return replace(evaluation, notes=(*evaluation.notes, *notes)), comparison


def explain(restored: Path | None, reference: Path | None, *, as_json: bool) -> None:
    """Print one pair under every protocol: two files, or the first pair of a folder.

    Raises:
        DataError: There is no pair.
    """
    from restorecli.evaluation import explain as explaining
    from restorecli.evaluation.folder import default_folder
    from restorecli.evaluation.pairing.finding import pair_folder

    if restored is not None and restored.is_file() and reference is not None and reference.is_file():
        found = explaining.explain(restored, reference)
    else:
        folder = restored or default_folder()
        pairs = pair_folder(folder, reference).pairs
        if not pairs:
            raise DataError(
                "There is no pair to explain.", expected="a picture with its reference", file=folder
            )
        found = explaining.explain_pair(pairs[0])
    if as_json:
        render.data_json(found.to_dict())
        return
    render.table(found.headers, found.rows)
    render.say(f"{found.restored} against {found.reference}.")


def list_metrics(*, as_json: bool) -> None:
    """Print every metric: its direction, what it needs, and its definition."""
    from restorecli.evaluation.metrics.catalog import DEFAULT, METRICS

    better = {True: "higher", False: "lower", None: None}
    if as_json:
        render.data_json(
            [
                {
                    "name": name,
                    "title": metric.title,
                    "unit": metric.unit,
                    "better": better[metric.higher_is_better],
                    "needs": sorted(metric.needs),
                    "offline": metric.offline,
                    "default": name in DEFAULT,
                    "definition": metric.definition,
                }
                for name, metric in METRICS.items()
            ]
        )
        return
    rows = [
        (
            name,
            metric.unit or "-",
            better[metric.higher_is_better] or "-",
            ", ".join(sorted(metric.needs)) or "-",
            metric.definition if metric.offline else f"{metric.definition} (needs an extra)",
        )
        for name, metric in METRICS.items()
    ]
    render.table(("metric", "unit", "better", "needs", "what it is"), rows)
    render.say("--metrics takes names with commas between them, or all: those that need no extra.")
