"""An evaluation as JSON, and back: what `eval --json` prints can be plotted, or be the baseline of a gate."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from restorecli.errors import DataError, UsageError
from restorecli.evaluation.metrics.catalog import DEFAULT, find_metrics
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.pairing.pairs import Pair, Side, Source, Unmatched
from restorecli.evaluation.parts import Part
from restorecli.evaluation.result import Evaluation, Group, PairScore, Scores
from restorecli.evaluation.statistics.intervals import Interval
from restorecli.evaluation.statistics.summary import Summary
from restorecli.folders.packed import Packed
from restorecli.folders.shards import Shard
from restorecli.result import unwrapped

Object = Mapping[str, object]
Value = TypeVar("Value")

_SIDES: tuple[Side, ...] = ("degraded", "restored", "reference", "mask")


def to_json(evaluation: Evaluation) -> str:
    """Return the one object that `eval --json` prints; infinity is the string "inf"."""
    return json.dumps(evaluation.to_dict(), indent=2, allow_nan=False)


def read_evaluation(path: Path) -> Evaluation:
    """Read an evaluation that `eval --json` printed into a file.

    Files of versions whose JSON had no envelope are read as well. Every number comes back to the last digit,
    and `to_dict` of what is read is what was printed. Files of images are relative to the folders that were
    given then; manifests are not read again.

    Args:
        path: The file.

    Raises:
        DataError: It is no such file.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise DataError("The saved scores cannot be read.", got=str(fault), file=path) from fault
    except (ValueError, RecursionError) as fault:
        raise _no_evaluation(path, f"no JSON: {fault}") from fault
    try:
        return evaluation_from(_object(unwrapped(document)))
    except (KeyError, TypeError, ValueError, OverflowError) as fault:
        raise _no_evaluation(path, f"{type(fault).__name__}: {fault}") from fault
    except UsageError as fault:
        raise _no_evaluation(path, f"{fault.problem}: {fault.got}") from fault


def evaluation_from(document: Object) -> Evaluation:
    """Return the evaluation of a JSON object.

    Raises:
        KeyError: A part is missing.
        TypeError: A part is of the wrong kind.
        ValueError: A list has another length.
        OverflowError: A number is too large.
        UsageError: A metric is unknown.
    """
    metrics = find_metrics([_text(name) for name in _list(document.get("metrics", list(DEFAULT)))])
    names = [metric.name for metric in metrics]
    folders = {side: _text(place) for side, place in _object(document.get("folders", {})).items()}
    categories = {
        name: _group(_object(group), metrics, name) for name, group in _object(document["categories"]).items()
    }
    return Evaluation(
        overall=_group(_object(document["overall"]), metrics),
        categories=categories,
        images=Packed(_image(_object(line), names, folders) for line in _list(document["images"])),
        unmatched=tuple(_unmatched(_object(entry)) for entry in _list(document["unmatched"])),
        notes=tuple(_text(note) for note in _list(document["notes"])),
        protocol=_text(document["protocol"]),
        metrics=metrics,
        by=tuple(_text(name) for name in _list(document.get("by", ["category"]))),
        groups={
            name: _group(_object(group), metrics, name)
            for name, group in _object(document.get("groups", document["categories"])).items()
        },
        part=None if "part" not in document else _part(_object(document["part"])),
    )


def _no_evaluation(path: Path, got: str) -> DataError:
    return DataError(
        "This file holds no saved scores.",
        expected="what `restorecli eval --json` prints",
        got=got[:200],
        file=path,
        hint=f"restorecli eval --json > {path.name}",
    )


def _group(line: Object, metrics: tuple[Metric, ...], name: str | None = None) -> Group:
    sides = {
        side: None
        if line.get(side) is None
        else {metric.name: _summary(_object(line[side]), metric) for metric in metrics}
        for side in ("degraded", "restored")
    }
    values = [] if name is None else line.get("values", [name])
    return Group(
        n=_whole(line["n"]),
        degraded=sides["degraded"],
        restored=sides["restored"],
        gain=_mapped(line.get("gain"), _number),
        gain_intervals=_mapped(line.get("gain_intervals"), _interval),
        values=tuple(_text(value) for value in _list(values)),
    )


def _summary(side: Object, metric: Metric) -> Summary:
    def part(name: str) -> object:
        return side.get(f"{metric.name}_{name}")

    return Summary(
        n=_whole(part("n")),
        identical=_whole(part("identical") or 0),
        undefined=_whole(part("undefined") or 0),
        mean=_number(side[metric.name]),
        std=_number(part("std")),
        median=_number(part("median")),
        minimum=_number(part("min")),
        worst=_number(part("worst")),
        interval=_interval(part("interval")),
    )


def _image(line: Object, names: list[str], folders: Mapping[str, str]) -> PairScore:
    sources: dict[str, Source | None] = dict.fromkeys(_SIDES)
    scores: dict[str, Scores | None] = {}
    for side in ("degraded", "restored"):
        known = line.get(side)
        if known is not None:
            entry = _object(known)
            sources[side] = _source(entry["file"], side, folders)
            measured = [name for name in names if name in entry]
            scores[side] = {name: _number(entry[name]) for name in measured} if measured else None
    for side in ("reference", "mask"):
        if line.get(side) is not None:
            sources[side] = _source(line[side], side, folders)
    defect = line.get("defect")
    pair = Pair(
        path=_text(line["path"]),
        category=_text(line["category"]),
        defect=None if defect is None else _text(defect),
        reference=sources["reference"],
        restored=sources["restored"],
        degraded=sources["degraded"],
        mask=sources["mask"],
    )
    fields = {"category": pair.category} | ({} if pair.defect is None else {"defect": pair.defect})
    fields |= {name: _text(value) for name, value in _object(line.get("fields", {})).items()}
    notes = tuple(_text(note) for note in _list(line.get("notes", [])))
    return PairScore(pair, scores.get("degraded"), scores.get("restored"), notes, fields)


def _part(line: Object) -> Part:
    return Part(
        shard=Shard.parse(_text(line["shard"])),
        folder=_text(line["folder"]),
        pairs=_whole(line["pairs"]),
        notes=tuple(_text(note) for note in _list(line["notes"])),
        images=tuple(_whole(place) for place in _list(line["images"])),
        unmatched=tuple(_whole(place) for place in _list(line["unmatched"])),
    )


def _source(locator: object, side: str, folders: Mapping[str, str]) -> Source:
    return Source(_text(locator), Path(folders.get(side, ".")))


def _unmatched(entry: Object) -> Unmatched:
    side = next(side for side in _SIDES if side == _text(entry["side"]))
    return Unmatched(side, _text(entry["path"]), _text(entry["reason"]))


def _number(value: object) -> float | None:
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return None if value is None else float(value)
    if value in ("inf", "-inf"):
        return math.inf if value == "inf" else -math.inf
    raise TypeError(f"no number: {value!r:.40}")


def _interval(value: object) -> Interval | None:
    if value is None:
        return None
    low, high = (_number(end) for end in _list(value))
    if low is None or high is None:
        raise TypeError("an interval without an end")
    return low, high


def _mapped(value: object, read: Callable[[object], Value]) -> dict[str, Value] | None:
    return None if value is None else {name: read(entry) for name, entry in _object(value).items()}


def _object(value: object) -> Object:
    if isinstance(value, dict):
        return value
    raise TypeError(f"no object: {value!r:.40}")


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise TypeError(f"no list: {value!r:.40}")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"no text: {value!r:.40}")


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"no whole number: {value!r:.40}")
