"""Finding the mates of pictures in another folder by their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from restorecli.folders.walking import ImageFile, walk

Found = ImageFile | str
"""A mate, or the reason why there is none."""


class NameIndex:
    """The pictures of one folder, to be found by relative path, then by stem.

    Args:
        root: A folder, or a single file, which is then the mate of every name.

    Raises:
        DataError: There is no such file or folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: Sequence[ImageFile] = walk(root)
        self._single = root.is_file()
        self._exact = {file.relative: file for file in self.files}
        self._by_stem: dict[str, list[ImageFile]] = defaultdict(list)
        for file in self.files:
            self._by_stem[file.relative.stem].append(file)

    def find(self, name: PurePosixPath) -> Found:
        """Find the mate of one picture.

        In this order: the same relative path; the same path without an added suffix (`a.jpg.png` was made
        from `a.jpg`); the same path but for the suffix; the same stem, where the folders of one are the last
        folders of the other, as in a flat folder against a tree. Two pictures called `000.png` in two
        different categories are never taken for mates.

        Args:
            name: Relative path of the picture in its own folder.

        Returns:
            The mate, or the reason why there is none or more than one.
        """
        if self._single:
            return self.files[0]
        exact = self._exact.get(name) or self._exact.get(name.with_suffix(""))
        if exact is not None:
            return exact
        candidates = [file for file in self._by_stem.get(name.stem, ()) if _same_tail(file.relative, name)]
        found = [file for file in candidates if file.relative.parent == name.parent] or candidates
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(file.relative) for file in found[:4])
            return f"several files in {self.root} could be its mate: {names}"
        return f"{self.root} holds no picture of this relative path or of the stem {name.stem!r}"

    def find_all(self, names: Sequence[PurePosixPath]) -> dict[PurePosixPath, Found]:
        """Find the mates of many pictures, and refuse doubles.

        `x.png` and `x.jpg` in one folder cannot both be the restored version of one reference: the one with
        the reference's own suffix is taken, and the other is refused; without such a one, all are.

        Args:
            names: Relative paths in their own folder.

        Returns:
            For every name its mate or the reason why there is none.
        """
        found = {name: self.find(name) for name in names}
        claims: dict[tuple[Path, PurePosixPath], list[PurePosixPath]] = defaultdict(list)
        for name, mate in found.items():
            if isinstance(mate, ImageFile):
                claims[mate.path, name.with_suffix("")].append(name)
        for (mate_path, _), rivals in claims.items():
            if len(rivals) > 1:
                found |= _refused(rivals, mate_path)
        return found

    def unused(self, found: Mapping[PurePosixPath, Found]) -> list[ImageFile]:
        """Return the pictures of this folder that are nobody's mate."""
        taken = {mate.path for mate in found.values() if isinstance(mate, ImageFile)}
        return [file for file in self.files if file.path not in taken]


def _refused(rivals: Sequence[PurePosixPath], mate: Path) -> dict[PurePosixPath, Found]:
    same_suffix = [name for name in rivals if name.suffix.lower() == mate.suffix.lower()]
    winner = same_suffix[0] if len(same_suffix) == 1 else None
    names = ", ".join(name.name for name in rivals)
    reason = f"duplicate name: {names} all claim {mate}"
    return {name: reason for name in rivals if name != winner}


def _same_tail(one: PurePosixPath, other: PurePosixPath) -> bool:
    """Whether the folders of one path are the last folders of the other."""
    first, second = one.parts[:-1], other.parts[:-1]
    shared = min(len(first), len(second))
    return first[len(first) - shared :] == second[len(second) - shared :]
