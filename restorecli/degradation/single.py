"""One image degraded from file to file; folders: `degradation.folder`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.degradation.chain import Chain, image_rng
from restorecli.degradation.damage_masks import damage_mask
from restorecli.degradation.task import DegradeTask
from restorecli.degradation.writing import write_degraded
from restorecli.errors import UsageError
from restorecli.folders.jobs import FolderSummary
from restorecli.folders.run import Done, one_done
from restorecli.folders.single import prepare_target
from restorecli.folders.walking import walk
from restorecli.images.formats import format_for
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.writing import DEFAULT_QUALITY, vain_quality, write_image


def degrade_file(
    source: Path,
    target: Path,
    chain: Chain,
    *,
    seed: int = 0,
    unclipped: bool = False,
    reading: ReadOptions = STRICT,
    quality: int | None = None,
    mask: Path | None = None,
    overwrite: bool = False,
) -> FolderSummary:
    """Degrade one image into one file, without a manifest.

    The same seed and file name give the pixels that a folder of this one image gets.

    Args:
        source: The image; never changed.
        target: The file to write; its suffix chooses the format. Its folder is made when missing.
        chain: What to do.
        seed: Seed of everything random.
        unclipped: Keep values outside [0, 1], in a 32-bit float TIFF.
        reading: How to read what is unusual.
        quality: For JPEG, AVIF and WebP, 1 to 100; None takes 95.
        mask: A file for the mask of the damage, white where the image was hit; None writes none.
        overwrite: Replace files that are there.

    Returns:
        What was done, as of a folder of one image whose output is `target`.

    Raises:
        UsageError: A target is the source or is there already, or is no TIFF for unclipped values; or no step
            has a mask.
        DataError: There is no such image.
        ImageError: It cannot be read, degraded or written.
        ResourceError: The memory or the disk ran out.
    """
    began = time.perf_counter()
    prepare_target(target, [source], overwrite=overwrite)
    if unclipped and format_for(target) != "TIFF":
        raise UsageError(
            "Unclipped images are 32-bit floating point, which only TIFF holds.",
            expected="a name that ends with .tif or .tiff",
            got=str(target),
            hint="leave out --unclipped",
        )
    [file] = walk(source)
    key = file.relative.as_posix()
    task = DegradeTask(
        target=file.relative,
        source=source,
        reference=source,
        category=file.category,
        defect=file.defect,
        seed=seed,
        key=key,
        steps=chain.draw(image_rng(seed, key, "draw")),
        unclipped=unclipped,
        reading=reading,
    )
    if mask is not None:
        _prepare_mask(mask, task, [source, target], overwrite=overwrite)
    done = write_degraded(task, target, DEFAULT_QUALITY if quality is None else quality)
    if mask is not None:
        _write_mask(mask, task, done.source_size)
    notes = (*done.notes, *vain_quality(target, quality))
    return one_done("degrade", source.name, target, Done(done.area / 1e6, notes), began)


def _prepare_mask(mask: Path, task: DegradeTask, others: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse a mask that no step has, or that would replace an image.

    Raises:
        UsageError: It is so.
    """
    if not any(step.masked for step in task.steps):
        masked = (name for name, one in DEGRADATIONS.items() if one.load().masked)
        raise UsageError(
            "Nothing in the chain damages only a part of the image.",
            expected=f"--mask beside {', '.join(masked)}",
            got=f"--mask {mask}",
            unchanged="everything",
            hint="leave out --mask",
        )
    if mask.absolute() in [other.absolute() for other in others]:
        raise UsageError(
            "The mask would overwrite the image.",
            expected="another name",
            got=f"--mask {mask}",
            unchanged="everything",
        )
    prepare_target(mask, others, overwrite=overwrite)


def _write_mask(path: Path, task: DegradeTask, shape: tuple[int, int]) -> None:
    mask = damage_mask(shape, task.steps, task.seed, task.key)
    if mask is not None:
        write_image(path, ImageData(mask[None].astype(np.float32), FileTraits()))
