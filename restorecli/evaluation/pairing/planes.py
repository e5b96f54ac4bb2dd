"""Stacks are scored plane by plane: one pair for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from restorecli.errors import ImageError
from restorecli.evaluation.pairing.pairs import Pair, Source
from restorecli.folders.mirror import Mirror
from restorecli.folders.record import Record
from restorecli.images.options import ReadOptions
from restorecli.images.stacks import open_stack


def plane_by_plane(pairs: Iterable[Pair], remote: Mirror | None = None) -> Iterator[Pair]:
    """Yield the pairs; one whose image was made of several planes becomes one for each, named `path#0`.

    The manifest says which planes of the source they came from, and which of the reference those did.

    Args:
        pairs: As they were found; others stay as they are.
        remote: What mirrors folders that are remote.
    """
    for pair in pairs:
        yield from _planes(pair, remote)


def file_of(path: str) -> str:
    """Return the path of the file that a pair is of, "a.tif" for the plane "a.tif#2"."""
    file, _, number = path.rpartition("#")
    return file if file and number.isdigit() else path


def plane_of(source: Source, path: str) -> Source:
    """Return another file's plane of the number in a pair's path; the file itself where it has none."""
    number = path.removeprefix(file_of(path)).removeprefix("#")
    return replace(source, options=replace(source.options, frames=number)) if number else source


def _planes(pair: Pair, remote: Mirror | None) -> Iterator[Pair]:
    scored = pair.restored or pair.degraded
    record = pair.record
    count = 1
    if scored is not None and scored.file is not None and record is not None and record.reading.stack:
        count = _count(scored.file, remote)
    if record is None or count == 1:
        yield pair
        return
    for number in range(count):
        before = number + _first(record.reading)
        clean = before + (_first(record.reference_reading) if pair.restored is not None else 0)
        yield replace(
            pair,
            path=f"{pair.path}#{number}",
            restored=_plane(pair.restored, number),
            degraded=_plane(pair.degraded, number if pair.restored is None else before),
            reference=_plane(pair.reference, clean),
            record=_with_own_noise(record, before if pair.restored is not None else number),
        )


def _plane(source: Source | None, number: int) -> Source | None:
    return None if source is None else replace(source, options=replace(source.options, frames=str(number)))


def _with_own_noise(record: Record, number: int) -> Record:
    """Return the line of a plane: `degrade` names the generators of each by its number."""
    return record if record.key is None else replace(record, key=f"{record.key}#{number}")


def _first(options: ReadOptions) -> int:
    first = options.frames.partition("..")[0]
    return int(first) if first.isdigit() else 0


def _count(path: Path, remote: Mirror | None) -> int:
    """Return how many planes a file holds; 1 for one that cannot be read, which scoring reports."""
    try:
        with nullcontext() if remote is None else remote.hold(path):
            stack = open_stack(path, ReadOptions(frames="all", range="type"))
            if stack is None:
                return 1
            with stack:
                return len(stack)
    except (ImageError, OSError):
        return 1
