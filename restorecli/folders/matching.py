"""Which files of two folders belong together by their names: one rule for every command.

`eval`, `train` and `show` find references, degraded images and other methods' results by it, and `eval`
and `restore` find masks.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from restorecli.errors import UsageError
from restorecli.folders.marks import Marks
from restorecli.folders.walking import ImageFile, walk
from restorecli.images.formats import FOREIGN_SUFFIXES, SUFFIXES

Found = ImageFile | str
"""A file that belongs to a name, or the reason why there is none."""

_LAYOUT = frozenset({"data", "ground_truth", "images", "masks", "test", "train", "val", "validation"})
"""Folders that say how a data set is laid out, and nothing about an image."""

_SHOWN = 4


class NameIndex:
    """The images of one folder, to be found by the names of others.

    A file belongs to a name if their folders and their stems do:

    - folders: the same; or those of one are the last folders of the other, as in a flat folder against a
      tree (so `000.png` of one category is never taken for that of another); or, with `any_layout`, the same
      without folders that only name a layout (`images`, `masks`, `ground_truth`, `test` ...).
    - stems: equal without the suffix, whatever its case, or without a suffix that was added to another
      (`a.jpg.png` was made from `a.jpg`); or equal once one of `endings` is taken off either.

    Of several such files the nearest is taken: first by the folders in this order, then the same name, the
    same name but for the case of its suffix, an added suffix, the same stem, the same stem without added
    suffixes, an ending taken off. Files that are equally near are ambiguous.

    Args:
        root: A folder, or a single file, which then belongs to every name.
        endings: What stems may end in besides, e.g. "_x1_Mine" or "_mask".
        any_layout: Whether folders that only name a layout count as none.
        files: What can be found, in place of the images of the folder.

    Raises:
        DataError: There is no such file or folder.
        UsageError: An ending is empty.
    """

    def __init__(
        self,
        root: Path,
        *,
        endings: Iterable[str] = (),
        any_layout: bool = False,
        files: Sequence[ImageFile] | None = None,
    ) -> None:
        self.root = root
        self.endings = check_endings(endings)
        self.files: Sequence[ImageFile] = walk(root) if files is None else files
        self._any_layout = any_layout
        self._single = root.is_file()
        self._stems = Marks(self._key(file.relative) for file in self.files)

    def nearest(self, name: PurePosixPath) -> list[ImageFile]:
        """Return the file that belongs to a name, the equally near ones where it is ambiguous, or none."""
        return self.ranked(name)[1]

    def ranked(self, name: PurePosixPath) -> tuple[tuple[int, int], list[ImageFile]]:
        """Return the nearest files, as `nearest`, and how near their folders and names are: 0 is the same."""
        rank, places = self.ranked_places(name)
        return rank, [self.files[place] for place in places]

    def ranked_places(self, name: PurePosixPath) -> tuple[tuple[int, int], list[int]]:
        """Return the numbers of the nearest files in `files`, and how near they are, as `ranked`."""
        if self._single:
            return (0, 0), list(range(len(self.files)))
        stem = self._key(name)
        ranked: dict[tuple[int, int], list[int]] = defaultdict(list)
        for place in self._stems.places(stem):
            file = self.files[place].relative
            folders = _folders_alike(file, name, any_layout=self._any_layout)
            if folders is not None and self._key(file) == stem:
                ranked[folders, _names_alike(file, name)].append(place)
        return min(ranked.items(), default=((0, 0), []), key=lambda entry: entry[0])

    def find(self, name: PurePosixPath) -> Found:
        """Return the file that belongs to a name, or the reason why there is none or more than one.

        Args:
            name: Relative path of an image in its own folder.
        """
        found = self.nearest(name)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(file.relative) for file in found[:_SHOWN])
            return f"several files in {self.root} could belong to it: {names}"
        return f"{self.root} holds no image of this relative path or of the stem {name.stem!r}"

    def _key(self, name: PurePosixPath) -> str:
        stem = _core(name)
        ending = max((end for end in self.endings if stem.endswith(end) and stem != end), key=len, default="")
        return stem.removesuffix(ending)


class Matches:
    """The files of an index that belong to many names, each to one name at most.

    `x.png` and `x.jpg` in one folder cannot both be the restored version of one reference: the one with
    the reference's own suffix is taken, and the other is refused; without such a one, all are.

    Args:
        index: Where the files are.
        names: Relative paths in their own folder; one may come several times, as for planes of a stack.
    """

    def __init__(self, index: NameIndex, names: Sequence[PurePosixPath]) -> None:
        self._index = index
        self._refused: dict[PurePosixPath, str] = {}
        found = array("q", (_only(index.ranked_places(name)[1]) for name in names))
        claims = Marks(f"{place} {name.with_suffix('')}" for place, name in zip(found, names, strict=True))
        for several in claims.repeated():
            place = found[several[0]]
            different = list(dict.fromkeys(names[number] for number in several))
            if place >= 0 and len(different) > 1:
                self._refused |= _refused(different, index.files[place].path)
        self._free = bytearray(b"\1") * len(index.files)
        for place, name in zip(found, names, strict=True):
            if place >= 0 and name not in self._refused:
                self._free[place] = False

    def find(self, name: PurePosixPath) -> Found:
        """Return the file that belongs to one of the names, or the reason why there is none.

        Args:
            name: One of the names.
        """
        return self._refused.get(name) or self._index.find(name)

    def unused(self) -> Iterator[ImageFile]:
        """Yield the files that belong to no name."""
        return (file for file, free in zip(self._index.files, self._free, strict=True) if free)


def _only(places: Sequence[int]) -> int:
    """Return the one place, or -1 where there are none or several."""
    return places[0] if len(places) == 1 else -1


def check_endings(endings: Iterable[str]) -> tuple[str, ...]:
    """Return the endings as they are used: each once, without the suffix of an image; text is one ending.

    Raises:
        UsageError: One is empty, or holds a folder.
    """
    given = (endings,) if isinstance(endings, str) else endings
    plain = tuple(dict.fromkeys(_core(PurePosixPath(f"x{end}"))[1:] for end in given))
    if any(not end or "/" in end for end in plain):
        raise UsageError(
            "An ending of names is empty or holds a folder.",
            expected="what the stems of one folder have besides, e.g. _x1_Mine",
            got=", ".join(map(repr, plain)),
        )
    return plain


def index_for(
    root: Path, names: Sequence[PurePosixPath], endings: Iterable[str] = ()
) -> tuple[NameIndex, tuple[str, ...]]:
    """Return the index that finds names in a folder, and what a reader should know of it.

    Where no ending is given and nothing fits, the one is taken by which all names differ; see `guess_ending`.

    Args:
        root: The folder, or a single file.
        names: Relative paths in their own folder.
        endings: As of `NameIndex`.

    Raises:
        DataError: There is no such file or folder.
        UsageError: An ending is empty.
    """
    index = NameIndex(root, endings=endings)
    guessed = None if index.endings else guess_ending(names, index)
    if guessed is None:
        return index, ()
    note = (
        f"names were matched with those in {root} without the ending {guessed!r}, by which all of them differ"
    )
    return NameIndex(root, endings=(guessed,)), (note,)


def guess_ending(names: Sequence[PurePosixPath], index: NameIndex) -> str | None:
    """Return the ending by which all names differ from the files of a folder, or None.

    It is only looked for where no name finds a file as it is. Every name must find exactly one file without
    the ending, or with it, and the ending must begin with a mark such as "_" or "-".

    Args:
        names: Relative paths in their own folder.
        index: The other folder, without endings.
    """
    if not names or not index.files or any(index.nearest(name) for name in names):
        return None
    ours, theirs = {_core(name) for name in names}, {_core(file.relative) for file in index.files}
    ending = _common_ending(ours, theirs) or _common_ending(theirs, ours)
    if ending is None:
        return None
    trial = NameIndex(index.root, endings=(ending,))
    return ending if all(len(trial.nearest(name)) == 1 for name in names) else None


def _common_ending(longer: set[str], shorter: set[str]) -> str | None:
    """Return what must be taken off the stems `longer`, one and the same, to find each among `shorter`."""
    first = min(longer)
    for length in range(len(first) - 1, 0, -1):
        ending = first[length:]
        if ending[0].isalnum() or first[:length] not in shorter:
            continue
        if all(stem.endswith(ending) and stem.removesuffix(ending) in shorter for stem in longer):
            return ending
    return None


def _core(name: PurePosixPath) -> str:
    """Return the stem without all suffixes of images: "a" of a.jpg.png, "photo.2024" of photo.2024.png."""
    stem = name.stem
    while (suffix := PurePosixPath(stem).suffix.lower()) in SUFFIXES or suffix in FOREIGN_SUFFIXES:
        stem = stem[: -len(suffix)]
    return stem


def _folders_alike(one: PurePosixPath, other: PurePosixPath, *, any_layout: bool) -> int | None:
    """Return how near two folders are, 0 for the same, or None where they do not belong together."""
    first, second = one.parts[:-1], other.parts[:-1]
    if first == second:
        return 0
    if _ends_alike(first, second):
        return 1
    if any_layout and _ends_alike(_without_layout(first), _without_layout(second)):
        return 2
    return None


def _ends_alike(one: Sequence[str], other: Sequence[str]) -> bool:
    shared = min(len(one), len(other))
    return one[len(one) - shared :] == other[len(other) - shared :]


def _without_layout(folders: Sequence[str]) -> list[str]:
    return [part for part in folders if part.casefold() not in _LAYOUT]


def _names_alike(one: PurePosixPath, other: PurePosixPath) -> int:
    """Return how near two names are, 0 for the same."""
    same_stem = one.stem == other.stem
    relations = (
        one.name == other.name,
        same_stem and one.suffix.lower() == other.suffix.lower(),
        one.name == other.stem or one.stem == other.name,
        same_stem,
        _core(one) == _core(other),
    )
    return next((rank for rank, holds in enumerate(relations) if holds), len(relations))


def _refused(several: Sequence[PurePosixPath], path: Path) -> dict[PurePosixPath, str]:
    same_suffix = [name for name in several if name.suffix.lower() == path.suffix.lower()]
    winner = same_suffix[0] if len(same_suffix) == 1 else None
    names = ", ".join(name.name for name in several)
    reason = f"duplicate name: {names} all claim {path}"
    return {name: reason for name in several if name != winner}
