"""Walking a folder of images: which files, under which relative path, in which category."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from restorecli.errors import DataError
from restorecli.folders.made import Made
from restorecli.folders.places import make_folder, touch
from restorecli.images.drawn import is_drawing
from restorecli.images.formats import FOREIGN_SUFFIXES, SUFFIXES

NO_CATEGORY = "all"
"""The category of images that lie directly in the root."""

OUTPUT_MARK = ".restorecli-output"
"""The hidden file in a folder of images that this program drew, which are no data to train on."""

_SIDE_FOLDERS = frozenset({"defects", "kernels", "masks", "pictures"})
"""Folders that accompany images: with `OUTPUT_MARK` in them they are not walked (nor are NAME-1 ...)."""

SPLITS = ("test", "train", "validation", "val")
"""Folders of an MVTec-style tree that hold images by their kind of defect."""
_HIDDEN = frozenset({"desktop.ini", "thumbs.db"})


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image of a folder.

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


@dataclass(frozen=True, slots=True)
class _Folder:
    """What the images of one folder have in common."""

    path: Path
    relative: PurePosixPath
    category: str
    defect: str | None


class _Listing:
    """The images under a folder in the order of their relative paths.

    Only names are kept, one after another, and an image's paths are put together when it is asked for: a
    hundred thousand images take about 2 MB.
    """

    def __init__(self) -> None:
        self._folders: list[_Folder] = []
        self._names = bytearray()
        self._ends = array("I")  # of each name
        self._numbers = array("I")  # of each name's folder

    def add(self, folder: _Folder, name: str) -> None:
        """Add an image, which comes after all that are there."""
        if not self._folders or self._folders[-1] is not folder:
            self._folders.append(folder)
        self._names += os.fsencode(name)
        self._ends.append(len(self._names))
        self._numbers.append(len(self._folders) - 1)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, place: int) -> ImageFile:
        start = self._ends[place - 1] if place else 0
        name = os.fsdecode(bytes(self._names[start : self._ends[place]]))
        folder = self._folders[self._numbers[place]]
        return ImageFile(folder.path / name, folder.relative / name, folder.category, folder.defect)

    def files(self) -> Sequence[ImageFile]:
        """Return the images as a sequence."""
        return Made(len(self), self.__getitem__)


def walk(
    root: Path | str, *, without: Path | None = None, hidden: list[PurePosixPath] | None = None
) -> Sequence[ImageFile]:
    """List the images under a folder, sorted by relative path.

    Hidden files, `desktop.ini` and the like and files that are no images by their suffix are skipped.
    Images of formats that are not read (GIF, HEIC ...), broken links and folders that cannot be listed stay
    in the list, so that each is reported when it is read. Masks are not images to process: `ground_truth/`
    beside `test/` and `masks/` beside `images/` are left out, and the masks, kernels, strips, contact sheets
    and charts that this program wrote. Links to folders are followed, but never in a circle.

    Args:
        root: A folder, or a single file, which is listed whatever its suffix.
        without: A folder to leave out, e.g. the output folder when it lies inside `root`.
        hidden: Where the relative paths of hidden files and `desktop.ini` and the like are added.

    Returns:
        The files; none if the folder holds no image.

    Raises:
        DataError: There is no such file or folder, or it cannot be listed.

    Example:
        >>> for name in ("b.png", "a.jpg", "notes.txt"):
        ...     Path(name).touch()
        >>> [file.relative.name for file in walk(".")]
        ['a.jpg', 'b.png']
    """
    root = Path(root)
    if root.is_dir():
        walker = _Walker(root, None if without is None else without.resolve(), hidden)
        return walker.listing.files()
    check_exists(root)
    return [ImageFile(root, PurePosixPath(root.name), NO_CATEGORY)]


def check_exists(source: Path) -> None:
    """Check that there is a file or folder, before anything costs time.

    Raises:
        DataError: There is none.
    """
    if source.exists():
        return
    if str(source) == "-":
        raise DataError(
            "Images are not read from a pipe.",
            expected="a file or a folder",
            got="-",
            hint="write it to a file first: cat > image.png",
        )
    raise DataError(
        "There is no such file or folder.",
        file=source,
        hint="check the path",
    )


def mark_output(folder: Path, output: Path) -> None:
    """Make a folder for images that this program draws, and mark it as such.

    A folder that already holds something else is left unmarked: it may be full of somebody's own images.

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


