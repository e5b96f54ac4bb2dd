"""Which images a run trains on and which it is validated on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from restorecli.errors import DataError
from restorecli.folders.mask_places import MaskFinder
from restorecli.folders.matching import index_for
from restorecli.folders.walking import OUTPUT_MARK, ImageFile, walk
from restorecli.images.atomic import write_file
from restorecli.training.recipe import Recipe, Source

Listing = tuple[tuple[str, tuple[int, ...]], ...]
"""Images by key, each with the sizes in bytes of its reference, its degraded version and its mask."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Where one training image comes from.

    Attributes:
        key: Its name, different from all others of the run.
        reference: The clean image.
        degraded: The degraded one, or None where damage is made on the fly.
        mask: The mask of its defect, where one lies beside it.
        values: Which values of the clean image are black and white, see `images.options.ReadOptions.range`.
    """

    key: str
    reference: Path
    degraded: Path | None
    mask: Path | None = None
    values: str = "auto"


def list_images(pairs: Iterable[Pair]) -> Listing:
    """Return what tells the images of a run from others: their names and sizes, whatever their folder."""
    listing = []
    for pair in pairs:
        files = (pair.reference, pair.degraded, pair.mask)
        sizes = [0 if file is None or not file.exists() else file.stat().st_size for file in files]
        listing.append((pair.key, tuple(sizes)))
    return tuple(listing)


def images_digest(listing: Listing) -> str:
    """Return 16 letters that stand for a listing of images."""
    text = "\n".join(f"{key} {list(sizes)}" for key, sizes in listing)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def write_listing(file: Path, listing: Listing) -> None:
    """Write a listing, a line for each image, so that a run that goes on can name what has changed."""
    write_file(file, "".join(f"{json.dumps([key, *sizes])}\n" for key, sizes in listing))


def read_listing(file: Path) -> Listing | None:
    """Return a listing that was written; None where there is none, or it cannot be read."""
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return tuple((str(key), tuple(int(size) for size in sizes)) for key, *sizes in lines)
    except (OSError, ValueError, TypeError):
        return None


def find_pairs(
    sources: Sequence[Source], recipe: Recipe, base: Path, on_note: Callable[[str], None]
) -> list[Pair]:
    """List the images of all sources, in a stable order; keys differ between sources.

    Args:
        sources: Of the recipe.
        recipe: Says where its folders are.
        base: What they are relative to.
        on_note: Called with what a user should know of how names were matched.

    Raises:
        DataError: A source holds no image, or a degraded image matches no clean one or several.
    """
    pairs: list[Pair] = []
    for number, source in enumerate(sources):
        if source.clean is not None:
            folder = recipe.folder_of(source.clean, base)
            finder = MaskFinder()
            files = training_files(folder)
            found = [Pair(f"{number}/{f.relative}", f.path, None, finder.find(f.path)) for f in files]
        else:
            assert source.degraded is not None  # noqa: S101 - the recipe's rule
            assert source.reference is not None  # noqa: S101 - the recipe's rule
            folder = recipe.folder_of(source.degraded, base)
            endings = () if source.strip_suffix is None else (source.strip_suffix,)
            found, notes = _by_name(number, folder, recipe.folder_of(source.reference, base), endings)
            for note in notes:
                on_note(note)
        if not found:
            raise DataError(
                "There is no image in this folder.",
                expected="PNG, JPEG, TIFF, WebP, BMP, PPM",
                file=folder,
                unchanged="nothing was started",
                hint="name another folder in the recipe, or with --data FOLDER",
            )
        pairs += [replace(pair, values=source.range) for pair in found]
    return pairs


def training_files(folder: Path) -> list[ImageFile]:
    """List a folder's images, leaving out what this program wrote below it (runs, restored, reports)."""
    marks = ("manifest.jsonl", "recipe.resolved.yaml", OUTPUT_MARK)
    written = {mark.parent for name in marks for mark in folder.rglob(name)}
    written.discard(folder)
    return [file for file in walk(folder) if not any(parent in written for parent in file.path.parents)]


def _by_name(
    number: int, degraded: Path, reference: Path, endings: Sequence[str]
) -> tuple[list[Pair], tuple[str, ...]]:
    """Pair by the names of the files, as `NameIndex` does."""
    files = walk(degraded)
    index, notes = index_for(reference, [file.relative for file in files], endings)
    finder = MaskFinder()
    pairs, alone = [], []
    for file in files:
        found = index.nearest(file.relative)
        if len(found) == 1:
            mask = finder.find(found[0].path)
            pairs.append(Pair(f"{number}/{file.relative}", found[0].path, file.path, mask))
        else:
            alone.append(f"{file.relative} ({len(found)} of its name)")
    if alone:
        raise DataError(
            f"{len(alone)} degraded images have no single reference.",
            expected="one reference of the same relative name or stem",
            got=", ".join(alone[:5]),
            file=reference,
            unchanged="nothing was started",
            hint="`strip_suffix: TEXT` beside `reference:` takes off what the names end in besides",
        )
    return pairs, notes


def _rank(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def images_of(recipe: Recipe, base: Path, on_note: Callable[[str], None]) -> tuple[list[Pair], list[Pair]]:
    """Return what a recipe trains on and what it validates on.

    Args:
        recipe: The recipe.
        base: What relative folders start from.
        on_note: Is told what a user should know.

    Raises:
        RecipeError: As of `find_pairs`.
    """
    pairs = find_pairs(recipe.data.train, recipe, base, on_note)
    if recipe.validation.sources:
        return pairs, find_pairs(recipe.validation.sources, recipe, base, on_note)
    return hold_out(pairs, recipe.validation.holdout)


def hold_out(pairs: list[Pair], count: int) -> tuple[list[Pair], list[Pair]]:
    """Split into (training, validation); the choice follows from the keys' hashes, so it never moves."""
    if len(pairs) < 2:
        return pairs, pairs
    count = min(count, len(pairs) // 2)
    ranked = sorted(pairs, key=lambda pair: _rank(pair.key))
    held = {pair.key for pair in ranked[:count]}
    return [p for p in pairs if p.key not in held], [p for p in pairs if p.key in held]
