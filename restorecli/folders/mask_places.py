"""Where the mask of an image lies: beside it in a known layout, or in a folder of masks by its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from restorecli.errors import DataError
from restorecli.folders.matching import NameIndex
from restorecli.folders.walking import SPLITS, ImageFile, has_image_suffix

ENDINGS = ("_mask", "_gt", "_GT", "_label")
"""What the stems of masks may end in besides the stem of their image."""

LAYOUTS = (
    "CATEGORY/test/DEFECT/x.png with CATEGORY/ground_truth/DEFECT/x_mask.png (MVTec AD) "
    "or CATEGORY/ground_truth/DEFECT/x/*.png (MVTec LOCO); images/CATEGORY/x.jpg with masks/CATEGORY/x.png; "
    "CATEGORY/Data/Images/Anomaly/x.JPG with CATEGORY/Data/Masks/Anomaly/x.png (VisA)"
)
"""The layouts in which masks are found by themselves, in words."""

DEFECT_FREE_NAMES = frozenset({"good", "normal", "ok", "free", "no_defect"})
"""Names of folders of images without a defect, in lower case."""


class MaskFinder:
    """Finds the masks that lie beside images in one of `LAYOUTS`, in any case and format.

    It remembers the folders that it has listed, so one finder serves a whole tree.
    """

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, Path]] = {}

    def find(self, image: Path) -> Path | None:
        """Return the mask of an image, the folder of its masks where it has several, or None."""
        folder = self._folder(image.parent)
        if folder is None:
            return None
        entries = self._entries(folder)
        stem = image.stem.casefold()
        names = (*(f"{stem}{ending}".casefold() for ending in ENDINGS), stem, f"{stem}/")
        return next((entries[name] for name in names if name in entries), None)

    def _folder(self, home: Path) -> Path | None:
        """Return the folder where the masks of the images of a folder are."""
        if home.parent.name.casefold() in SPLITS:
            found = self._descend(home.parent.parent, ("ground_truth", home.name))
            if found is not None:
                return found
        for above in (home, *home.parents):
            if above.name.casefold() == "images":
                return self._descend(above.parent, ("masks", *home.relative_to(above).parts))
        return None

    def _descend(self, folder: Path, names: Sequence[str]) -> Path | None:
        for name in names:
            below = self._entries(folder).get(f"{name.casefold()}/")
            if below is None:
                return None
            folder = below
        return folder

    def _entries(self, folder: Path) -> dict[str, Path]:
        """Return images by their stem and folders by their name and "/", in lower case."""
        known = self._listed.get(folder)
        if known is None:
            known = {}
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
            for path in paths:
                if path.is_dir():
                    known.setdefault(f"{path.name.casefold()}/", path)
                elif has_image_suffix(path.name):
                    known.setdefault(path.stem.casefold(), path)
            self._listed[folder] = known
        return known


def mask_for(file: ImageFile | Path) -> Path | None:
    """Return the mask that lies beside an image; for many images use one `MaskFinder`."""
    return MaskFinder().find(file.path if isinstance(file, ImageFile) else file)


class MaskIndex:
    """The masks of one folder, to be found by the names of images as `NameIndex` does.

    Stems of masks may end in one of `ENDINGS`, folders that only name a layout count as none, and a folder
    called like an image holds several masks of it (MVTec LOCO).

    Args:
        root: A folder, or a single file, which is then the mask of every image.

    Raises:
        DataError: There is no such file or folder, or it holds no image.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._masks = NameIndex(root, endings=ENDINGS, any_layout=True)
        self.files = self._masks.files
        if not self.files:
            raise DataError("There is no mask in this folder.", expected="PNG, BMP, TIFF ...", file=root)
        folders = dict.fromkeys((file.path.parent, file.relative.parent) for file in self.files)
        several = [ImageFile(path, name, "") for path, name in folders if name.parts]
        self._folders = NameIndex(root, files=several, any_layout=True)

    def find(self, names: Sequence[PurePosixPath]) -> Path | str | None:
        """Find the mask of one image.

        Args:
            names: Names of the image, the best first: its own relative path, and its reference's.

        Returns:
            The mask, the folder of its masks, the reason why several could be it, or None.
        """
        found = [hit for name in names for hit in self._hits(name)]
        if not found:
            return None
        distance = min(distance for distance, _ in found)
        nearest = next(files for rank, files in found if rank == distance)
        if len(nearest) == 1:
            return nearest[0].path
        listed = ", ".join(str(file.relative) for file in nearest[:4])
        return f"several files in {self.root} could be its mask: {listed}"

    def unused(self, taken: Sequence[Path]) -> list[ImageFile]:
        """Return the masks that no image has."""
        used = set(taken)
        return [file for file in self.files if file.path not in used and file.path.parent not in used]

    def _hits(self, name: PurePosixPath) -> list[tuple[int, list[ImageFile]]]:
        """Return the nearest folder and the nearest files of a name, each with the distance of its folder.

        The folder comes first, so that of equally near ones it is taken: the files of `001/` are masks of
        image 001, whatever their own numbers.
        """
        hits = (index.ranked(name) for index in (self._folders, self._masks))
        return [(rank[0], files) for rank, files in hits if files]
