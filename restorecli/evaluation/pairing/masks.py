"""Masks: which one belongs to a picture, and where it says that the defect is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from restorecli.errors import DataError
from restorecli.evaluation.metrics.metric import Mask
from restorecli.evaluation.pairing.pairs import Source
from restorecli.folders.walking import ImageFile, mask_for, walk
from restorecli.images.masks import marked

_SUFFIX = "_mask"
_LAYOUT = frozenset({"ground_truth", "images", "masks", "test", "train", "val", "validation"})
"""Folders that say how a data set is laid out, and nothing about a picture."""


def read_mask(source: Source, size: tuple[int, int]) -> Mask:
    """Read a mask: a pixel is part of the defect where its brightest channel is above half of full scale.

    That is above 127 of 255, so that soft edges and the noise of a JPEG make no defect. In a mask that knows
    only 0 and one other value, every pixel that is not 0 counts, since some write 1 for a defect. Alpha is
    ignored.

    Args:
        source: The file: any format that is read, gray or RGB, any depth.
        size: Height and width of the reference.

    Returns:
        (H, W), True where the defect is; nowhere where the picture has none.

    Raises:
        DataError: The mask has another size.
        ImageError: It cannot be read.
    """
    picture = source.read()
    if picture.size != size:
        raise DataError(
            "The mask has another size than the reference.",
            expected=f"{size[1]}x{size[0]}",
            came=f"{picture.size[1]}x{picture.size[0]}",
            file=source.locator,
        )
    return marked(picture.pixels)


def find_mask(reference: Source) -> Source | None:
    """Return the mask that lies beside a reference in one of the two known layouts, or None.

    They are those of `images.folders.mask_for`: MVTec's `ground_truth/`, and `masks/` beside `images/`.
    """
    found = None if reference.file is None else mask_for(reference.file)
    return None if found is None else _source(found, reference.folder)


class MaskIndex:
    """The masks of one folder, to be found by the relative path or the stem of a picture.

    Args:
        root: A folder, or a single file, which is then the mask of every picture.

    Raises:
        DataError: There is no such file or folder, or it holds no picture.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: Sequence[ImageFile] = walk(root)
        if not self.files:
            raise DataError("There is no mask in this folder.", expected="PNG, BMP, TIFF ...", file=root)
        self._by_stem: dict[str, list[ImageFile]] = defaultdict(list)
        for file in self.files:
            self._by_stem[file.relative.stem.removesuffix(_SUFFIX)].append(file)

    def find(self, names: Sequence[PurePosixPath]) -> Source | str | None:
        """Find the mask of one picture: `x.png` or `x_mask.png` for `x.jpg`.

        In this order: the same folder; folders of which one's are the last of the other; the same, without
        the folders that only name a layout (`images`, `masks`, `ground_truth`, `test` ...).

        Args:
            names: Names of the picture, the best first: its own relative path, and its reference's.

        Returns:
            The mask, the reason why several could be it, or None where there is none.
        """
        if self.root.is_file():
            return self._found(self.files[0])
        for rule in (_same, _ends_alike, _alike_without_layout):
            for name in names:
                found = self._candidates(name, rule)
                if len(found) == 1:
                    return self._found(found[0])
                if found:
                    listed = ", ".join(str(file.relative) for file in found[:4])
                    return f"several files in {self.root} could be its mask: {listed}"
        return None

    def unused(self, taken: Sequence[Source]) -> list[ImageFile]:
        """Return the masks that no picture has."""
        paths = {source.path for source in taken}
        return [file for file in self.files if file.path not in paths]

    def _candidates(
        self, name: PurePosixPath, rule: Callable[[Sequence[str], Sequence[str]], bool]
    ) -> list[ImageFile]:
        stems = dict.fromkeys((name.stem, name.with_suffix("").stem))  # a.jpg.png was made from a.jpg
        files = (file for stem in stems for file in self._by_stem.get(stem, ()))
        return [file for file in files if rule(file.relative.parts[:-1], name.parts[:-1])]

    def _found(self, file: ImageFile) -> Source:
        return Source(file.relative.as_posix(), self.root, file.path)


def _same(one: Sequence[str], other: Sequence[str]) -> bool:
    return one == other


def _ends_alike(one: Sequence[str], other: Sequence[str]) -> bool:
    shared = min(len(one), len(other))
    return one[len(one) - shared :] == other[len(other) - shared :]


def _alike_without_layout(one: Sequence[str], other: Sequence[str]) -> bool:
    first, second = ([part for part in parts if part not in _LAYOUT] for parts in (one, other))
    return _ends_alike(first, second)


def _source(path: Path, folder: Path) -> Source:
    inside = path.is_relative_to(folder)
    return Source(path.relative_to(folder).as_posix() if inside else path.as_posix(), folder, path)
