"""Which images belong together: by manifest, else by relative path, then by stem; nothing is dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from restorecli.counting import some_of
from restorecli.errors import DataError
from restorecli.evaluation.pairing.defect_masks import mask_source
from restorecli.evaluation.pairing.pairs import Pair, Pairing, Side, Source, Unmatched
from restorecli.folders.made import Made
from restorecli.folders.manifest import Manifest, Record
from restorecli.folders.mask_places import DEFECT_FREE_NAMES, LAYOUTS, MaskFinder, MaskIndex
from restorecli.folders.matching import Matches, index_for
from restorecli.folders.packed import Packed
from restorecli.folders.walking import NO_CATEGORY, ImageFile, walk

_Find = Callable[[ImageFile, Record | None], Source | str | None]
"""Returns the match of an image, by the image or by its manifest's line, or why there is none."""


@dataclass(frozen=True, slots=True)
class _Matches:
    """How the match of a image is found, and what was left over."""

    find: _Find
    left_over: tuple[Unmatched, ...] = ()
    notes: tuple[str, ...] = ()


def pair_folder(
    folder: Path,
    reference: Path | None = None,
    degraded: Path | None = None,
    *,
    masks: Path | None = None,
    endings: Sequence[str] = (),
    needs_reference: bool = True,
) -> Pairing:
    """Find the reference, and where known the degraded image and the mask, of every image in a folder.

    A folder whose manifest was written by `degrade` alone is scored as degraded, any other as restored.
    Where no metric needs a reference and none is given, an image without one is a pair too.

    Args:
        folder: The images to score; its manifest names references, degraded images and categories.
        reference: References by name instead of by manifest.
        degraded: Degraded images by name instead of by manifest.
        masks: Masks by name instead of those that lie beside the references.
        endings: What stems of one folder end in besides, e.g. "_x1_Mine"; see `folders.matching.NameIndex`.
        needs_reference: Whether an image without a reference is one without a score.

    Returns:
        The pairs and the unmatched images; either may be empty.

    Raises:
        DataError: A folder does not exist, a manifest is damaged, nothing says where references are, or not
            one mask fits.
    """
    files = walk(folder)
    records = _records(folder, files)
    if not records and reference is None and needs_reference:
        raise _no_references(folder)
    side = _side(records, degraded)
    references = (
        _references_by_manifest(folder)
        if reference is None
        else _by_name(files, reference, side, "reference", endings)
    )
    known = (
        _degraded_by_manifest(folder, side)
        if degraded is None
        else _by_name(files, degraded, side, "degraded", endings)
    )
    if not needs_reference and reference is None:
        references = _where_they_are(references)
    unmatched: list[Unmatched] = []
    pairs = _join(files, records, folder, side, references, known, unmatched)
    if degraded is not None and degraded.is_dir():
        pairs = _described(pairs, degraded)
    found = Packed(pairs if masks is not None else _with_masks_beside(pairs))
    left_over = [*unmatched, *references.left_over, *known.left_over]
    if reference is None:
        left_over += _missing(files, records, side)
    notes = dict.fromkeys((*references.notes, *known.notes))
    pairing = Pairing(found, tuple(left_over), tuple(notes))
    if masks is not None:
        return _masked(pairing, masks)
    return replace(pairing, notes=(*pairing.notes, *_without_masks(found)))


def _records(folder: Path, files: Sequence[ImageFile]) -> Mapping[str, Record]:
    """Read the manifest of a folder; a single file has the line that its own folder holds about it."""
    if folder.is_dir():
        return Manifest(folder).read()
    name = files[0].relative.as_posix()
    record = Manifest(folder.parent).read().get(name)
    return {} if record is None else {name: record}


def _no_references(folder: Path) -> DataError:
    return DataError(
        "Nothing says which references these images belong to.",
        expected="a manifest.jsonl beside them, as `restorecli degrade` and `restore` write it",
        got="no line about them in a manifest.jsonl, and no folder of references was given",
        file=folder,
        hint=f"restorecli eval {folder} REFERENCE",
    )


def _side(records: Mapping[str, Record], degraded: Path | None) -> Side:
    alone = degraded is None and bool(records) and all(r.command == "degrade" for r in records.values())
    return "degraded" if alone else "restored"


def _references_by_manifest(folder: Path) -> _Matches:
    base = folder if folder.is_dir() else folder.parent

    def find(_: ImageFile, record: Record | None) -> Source | str:
        if record is None:
            return "the manifest has no line about it"
        if record.reference is None:
            return "its line in the manifest names no reference"
        return Source(record.reference, base)

    return _Matches(find)


def _missing(files: Sequence[ImageFile], records: Mapping[str, Record], side: Side) -> list[Unmatched]:
    """Return the images that the manifest names and the folder does not hold."""
    if sum(file.relative.as_posix() in records for file in files) == len(records):
        return []
    missing = sorted(set(records).difference(file.relative.as_posix() for file in files))
    return [Unmatched(side, path, "the manifest names it, but the file is missing") for path in missing]


def _where_they_are(references: _Matches) -> _Matches:
    """Leave out the references that are not named or not there."""

    def find(file: ImageFile, record: Record | None) -> Source | None:
        match = references.find(file, record)
        return match if isinstance(match, Source) and _is_there(match) else None

    return replace(references, find=find)


def _is_there(match: Source) -> bool:
    return match.file is None or match.file.is_file()


