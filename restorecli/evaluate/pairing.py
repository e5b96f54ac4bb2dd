"""Which pictures belong together: by manifest, else by relative path, then by stem; nothing is dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from restorecli.errors import DataError
from restorecli.evaluate.names import NameIndex
from restorecli.evaluate.pairs import Pair, Pairing, Side, Source, Unmatched
from restorecli.images.folders import NO_CATEGORY, ImageFile, walk
from restorecli.images.manifest import Manifest, Record


@dataclass(frozen=True, slots=True)
class _Mates:
    """For every relative path the mate or the reason why there is none, and what was left over."""

    found: Mapping[PurePosixPath, Source | str]
    left_over: tuple[Unmatched, ...] = ()


def pair_folder(folder: Path, reference: Path | None = None, degraded: Path | None = None) -> Pairing:
    """Find the reference, and where known the degraded picture, of every picture in a folder.

    A folder whose manifest was written by `degrade` alone is scored as degraded, any other as restored.

    Args:
        folder: The pictures to score; its manifest names references, degraded pictures and categories.
        reference: References by name instead of by manifest.
        degraded: Degraded pictures by name instead of by manifest.

    Returns:
        The pairs and the unmatched pictures; either may be empty.

    Raises:
        DataError: A folder does not exist, a manifest is damaged, or nothing says where references are.
    """
    files = walk(folder)
    records = _records(folder, files)
    if not records and reference is None:
        raise _no_references(folder)
    side = _side(records, degraded)
    references = (
        _references_by_manifest(files, records, folder, side)
        if reference is None
        else _by_name(files, reference, side, "reference")
    )
    known = (
        _degraded_by_manifest(files, records, folder, side)
        if degraded is None
        else _by_name(files, degraded, side, "degraded")
    )
    return _join(files, records, folder, side, references, known)


def _records(folder: Path, files: Sequence[ImageFile]) -> dict[str, Record]:
    """Read the manifest of a folder; a single file has the line that its own folder holds about it."""
    if folder.is_dir():
        return Manifest(folder).read()
    name = files[0].relative.as_posix()
    return {path: record for path, record in Manifest(folder.parent).read().items() if path == name}


def _no_references(folder: Path) -> DataError:
    return DataError(
        "nothing says which references these pictures belong to",
        expected="a manifest.jsonl beside them, as `restorecli degrade` and `restore` write it",
        came="no line about them in a manifest.jsonl, and no folder of references was given",
        file=folder,
        hint=f"restorecli eval {folder} REFERENCE",
    )


def _side(records: Mapping[str, Record], degraded: Path | None) -> Side:
    alone = degraded is None and bool(records) and all(r.command == "degrade" for r in records.values())
    return "degraded" if alone else "restored"


def _references_by_manifest(
    files: Sequence[ImageFile], records: Mapping[str, Record], folder: Path, side: Side
) -> _Mates:
    base = folder if folder.is_dir() else folder.parent
    found: dict[PurePosixPath, Source | str] = {}
    for file in files:
        record = records.get(file.relative.as_posix())
        if record is None:
            found[file.relative] = "the manifest has no line about it"
        elif record.reference is None:
            found[file.relative] = "its line in the manifest names no reference"
        else:
            found[file.relative] = Source(record.reference, base)
    present = {file.relative.as_posix() for file in files}
    missing = sorted(set(records) - present)
    reason = "the manifest names it, but the file is missing"
    return _Mates(found, tuple(Unmatched(side, path, reason) for path in missing))


def _degraded_by_manifest(
    files: Sequence[ImageFile], records: Mapping[str, Record], folder: Path, side: Side
) -> _Mates:
    if side == "degraded":
        return _Mates({file.relative: _own_source(file, folder) for file in files})
    base = folder if folder.is_dir() else folder.parent
    found: dict[PurePosixPath, Source | str] = {}
    for file in files:
        record = records.get(file.relative.as_posix())
        if record is not None and record.degraded is not None:
            found[file.relative] = Source(record.degraded, base, options=record.reading)
    return _Mates(found)


def _by_name(files: Sequence[ImageFile], root: Path, side: Side, wanted: Side) -> _Mates:
    index = NameIndex(root)
    mates = index.find_all([file.relative for file in files])
    found = {name: mate if isinstance(mate, str) else _own_source(mate, root) for name, mate in mates.items()}
    reason = f"no {side} picture of this name"
    unused = (Unmatched(wanted, file.relative.as_posix(), reason) for file in index.unused(mates))
    return _Mates(found, tuple(unused))


def _own_source(file: ImageFile, root: Path) -> Source:
    return Source(file.relative.as_posix(), root, file.path, file.category)


def _join(
    files: Sequence[ImageFile],
    records: Mapping[str, Record],
    folder: Path,
    side: Side,
    references: _Mates,
    known: _Mates,
) -> Pairing:
    pairs: list[Pair] = []
    unmatched: list[Unmatched] = []
    for file in files:
        name = file.relative.as_posix()
        mate, old = references.found[file.relative], known.found.get(file.relative)
        if isinstance(mate, str):
            unmatched.append(Unmatched(side, name, mate))
            continue
        if isinstance(old, str):
            unmatched.append(Unmatched("degraded", name, old))
            old = None
        record = records.get(name)
        category, defect = _place(file, record, mate)
        if record is not None:
            mate = replace(mate, options=record.reference_reading)
        restored = _own_source(file, folder) if side == "restored" else None
        pairs.append(Pair(name, category, defect, mate, restored, old))
    return Pairing(tuple(pairs), (*unmatched, *references.left_over, *known.left_over))


def _place(file: ImageFile, record: Record | None, mate: Source) -> tuple[str, str | None]:
    """Return category and defect: by the manifest, else by the picture's folder, else the reference's."""
    if record is not None:
        return record.category, record.defect
    if file.category == NO_CATEGORY and mate.category is not None:
        return mate.category, file.defect
    return file.category, file.defect
