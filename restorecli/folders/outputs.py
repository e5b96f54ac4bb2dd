"""How the files of an output folder are named: nothing is compressed twice, nothing overwritten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from restorecli.folders.walking import ImageFile
from restorecli.images.formats import DEPTHS, LOSSLESS, MAIN_SUFFIX, SUFFIXES, format_named


def output_name(relative: PurePosixPath, traits_format: str, depth: int, wanted: str | None) -> PurePosixPath:
    """Return the relative path under which a processed picture is written.

    PNG, TIFF, BMP and PPM keep their suffix. JPEG and WebP become PNG, because compressing again would put
    damage back. A depth that the format cannot hold also changes the suffix: 16 bits to PNG, 32 bits to TIFF.

    Args:
        relative: Path of the source below its root.
        traits_format: Format of the source by its content, Pillow's name.
        depth: Bits per sample to write: 8, 16 or 32.
        wanted: A format the user asked for ("png", "jpeg", "tiff", "webp", "bmp", "ppm"), or None.

    Raises:
        UsageError: `wanted` names no format.
    """
    by_suffix = SUFFIXES.get(relative.suffix.lower())
    if wanted is not None:
        target = format_named(wanted)
    elif traits_format in LOSSLESS and by_suffix in LOSSLESS:
        target = by_suffix
    else:
        target = "PNG"
    if wanted is None and depth not in DEPTHS[target]:
        target = "TIFF" if depth == 32 else "PNG"
    if by_suffix == target and relative.suffix.lower() != ".pbm":
        return relative
    suffix = ".pgm" if by_suffix == target else MAIN_SUFFIX[target]
    return (
        relative.with_suffix(suffix) if by_suffix is not None else relative.with_name(relative.name + suffix)
    )


def plan_outputs(
    files: Iterable[ImageFile | PurePosixPath], wanted: str | None = None, depth: int = 8
) -> dict[PurePosixPath, PurePosixPath]:
    """Return the output path for every source path of a listing, all of them different.

    Where `a.jpg` would become `a.png` beside another `a.png`, it becomes `a.jpg.png`; files that keep their
    own name are never moved. Names that differ in upper and lower case only count as equal.

    Args:
        files: The whole listing, as `walk` gives it, or the relative paths alone.
        wanted: A format the user asked for, or None.
        depth: Bits per sample to write if it is the same for all, e.g. 32 for unclipped noise.

    Raises:
        UsageError: `wanted` names no format.
    """
    sources = [file.relative if isinstance(file, ImageFile) else file for file in files]
    plan = {
        path: output_name(path, SUFFIXES.get(path.suffix.lower(), "PNG"), depth, wanted) for path in sources
    }
    kept = {_key(path) for path, target in plan.items() if path == target}
    claims = Counter(_key(target) for target in plan.values())
    taken = set(kept)
    for path, target in plan.items():
        if path == target:
            continue
        if claims[_key(target)] > 1:
            target = path.with_name(path.name + target.suffix)
        while _key(target) in taken:
            target = target.with_name(target.name + target.suffix)
        taken.add(_key(target))
        plan[path] = target
    return plan


def _key(path: PurePosixPath) -> str:
    return path.as_posix().casefold()
