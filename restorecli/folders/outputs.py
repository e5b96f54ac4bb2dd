"""How the files of an output folder are named: nothing is compressed twice, nothing overwritten."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np

from restorecli.images.formats import FORMATS, OTHER_TIFF, SUFFIXES, format_named


def output_name(relative: PurePosixPath, traits_format: str, depth: int, wanted: str | None) -> PurePosixPath:
    """Return the relative path under which a processed image is written.

    PNG, TIFF, BMP and PPM keep their suffix. JPEG, WebP and AVIF become PNG, because compressing again would
    put damage back. TIFF that is called otherwise, such as .lsm, becomes .lsm.tiff. A depth that the format
    cannot hold also changes the suffix: 16 bits to PNG, 32 to TIFF.

    Args:
        relative: Path of the source below its root.
        traits_format: Format of the source by its content, Pillow's name.
        depth: Bits per sample to write: 8, 16 or 32.
        wanted: A format the user asked for ("png", "jpeg", "tiff", "webp", "avif", "bmp", "ppm"), or None.

    Raises:
        UsageError: `wanted` names no format.
    """
    by_suffix = SUFFIXES.get(relative.suffix.lower())
    if wanted is not None:
        target = format_named(wanted)
    elif by_suffix is not None and FORMATS[traits_format].lossless and FORMATS[by_suffix].lossless:
        target = by_suffix
    else:
        target = "TIFF" if relative.suffix.lower() in OTHER_TIFF else "PNG"
    if wanted is None and depth not in FORMATS[target].depths:
        target = "TIFF" if depth == 32 else "PNG"
    if by_suffix == target and relative.suffix.lower() != ".pbm":
        return relative
    suffix = ".pgm" if by_suffix == target else FORMATS[target].suffixes[0]
    return (
        relative.with_suffix(suffix) if by_suffix is not None else relative.with_name(relative.name + suffix)
    )


class OutputPlan:
    """The output path for every source path of a listing, all of them different.

    Where `a.jpg` would become `a.png` beside another `a.png`, it becomes `a.jpg.png`; files that keep their
    own name are never moved. Names that differ in upper and lower case only count as equal.

    Only the names that must give way are kept; the others are put together when they are asked for.

    Args:
        paths: The relative paths of the whole listing; gone through twice.
        wanted: A format the user asked for, or None.
        depth: Bits per sample to write if it is the same for all, e.g. 32 for unclipped noise.

    Raises:
        UsageError: `wanted` names no format.
    """

    def __init__(self, paths: Sequence[PurePosixPath], wanted: str | None = None, depth: int = 8) -> None:
        self._wanted = wanted
        self._depth = depth
        self._moved: dict[PurePosixPath, PurePosixPath] = {}
        if wanted is not None:
            format_named(wanted)
        crowded = self._crowded_folders(paths)
        for folder in sorted(crowded):
            self._moved |= self._making_way([path for path in paths if _key(path.parent) == folder])

    def __getitem__(self, path: PurePosixPath) -> PurePosixPath:
        return self._moved.get(path) or self._plain(path)

    def _plain(self, path: PurePosixPath) -> PurePosixPath:
        return output_name(path, SUFFIXES.get(path.suffix.lower(), "PNG"), self._depth, self._wanted)

    def _crowded_folders(self, paths: Iterable[PurePosixPath]) -> set[str]:
        """Return the folders in which two images would have one name.

        Names are compared by 64 bits of a digest; an accident would only make a folder be looked at closely.
        """
        marks = np.fromiter((_mark(self._plain(path)) for path in paths), np.uint64)
        kinds, counts = np.unique(marks, return_counts=True)
        double = {int(mark) for mark in kinds[counts > 1]}
        if not double:
            return set()
        return {_key(path.parent) for path in paths if _mark(self._plain(path)) in double}

    def _making_way(self, paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, PurePosixPath]:
        """Return the targets in one folder that differ from the plain ones."""
        plan = {path: self._plain(path) for path in paths}
        moved = {}
        claims = Counter(_key(target) for target in plan.values())
        taken = {_key(path) for path, target in plan.items() if path == target}
        for path, plain in plan.items():
            if path == plain:
                continue
            target = path.with_name(path.name + plain.suffix) if claims[_key(plain)] > 1 else plain
            while _key(target) in taken:
                target = target.with_name(target.name + target.suffix)
            taken.add(_key(target))
            if target != plain:
                moved[path] = target
        return moved


def _key(path: PurePosixPath) -> str:
    return path.as_posix().casefold()


def _mark(path: PurePosixPath) -> int:
    name = _key(path).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
