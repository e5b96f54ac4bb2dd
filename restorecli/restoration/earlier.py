"""Results of earlier runs inside the folder to restore."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from restorecli.folders.locators import locate
from restorecli.folders.made import Made
from restorecli.folders.record import Record
from restorecli.folders.walking import ImageFile
from restorecli.restoration.records import read_quietly

LEFT_OUT = "made by an earlier run from this folder, left out (name its folder to restore that)"
"""What is told of the images that `without_results` leaves out."""


def without_results(root: Path, files: Sequence[ImageFile]) -> tuple[Sequence[ImageFile], list[str]]:
    """Leave out images that `restore` once made of others in the same folder.

    Only those of which a manifest in a sub-folder says so, and whose source still lies below the root:
    results of images from elsewhere may be all that there is of them.

    Args:
        root: The folder to restore.
        files: The images in it.

    Returns:
        The images to restore, and the relative paths of those that were left out.
    """
    results = _Results(root)
    kept, left_out = array("L"), []
    for number, file in enumerate(files):
        if results.holds(file.relative):
            left_out.append(file.relative.as_posix())
        else:
            kept.append(number)
    return (Made(len(kept), lambda place: files[kept[place]]) if left_out else files), left_out


class _Results:
    """Knows the manifests in the sub-folders of a folder, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._resolved = root.resolve()
        self._manifests: dict[PurePosixPath, tuple[PurePosixPath, Mapping[str, Record]] | None] = {
            PurePosixPath(): None
        }

    def holds(self, relative: PurePosixPath) -> bool:
        """Tell whether an image is a result of another one below the root."""
        found = self._nearest(relative.parent)
        if found is None:
            return False
        home, records = found
        record = records.get(relative.relative_to(home).as_posix())
        if record is None or record.command != "restore":
            return False
        source = locate(record.source, self._root / home)
        return isinstance(source, Path) and source.is_relative_to(self._resolved) and source.is_file()

    def _nearest(self, folder: PurePosixPath) -> tuple[PurePosixPath, Mapping[str, Record]] | None:
        """Return the nearest manifest at or above a sub-folder, and where it is."""
        if folder not in self._manifests:
            own = read_quietly(self._root / folder)
            self._manifests[folder] = (folder, own) if own else self._nearest(folder.parent)
        return self._manifests[folder]
