"""Walking a folder of pictures: which files, under which relative path, in which category."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from restorecli.errors import DataError
from restorecli.folders.places import make_folder, touch
from restorecli.images.drawn import is_drawing
from restorecli.images.formats import FOREIGN_SUFFIXES, SUFFIXES

NO_CATEGORY = "all"
"""The category of pictures that lie directly in the root."""

OUTPUT_MARK = ".restorecli-output"
"""The hidden file in a folder of pictures that this program drew, which are no data to train on."""

_BESIDE = frozenset({"defects", "kernels", "masks", "pictures"})
"""Folders that accompany pictures: with `OUTPUT_MARK` in them they are not walked (nor are NAME-1 ...)."""

SPLITS = ("test", "train", "validation", "val")
"""Folders of an MVTec-style tree that hold pictures by their kind of defect."""
_HIDDEN = frozenset({"desktop.ini", "thumbs.db"})


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One picture of a folder.

    Attributes:
        path: Where it is.
        relative: Its path below the root, with forward slashes.
        category: First folder level, the object of an MVTec-style tree, or "all" for files in the root.
        defect: The kind of defect in an MVTec-style tree (CATEGORY/test/DEFECT/x.png), else None.
    """

    path: Path
    relative: PurePosixPath
    category: str
    defect: str | None = None


def walk(
    root: Path | str, *, without: Path | None = None, hidden: list[PurePosixPath] | None = None
) -> list[ImageFile]:
    """List the pictures under a folder, sorted by relative path.

    Hidden files, `desktop.ini` and the like and files that are no pictures by their suffix are skipped.
    Pictures of formats that are not read (GIF, HEIC ...), broken links and folders that cannot be listed stay
    in the list, so that each is reported when it is read. Masks are not pictures to process: `ground_truth/`
    beside `test/` and `masks/` beside `images/` are left out, and the masks, kernels, strips, contact sheets
    and charts that this program wrote. Links to folders are followed, but never in a circle.

    Args:
        root: A folder, or a single file, which is listed whatever its suffix.
        without: A folder to leave out, e.g. the output folder when it lies inside `root`.
        hidden: Where the relative paths of hidden files and `desktop.ini` and the like are added.

    Returns:
        The files; an empty list if the folder holds no picture.

    Raises:
        DataError: There is no such file or folder, or it cannot be listed.
    """
    root = Path(root)
    if root.is_dir():
        skipped = None if without is None else without.resolve()
        files = _pictures(root, root, PurePosixPath(), skipped, frozenset(), [] if hidden is None else hidden)
        return sorted(files, key=lambda file: file.relative.as_posix())
    check_exists(root)
    return [ImageFile(root, PurePosixPath(root.name), NO_CATEGORY)]


def check_exists(source: Path) -> None:
    """Check that there is a file or folder, before anything costs time.

    Raises:
        DataError: There is none.
    """
    if not source.exists():
        raise DataError(
            "there is no such file or folder",
            file=source,
            hint="check the path",
        )


def mark_output(folder: Path, output: Path) -> None:
    """Make a folder for pictures that this program draws, and mark it as such.

    A folder that already holds something else is left unmarked: it may be full of somebody's own pictures.

    Args:
        folder: `output`, or a folder below it.
        output: The folder that the user named.

    Raises:
        DataError: A link leads out of the output, or the folder cannot be made or written to.
        ResourceError: The disk is full or failing.
    """
    make_folder(folder, output)
    if not any(folder.iterdir()):
        touch(folder / OUTPUT_MARK)


def _pictures(
    root: Path,
    folder: Path,
    relative: PurePosixPath,
    without: Path | None,
    above: frozenset[tuple[int, int]],
    hidden: list[PurePosixPath],
) -> Iterator[ImageFile]:
    try:
        status = folder.stat()
        identity = (status.st_dev, status.st_ino)
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as fault:
        if folder == root:
            raise DataError("the folder cannot be listed", came=fault.strerror, file=root) from fault
        yield ImageFile(folder, relative, *categorise(relative, root))
        return
    if identity in above:
        return
    names = {entry.name for entry in entries}
    kind = categorise(relative / "picture", root)
    for entry in entries:
        if _is_hidden(entry.name):
            hidden += [] if _is_folder(entry) or _is_ours(entry.name) else [relative / entry.name]
            continue
        if _is_mask_folder(entry.name, names):
            continue
        path = folder / entry.name
        if _is_folder(entry):
            if (without is None or path.resolve() != without) and not _is_beside(entry, path):
                yield from _pictures(root, path, relative / entry.name, without, above | {identity}, hidden)
        elif has_picture_suffix(entry.name) and not _is_unasked_drawing(path, root):
            yield ImageFile(path, relative / entry.name, *kind)


def has_picture_suffix(name: str) -> bool:
    """Tell whether a name is that of a picture, be it of a format that is read or of another."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - three times as fast as a Path, once for every file
    return suffix in SUFFIXES or suffix in FOREIGN_SUFFIXES


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_beside(entry: os.DirEntry[str], path: Path) -> bool:
    return entry.name.partition("-")[0] in _BESIDE and (path / OUTPUT_MARK).is_file()


def _is_unasked_drawing(path: Path, root: Path) -> bool:
    """Whether a file was drawn by this program; in a folder of drawings they are what was asked for."""
    return is_drawing(path) and not (root / OUTPUT_MARK).is_file()


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _HIDDEN


def _is_ours(name: str) -> bool:
    return name.startswith(".restorecli")


def _is_mask_folder(name: str, siblings: set[str]) -> bool:
    if name.casefold() == "ground_truth":
        return any(sibling.casefold() in SPLITS for sibling in siblings)
    return name.casefold() == "masks" and any(sibling.casefold() == "images" for sibling in siblings)


def categorise(relative: PurePosixPath, root: Path) -> tuple[str, str | None]:
    """Return the category and the defect that a relative path stands for.

    Args:
        relative: Path of a picture below the root.
        root: The root. It is itself the category when it holds `test/` and `ground_truth/`; when it is the
            `test/` beside a `ground_truth/`, its folders are defects, and categories too; and its folder
            `images/` is no category when `masks/` lies beside it.
    """
    folders = relative.parts[:-1]
    if not folders:
        return NO_CATEGORY, None
    second = folders[1] if len(folders) > 1 else None
    if folders[0].casefold() == "images" and _holds(root, "masks"):
        return second or NO_CATEGORY, None
    if folders[0].casefold() in SPLITS and _holds(root, "ground_truth"):
        return root.resolve().name, second
    if root.resolve().name.casefold() in SPLITS and _holds(root.resolve().parent, "ground_truth"):
        return folders[0], folders[0]
    return folders[0], _defect_below(folders, root)


def _defect_below(folders: Sequence[str], root: Path) -> str | None:
    """Return the defect of CATEGORY/test/DEFECT (MVTec), or of .../Images/DEFECT beside Masks (VisA)."""
    if len(folders) > 2 and folders[1].casefold() in SPLITS:
        return folders[2]
    for place, name in enumerate(folders[:-1]):
        if name.casefold() == "images" and _holds(root.joinpath(*folders[:place]), "masks"):
            return folders[place + 1]
    return None


def _holds(folder: Path, name: str) -> bool:
    """Tell whether a folder holds another one of this name, in any case."""
    if (folder / name).is_dir():
        return True
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.casefold() == name and entry.is_dir() for entry in entries)
    except OSError:
        return False