def _degraded_by_manifest(folder: Path, side: Side) -> _Matches:
    if side == "degraded":
        return _Matches(lambda file, _: _own_source(file, folder))
    base = folder if folder.is_dir() else folder.parent

    def find(_: ImageFile, record: Record | None) -> Source | None:
        if record is None or record.degraded is None:
            return None
        return Source(record.degraded, base, options=record.reading)

    return _Matches(find)


def _by_name(
    files: Sequence[ImageFile], root: Path, side: Side, wanted: Side, endings: Sequence[str]
) -> _Matches:
    names = Made(len(files), lambda place: files[place].relative)
    index, notes = index_for(root, names, endings)
    matches = Matches(index, names)

    def find(file: ImageFile, _: Record | None) -> Source | str:
        match = matches.find(file.relative)
        return match if isinstance(match, str) else _own_source(match, root)

    reason = f"no {side} image of this name"
    unused = (Unmatched(wanted, file.relative.as_posix(), reason) for file in matches.unused())
    return _Matches(find, tuple(unused), notes)


def _own_source(file: ImageFile, root: Path, name: str | None = None) -> Source:
    """Return a file as a source; `name` is its relative path where that text is kept already."""
    return Source(name or file.relative.as_posix(), root, file.path, file.category, file.defect)


def _join(
    files: Sequence[ImageFile],
    records: Mapping[str, Record],
    folder: Path,
    side: Side,
    references: _Matches,
    known: _Matches,
    unmatched: list[Unmatched],
) -> Iterator[Pair]:
    """Yield the pairs, and add the images without a match to a list."""
    for file in files:
        name = file.relative.as_posix()
        record = records.get(name)
        match, old = references.find(file, record), known.find(file, record)
        if isinstance(match, str):
            unmatched.append(Unmatched(side, name, match))
            continue
        if isinstance(old, str):
            unmatched.append(Unmatched("degraded", name, old))
            old = None
        category, defect = _place(file, record, match)
        if record is not None and match is not None:
            match = replace(match, options=record.reference_reading)
        restored = _own_source(file, folder, name) if side == "restored" else None
        yield Pair(name, category, defect, match, restored, old, record)


def _place(file: ImageFile, record: Record | None, match: Source | None) -> tuple[str, str | None]:
    """Return category and defect: by the manifest, else by the folders: an MVTec-style tree says most."""
    if record is not None:
        return record.category, record.defect
    if file.defect is None and match is not None and (match.defect or file.category == NO_CATEGORY):
        return match.category or file.category, match.defect
    return file.category, file.defect


def _described(pairs: Iterable[Pair], degraded: Path) -> Iterator[Pair]:
    """Take what the degraded folder's manifest says where the image's own folder says nothing."""
    lines = Manifest(degraded).read()
    for pair in pairs:
        if pair.record is None and pair.degraded is not None:
            yield replace(pair, record=lines.get(pair.degraded.locator))
        else:
            yield pair


def _with_masks_beside(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Add the masks that lie beside the references."""
    finder = MaskFinder()
    return (_with_mask_beside(pair, finder) for pair in pairs)


def _without_masks(pairs: Sequence[Pair]) -> Iterator[str]:
    """Say which defects have not a single mask, where masks are looked for, and which images lack theirs."""
    counts: Counter[str] = Counter()
    masked = set()
    lacking: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.defect is None or pair.defect.casefold() in DEFECT_FREE_NAMES or pair.reference is None:
            continue
        name = pair.defect if pair.category == pair.defect else f"{pair.category}/{pair.defect}"
        counts[name] += 1
        if pair.mask is None:
            lacking.setdefault(name, []).append(pair.path)
        else:
            masked.add(name)
    bare = [f"{name} ({count})" for name, count in counts.items() if name not in masked]
    if bare:
        yield f"no mask was found for any image of {', '.join(bare)}; masks are looked for in: {LAYOUTS}"
    alone = [path for name, paths in lacking.items() if name in masked for path in paths]
    if alone:
        yield f"no mask was found for {some_of(alone)}, though for others of the same defect"


def _with_mask_beside(pair: Pair, finder: MaskFinder) -> Pair:
    if pair.reference is None or pair.reference.file is None:
        return pair
    mask = finder.find(pair.reference.file)
    return pair if mask is None else replace(pair, mask=mask_source(mask, pair.reference.folder))


def _masked(pairing: Pairing, masks: Path) -> Pairing:
    """Add the masks of a folder; an image without one has no known defect, which is no problem."""
    index = MaskIndex(masks)
    home = masks if masks.is_dir() else masks.parent
    found = {pair.path: index.find(_names(pair)) for pair in pairing.pairs}
    taken = [mask for mask in found.values() if isinstance(mask, Path)]
    if pairing.pairs and not taken:
        raise DataError(
            "Not one mask fits an image.",
            expected=f"{pairing.pairs[0].path} or its stem with or without _mask, in any format",
            got=f"{index.files[0].relative} and the like",
            file=masks,
        )
    reasons = [Unmatched("mask", path, reason) for path, reason in found.items() if isinstance(reason, str)]
    reasons += [
        Unmatched("mask", file.relative.as_posix(), "no image of this name") for file in index.unused(taken)
    ]
    pairs = (
        replace(pair, mask=mask_source(mask, home) if isinstance(mask := found[pair.path], Path) else None)
        for pair in pairing.pairs
    )
    return replace(pairing, pairs=Packed(pairs), unmatched=(*pairing.unmatched, *reasons))


def _names(pair: Pair) -> list[PurePosixPath]:
    """Return what a mask may be called after: the image, and its reference."""
    names = [pair.path] if pair.reference is None else [pair.path, pair.reference.locator]
    return [PurePosixPath(name) for name in names]
