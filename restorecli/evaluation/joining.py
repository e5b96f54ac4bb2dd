"""Parts of an evaluation, saved by several processes, become one, equal to the digit to that of a single."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from restorecli.counting import counted
from restorecli.errors import DataError, UsageError
from restorecli.evaluation.parts import Part
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.assembly import assemble
from restorecli.evaluation.tables.saved import read_evaluation
from restorecli.folders.packed import Packed

Entry = TypeVar("Entry")

_HINT = "restorecli eval RESTORED REFERENCE --shard 1/4 --json > parts/1.json, and so on to 4/4"


@dataclass(frozen=True, slots=True)
class Joined:
    """An evaluation that was put together, the name of the folder it is of, and the files it came from."""

    evaluation: Evaluation
    folder: str
    files: tuple[Path, ...]


def join_parts(folder: Path, by: Sequence[str] = ("category",)) -> Joined:
    """Put the parts of an evaluation together.

    Scores, groups, intervals and lists are those of an evaluation of the whole folder by one process.

    Args:
        folder: Where `eval --shard I/N --json` was written to, one JSON file for each part and no other.
        by: Fields whose values, crossed, make the groups; the parts hold all fields.

    Raises:
        DataError: A file is no part, a part is missing or there twice, or not one pair was scored.
        UsageError: The parts were made by different metrics, protocols or folders; or a field is unknown.
    """
    files = tuple(sorted(folder.glob("*.json")))
    found = [_read(file) for file in files]
    if not found:
        raise DataError(
            "There are no parts to join.",
            expected="the JSON that `restorecli eval --shard I/N --json` prints, a file for each part",
            got="a folder without *.json" if folder.is_dir() else "no such folder",
            file=folder,
            hint=_HINT,
        )
    _check_complete(folder, [part for _, part in found])
    first, about = found[0]
    for (evaluation, part), file in zip(found, files, strict=True):
        _check_alike(_made_by(evaluation, part), _made_by(first, about), file)
    images = Packed(_in_order((part.images, evaluation.images) for evaluation, part in found))
    unmatched = _in_order((part.unmatched, evaluation.unmatched) for evaluation, part in found)
    if not images:
        raise DataError("Not one pair could be scored.", got="parts without a score", file=folder)
    joined = assemble(images, tuple(unmatched), metrics=first.metrics, by=by, protocol=first.protocol)
    return Joined(replace(joined, notes=(*about.notes, *joined.notes)), about.folder, files)


def check_comparable(evaluation: Evaluation, rivals: Mapping[str, Evaluation]) -> None:
    """Refuse to compare scores that were computed otherwise.

    Raises:
        UsageError: The metrics or the protocol of a rival differ.
    """
    wanted = _computed_by(evaluation)
    for name, rival in rivals.items():
        for what, value in _computed_by(rival).items():
            if value != wanted[what]:
                raise UsageError(
                    f"The {what} of {name} differ from those of what it is compared with.",
                    expected=wanted[what],
                    got=value,
                    hint="score the parts of every method by the same --metrics and --protocol",
                )


def _read(file: Path) -> tuple[Evaluation, Part]:
    evaluation = read_evaluation(file)
    if evaluation.part is None:
        raise DataError(
            "These saved scores are no part of an evaluation.",
            expected="what `restorecli eval --shard I/N --json` prints",
            got="scores of a whole folder",
            file=file,
            hint="move it elsewhere: the folder is to hold the parts alone",
        )
    return evaluation, evaluation.part


def _check_complete(folder: Path, parts: Sequence[Part]) -> None:
    """Refuse parts of which one is missing, or there twice.

    Raises:
        DataError: It is so.
    """
    count = parts[0].shard.count
    numbers = sorted(part.shard.number for part in parts if part.shard.count == count)
    if numbers != list(range(1, count + 1)) or len(numbers) != len(parts):
        raise DataError(
            "The parts do not make a whole.",
            expected=f"{counted(count, 'part')}, 1/{count} to {count}/{count}, each once",
            got=", ".join(f"{part.shard.number}/{part.shard.count}" for part in parts),
            file=folder,
            hint=_HINT,
        )


def _made_by(evaluation: Evaluation, part: Part) -> dict[str, str]:
    """Return what must be equal in all parts, in words."""
    return {
        **_computed_by(evaluation),
        "folder": f"{part.folder} with {counted(part.pairs, 'pair')}",
        "notes": "; ".join(part.notes),
    }


def _computed_by(evaluation: Evaluation) -> dict[str, str]:
    metrics = ", ".join(metric.name for metric in evaluation.metrics)
    return {"metrics": metrics, "protocol": evaluation.protocol}


def _check_alike(made: dict[str, str], wanted: dict[str, str], file: Path) -> None:
    """Refuse a part that was not made like the others.

    Raises:
        UsageError: It was not.
    """
    for what, value in wanted.items():
        if made[what] != value:
            raise UsageError(
                f"The parts differ in their {what}: they are not of one evaluation.",
                expected=value,
                got=made[what],
                file=str(file),
                hint="make all parts by the same command, from the same images",
            )


def _in_order(parts: Iterable[tuple[Sequence[int], Iterable[Entry]]]) -> Iterator[Entry]:
    """Yield the entries of all parts by their places in the whole."""
    numbered = [zip(places, entries, strict=True) for places, entries in parts]
    for _, entry in heapq.merge(*numbered, key=itemgetter(0)):
        yield entry
