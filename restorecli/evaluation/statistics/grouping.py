"""Groups of images: by category, by what was done to them, by any field of the manifest, and crossed."""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from restorecli.catalogs import did_you_mean
from restorecli.errors import UsageError
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.pairing.pairs import Pair
from restorecli.evaluation.result import Group, GroupScores, PairScore
from restorecli.folders.made import Made
from restorecli.folders.manifest import Record
from restorecli.folders.walking import NO_CATEGORY

MISSING = "-"
"""The value of a field that an image does not have."""

TOP_FOLDER = "(top folder)"
"""The category of images that lie in no sub-folder, where others do: "all" would read as "overall"."""

_SOURCE_PREFIX = "source_"  # what `restore` remembers of a file in order to know it again

MAX_GROUP_VALUES = 12
"""A numeric field with more distinct values than this is cut into ranges."""

_RANGES = 8  # at most about so many, of a width that reads well
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of an evaluation, and what a reader should know about them."""

    groups: Mapping[str, Group]
    notes: tuple[str, ...] = ()


def fields_of(pair: Pair) -> dict[str, str]:
    """Return what is known about an image, by the names that `--by` understands.

    Args:
        pair: Its manifest's line says what was done to it, where there is one.

    Returns:
        Beside "category" and "defect": "degradation" (the names of the chain joined by "+"), every drawn
        value as "gaussian.sigma" (a step of a name that came before is "gaussian-2.sigma"), "severity" (those
        of the steps, joined by "+" where they differ), "seed", "unclipped", "version", and of the restorer
        "model" and e.g. "restorer.precision". Numbers are in their shortest form.
    """
    fields = {"category": pair.category}
    if pair.defect is not None:
        fields["defect"] = pair.defect
    record = pair.record
    if record is None:
        return fields
    fields |= _steps(record)
    if record.seed is not None:
        fields["seed"] = str(record.seed)
    fields |= {"unclipped": _word(record.unclipped), "version": record.version}
    for name, value in (record.restorer or {}).items():
        if not isinstance(value, Mapping) and not name.startswith(_SOURCE_PREFIX):
            fields[sys.intern(f"restorer.{name}")] = _word(value)
    if "restorer.name" in fields:
        fields["model"] = fields.pop("restorer.name")
    return fields


def check_fields(pairs: Sequence[Pair], by: Sequence[str]) -> None:
    """Refuse names of fields before anything is scored.

    Raises:
        UsageError: No image has such a field, or its short name could mean several.
    """
    if set(by) - {"category", "defect"} and pairs:
        known = tuple(dict.fromkeys(name for pair in pairs for name in fields_of(pair)))
        for name in by:
            resolve_field(name, known)


def group_by(scores: Sequence[PairScore], by: Sequence[str], metrics: Sequence[Metric]) -> Grouping:
    """Summarize images by the values of some fields.

    Args:
        scores: The images, with their fields.
        by: Names of fields, of which the values are crossed. A drawn value may be named without its
            degradation ("sigma") where only one degradation has it.
        metrics: What was measured.

    Returns:
        The groups in the order of their values, numbers by size; a numeric field with more than 12 values is
        cut into ranges of equal width, which a note says. An image without a field has the value "-".

    Raises:
        UsageError: No image has such a field, or its short name could mean several.
    """
    keys, notes = _keys(scores, by)
    columns = {key: GroupScores(metrics) for key in _ordered(keys)}
    for score, key in zip(scores, keys, strict=True):
        columns[key].add(score)
    return Grouping({"/".join(key): of.group(key) for key, of in columns.items()}, notes)


def split(
    scores: Sequence[PairScore], by: Sequence[str]
) -> tuple[dict[tuple[str, ...], list[PairScore]], tuple[str, ...]]:
    """Return the images of every group, in the order of the groups, and the notes; see `group_by`."""
    keys, notes = _keys(scores, by)
    members: dict[tuple[str, ...], list[PairScore]] = {key: [] for key in _ordered(keys)}
    for score, key in zip(scores, keys, strict=True):
        members[key].append(score)
    return members, notes


Key = tuple[str, ...]
"""The values that the images of a group have in common."""


def _keys(scores: Sequence[PairScore], by: Sequence[str]) -> tuple[Sequence[Key], tuple[str, ...]]:
    """Return the group of every image, of which only numbers are kept, and the notes."""
    known: tuple[str, ...] = ()
    if set(by) - {"category", "defect"}:
        known = tuple(dict.fromkeys(name for score in scores for name in score.fields))
    notes: list[str] = []
    columns: list[tuple[array[int], list[str]]] = []
    for name in by:
        full = resolve_field(name, known)
        seen: dict[str, int] = {}
        numbers = array("I", (seen.setdefault(_value(score, full), len(seen)) for score in scores))
        labels, note = _in_ranges(name, list(seen))
        if labels == [TOP_FOLDER]:
            labels = [NO_CATEGORY]
        columns.append((numbers, labels))
        notes += [note] if note else []

    def key(place: int) -> Key:
        return tuple(labels[numbers[place]] for numbers, labels in columns)

    return Made(len(scores), key), tuple(notes)


def _value(score: PairScore, name: str) -> str:
    """Return what a field of an image says."""
    if name == "category":
        is_on_top = score.pair.category == NO_CATEGORY and "/" not in score.pair.path
        return TOP_FOLDER if is_on_top else score.pair.category
    return (score.pair.defect or MISSING) if name == "defect" else score.fields.get(name, MISSING)


def _ordered(keys: Iterable[Key]) -> list[Key]:
    return sorted(set(keys), key=lambda key: tuple(_order(value) for value in key))


def resolve_field(name: str, known: Sequence[str]) -> str:
    """Return the full name of a field.

    Raises:
        UsageError: There is no such field, with the nearest one; or the short name could mean several.
    """
    wanted = "model" if name == "restorer" else name
    if wanted in known or wanted in ("category", "defect"):
        return wanted
    found = [full for full in known if full.rpartition(".")[2] == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{name!r} could mean several fields of the manifest.",
            expected=" or ".join(found),
            got=repr(name),
        )
    short = [full.rpartition(".")[2] for full in known]
    raise UsageError(
        "Unknown field for --by.",
        expected=", ".join(known),
        got=repr(name),
        hint=did_you_mean(wanted, [*known, *short]),
    )


def _steps(record: Record) -> dict[str, str]:
    """Return the names of the chain, the drawn values of each step, and their severity."""
    fields: dict[str, str] = {}
    names: list[str] = []
    severities: list[str] = []
    for step in record.history:
        name = str(step.get("name", ""))
        names.append(name)
        label = name if names.count(name) == 1 else f"{name}-{names.count(name)}"
        if "severity" in step:
            severities.append(_word(step["severity"]))
        fields |= {sys.intern(f"{label}.{key}"): _word(value) for key, value in step.items() if key != "name"}
    if names:
        fields["degradation"] = sys.intern("+".join(names))
    if severities:
        fields["severity"] = severities[0] if len(set(severities)) == 1 else "+".join(severities)
    return fields


def _word(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: str) -> float | None:
    """Return the number that a value (or the lower end of a range) is, or None."""
    try:
        number = float(value.partition("..")[0])
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _order(value: str) -> tuple[int, float, str]:
    """Numbers by size, then words, then what is missing."""
    number = _number(value)
    if number is not None:
        return 0, number, value
    return (2 if value == MISSING else 1), 0.0, value


def _in_ranges(name: str, values: Sequence[str]) -> tuple[list[str], str | None]:
    """Cut the values of a field, each of which comes once, into ranges where they are many numbers."""
    distinct = set(values) - {MISSING}
    numbers = {value: number for value in distinct if (number := _number(value)) is not None}
    if len(distinct) <= MAX_GROUP_VALUES or len(numbers) < len(distinct):
        return list(values), None
    low, high = min(numbers.values()), max(numbers.values())
    width = _width(low, high)
    first, last = math.floor(low / width), max(math.ceil(high / width) - 1, math.floor(low / width))
    labels = {
        value: _label(min(max(math.floor(number / width), first), last), width)
        for value, number in numbers.items()
    }
    note = (
        f"{name} has {len(distinct)} values from {low:g} to {high:g}, shown in ranges of {width:g}; "
        "a range holds its lower end, and the last one both ends"
    )
    return [labels.get(value, value) for value in values], note


def _width(low: float, high: float) -> float:
    """Return the width of 1, 2, 2.5 or 5 times a power of ten that gives at most about eight ranges."""
    raw = (high - low) / _RANGES
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in _STEPS if step * power >= raw * (1 - 1e-9))


def _label(index: int, width: float) -> str:
    return f"{index * width:.12g}..{(index + 1) * width:.12g}"
