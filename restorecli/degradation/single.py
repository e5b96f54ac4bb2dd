"""One image degraded from file to file; folders: `degradation.folder`."""

from __future__ import annotations

import time
from pathlib import Path

from restorecli.degradation.chain import Chain, image_rng
from restorecli.degradation.task import DegradeTask
from restorecli.degradation.writing import write_degraded
from restorecli.errors import UsageError
from restorecli.folders.jobs import FolderSummary
from restorecli.folders.run import Done, one_done
from restorecli.folders.single import prepare_target
from restorecli.folders.walking import walk
from restorecli.images.formats import format_for
from restorecli.images.options import STRICT, ReadOptions


def degrade_file(
    source: Path,
    target: Path,
    chain: Chain,
    *,
    seed: int = 0,
    unclipped: bool = False,
    reading: ReadOptions = STRICT,
    overwrite: bool = False,
) -> FolderSummary:
    """Degrade one image into one file, without a manifest or a mask.

    The same seed and file name give the pixels that a folder of this one image gets.

    Args:
        source: The image; never changed.
        target: The file to write; its suffix chooses the format. Its folder is made when missing.
        chain: What to do.
        seed: Seed of everything random.
        unclipped: Keep values outside [0, 1], in a 32-bit float TIFF.
        reading: How to read what is unusual.
        overwrite: Replace a file that is there.

    Returns:
        What was done, as of a folder of one image whose output is `target`.

    Raises:
        UsageError: The target is the source or is there already, or is no TIFF for unclipped values.
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
    done = write_degraded(task, target)
    return one_done("degrade", source.name, target, Done(done.area / 1e6, done.notes), began)
