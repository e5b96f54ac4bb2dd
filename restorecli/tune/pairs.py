"""The pairs that `restore --tune` restores again and again: which ones, and how much of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from restorecli.errors import DataError, ImageError
from restorecli.evaluation.metrics.psnr_ssim import psnr
from restorecli.evaluation.pairing.finding import pair_folder
from restorecli.evaluation.pairing.pairs import Pair, Pairing
from restorecli.folders.walking import ImageFile, walk
from restorecli.images.image import ImageData, Pixels
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.known import Known
from restorecli.restoration.methods.base import Method
from restorecli.restoration.records import SourceRecords
from restorecli.tune.crops import evenly, middle

MAX_PAIRS = 8
"""Pairs that are restored again and again: evenly chosen by path where there are more."""

SIDE = 256
"""Pixels of the longest side that an image keeps, where it may be cropped."""

_GRID = 16  # JPEG's blocks, chroma's included, stay where they are


@dataclass(frozen=True, slots=True)
class Example:
    """A degraded image, what is known about it, and its reference of the restored image's size."""

    image: ImageData
    context: Context
    reference: Pixels

    def score(self, method: Method) -> float:
        """Return the PSNR in dB of the image that a method restores; infinite where nothing is wrong."""
        restorer = ImageRestorer(MethodRestorer(method, self.context), tile="none")
        return psnr(restorer(self.image)[0].pixels, self.reference)


@dataclass(frozen=True, slots=True)
class Examples:
    """What is restored.

    Attributes:
        taken: The examples.
        pairs: How many pairs the folders hold.
        unmatched: How many images have no reference.
    """

    taken: tuple[Example, ...]
    pairs: int
    unmatched: int


def read_examples(
    method: Method, degraded: Path, reference: Path, known: Known, reading: ReadOptions
) -> Examples:
    """Read at most `MAX_PAIRS` pairs, evenly chosen by path.

    An image is cropped to its central `SIDE` where the method works locally (it has a receptive field, or
    asks for nothing but the level of the noise), does not change the size, and knows neither an operator nor
    a mask. All others stay whole: what lies beyond the border of a crop is no mirror image, holes may lie
    outside of it, and haze, moire and the like are judged by the whole image.

    Args:
        method: What is to restore them.
        degraded: Folder of degraded images; a manifest in it tells noise, operator and mask.
        reference: Folder of their originals, paired as `eval` pairs: by relative path and stem.
        known: What the caller says about the degraded images.
        reading: How to read what is unusual.

    Raises:
        DataError: There is no pair, or one cannot be read or differs in size.
    """
    pairing = pair_folder(degraded, reference)
    if not pairing.pairs:
        raise _no_pairs(pairing, degraded)
    files = {file.relative.as_posix(): file for file in walk(degraded)}
    records = SourceRecords(degraded if degraded.is_dir() else degraded.parent)
    taken = []
    for pair in evenly(pairing.pairs, MAX_PAIRS):
        file = files[pair.path]
        try:
            clean = _reference(pair, file, reading)
            image = read_image(file.path, reading, like=clean.traits)
            context = known.context(file, image.pixels, records.find(file), method.needs)
            taken.append(_example(method, image, context, clean.pixels))
        except ImageError as error:
            raise data_error(error, file.path) from error
    return Examples(tuple(taken), len(pairing.pairs), len(pairing.unmatched))


def data_error(error: ImageError, path: Path) -> DataError:
    """Return what is wrong with an image as an error of the pairs, which ends the command."""
    return DataError(
        f"The pairs cannot be tuned on: {error.problem}",
        expected=error.expected,
        got=error.got,
        file=error.file or path,
        hint=error.hint,
    )


def _no_pairs(pairing: Pairing, degraded: Path) -> DataError:
    return DataError(
        "There is no pair to tune on.",
        expected="a reference of the same relative path or stem for each degraded image",
        got=pairing.unmatched[0].reason if pairing.unmatched else "no images",
        file=degraded,
    )


def _reference(pair: Pair, file: ImageFile, reading: ReadOptions) -> ImageData:
    source = pair.reference
    if source is None:
        raise DataError("An image has no reference.", expected="its original", file=file.path)
    return replace(source, options=source.options.in_colors_of(reading)).read()


def _example(method: Method, image: ImageData, context: Context, reference: Pixels) -> Example:
    """Return a pair of equal size, cropped where that changes nothing.

    Raises:
        ImageError: The sizes differ by more than what a reduction cut off.
    """
    scale = method.scale_for(context)
    channels, height, width = image.pixels.shape
    wanted = (channels, height * scale, width * scale)
    borders = [whole - part for whole, part in zip(reference.shape, wanted, strict=True)]
    if borders[0] or not all(0 <= border < scale for border in borders[1:]):
        raise ImageError(
            "A degraded image and its reference differ in size or color.",
            expected=f"a reference of {_kind(wanted)}",
            got=_kind(reference.shape),
        )
    cut = np.ascontiguousarray(reference[:, : wanted[1], : wanted[2]])
    local = method.receptive_field is not None or method.needs == {"sigma?"}
    alone = scale == 1 and context.operator is None and context.mask is None and image.traits.alpha is None
    if not (local and alone and max(image.size) > SIDE):
        return Example(image, context, cut)
    high, wide = (min(side, SIDE) for side in image.size)
    cropped = ImageData(middle(image.pixels, high, wide, _GRID), image.traits)
    return Example(cropped, context, middle(cut, high, wide, _GRID))


def _kind(shape: tuple[int, ...]) -> str:
    return f"{shape[2]}x{shape[1]} {'gray' if shape[0] == 1 else 'RGB'}"