def side_files(output: Path, target: PurePosixPath) -> Iterator[Path]:
    """Yield where the files are that accompany an image of an output folder: its mask, its defects ...

    They lie in marked folders (`mark_output`) below the same path as the image, as PNG. The marks come first;
    not every file needs to be there.

    Args:
        output: The folder of the images.
        target: The image in it.
    """
    as_png = target if target.suffix == ".png" else target.with_name(f"{target.name}.png")
    for name in sorted(_SIDE_FOLDERS):
        folder, number = output / name, 1
        while folder.is_dir():
            if (folder / OUTPUT_MARK).is_file():
                yield from (folder / OUTPUT_MARK, folder / as_png)
            folder, number = output / f"{name}-{number}", number + 1


class _Walker:
    """Lists the images under a folder, folder by folder, in the order of their relative paths."""

    def __init__(self, root: Path, without: Path | None, hidden: list[PurePosixPath] | None) -> None:
        self.listing = _Listing()
        self._root = root
        self._without = without
        self._hidden = [] if hidden is None else hidden
        try:
            self._enter(root, PurePosixPath(), frozenset())
        except OSError as fault:
            raise DataError("The folder cannot be listed.", got=fault.strerror, file=root) from fault

    def _enter(self, path: Path, relative: PurePosixPath, above: frozenset[tuple[int, int]]) -> None:
        """List one folder.

        Raises:
            OSError: It cannot be listed.
        """
        status = path.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            return
        with os.scandir(path) as entries:
            kinds = {entry.name: _is_folder(entry) for entry in entries}
        folder = _Folder(path, relative, *categorize(relative / "image", self._root))
        # With "/" behind the names of folders, they are in the order of the paths of what they hold.
        for name in sorted(kinds, key=lambda name: f"{name}/" if kinds[name] else name):
            if _is_hidden(name):
                self._hidden += [] if kinds[name] or _is_ours(name) else [relative / name]
            elif not kinds[name]:
                if has_image_suffix(name) and not self._is_unasked_drawing(path / name):
                    self.listing.add(folder, name)
            elif not (_is_mask_folder(name, kinds) or self._is_left_out(path / name)):
                try:
                    self._enter(path / name, relative / name, above | {identity})
                except OSError:
                    self.listing.add(folder, name)

    def _is_left_out(self, path: Path) -> bool:
        """Tell whether a folder is the one to leave out, or holds what this program wrote besides."""
        if self._without is not None and path.resolve() == self._without:
            return True
        return path.name.partition("-")[0] in _SIDE_FOLDERS and (path / OUTPUT_MARK).is_file()

    def _is_unasked_drawing(self, path: Path) -> bool:
        """Tell whether a file was drawn by this program; in a folder of drawings that is what is wanted."""
        return is_drawing(path) and not (self._root / OUTPUT_MARK).is_file()


def has_image_suffix(name: str) -> bool:
    """Tell whether a name is that of an image, be it of a format that is read or of another."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - three times as fast as a Path, once for every file
    return suffix in SUFFIXES or suffix in FOREIGN_SUFFIXES


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _HIDDEN


def _is_ours(name: str) -> bool:
    return name.startswith(".restorecli")


def _is_mask_folder(name: str, siblings: Iterable[str]) -> bool:
    if name.casefold() == "ground_truth":
        return any(sibling.casefold() in SPLITS for sibling in siblings)
    return name.casefold() == "masks" and any(sibling.casefold() == "images" for sibling in siblings)


def categorize(relative: PurePosixPath, root: Path) -> tuple[str, str | None]:
    """Return the category and the defect that a relative path stands for.

    Args:
        relative: Path of an image below the root.
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
