"""`restorecli eval --against` and `--list-metrics`: other methods, and what can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from restorecli.cli import render
from restorecli.errors import DataError, UsageError
from restorecli.evaluation import explain as explaining
from restorecli.evaluation.folder import default_folder
from restorecli.evaluation.metrics.catalog import DEFAULT, METRICS
from restorecli.evaluation.pairing.finding import pair_folder
from restorecli.result import CommandResult


def read_rivals(words: Sequence[str]) -> dict[str, Path]:
    """Read `--against NAME=DIR`; without a name it is the folder's.

    Raises:
        UsageError: A folder is missing, or a name stands twice.
    """
    rivals: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        path = Path(folder if equals else word)
        name = name if equals else path.name
        if name in rivals or (equals and not folder):
            raise UsageError(
                "--against is not understood.",
                expected="NAME=DIR, each name once",
                got=word,
                hint=f"--against other={path}",
            )
        rivals[name] = path
    return rivals


def explain(restored: Path | None, reference: Path | None, *, as_json: bool) -> None:
    """Print one pair under every protocol: two files, or the first pair of a folder.

    Raises:
        DataError: There is no pair.
    """
    if restored is not None and restored.is_file() and reference is not None and reference.is_file():
        found = explaining.explain(restored, reference)
    else:
        folder = restored or default_folder()
        pairs = pair_folder(folder, reference).pairs
        if not pairs:
            raise DataError(
                "There is no pair to explain.", expected="an image with its reference", file=folder
            )
        found = explaining.explain_pair(pairs[0])
    if as_json:
        render.as_json(CommandResult("eval", found.to_dict()))
        return
    render.table(found.headers, found.rows)
    render.say(f"{found.restored} against {found.reference}.")


def list_metrics(*, as_json: bool) -> None:
    """Print every metric: its direction, what it needs, and its definition."""
    better = {True: "higher", False: "lower", None: None}
    if as_json:
        listed = [
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
        render.as_json(CommandResult("eval", listed))
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
