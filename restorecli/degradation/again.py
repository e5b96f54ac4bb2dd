"""Degrading other pixels as a line of a manifest says: the same steps, values and noise."""

from __future__ import annotations

import numpy as np

from restorecli.degradation.base import Degradation
from restorecli.degradation.catalog import from_record
from restorecli.degradation.chain import replay_steps
from restorecli.errors import DataError
from restorecli.folders.manifest import Record
from restorecli.images.image import Pixels, to_levels


def recorded_steps(record: Record) -> tuple[tuple[Degradation, ...], int, str]:
    """Return what a line of a manifest says was done: the steps, the seed and the key of their generators.

    Raises:
        DataError: The line has no seed or no key.
        UsageError: A step that this version does not know.
    """
    if record.seed is None or record.key is None:
        raise DataError(
            "A manifest line has no seed or key.", expected="a line of `degrade`", got=record.path
        )
    return tuple(from_record(step) for step in record.degradations), record.seed, record.key


def degrade_again(record: Record, pixels: Pixels, *, depth: int = 32) -> Pixels:
    """Do to other pixels what a manifest's line says was done to an image.

    The values and the noise are those of the line: the same steps, seed and key give the same generators.
    So `degrade_again(record, reference, depth=8)` holds the very samples of the degraded 8-bit file. (A file
    that was written as JPEG or lossy WebP went through that encoder besides.)

    Args:
        record: A line that `degrade` wrote, or `restore`, which carries it on.
        pixels: (C, H, W) float32 in [0, 1], C = 1 or 3; the size may be another.
        depth: 8 or 16 rounds the result as a file of this depth holds it; 32 does not round.

    Returns:
        (C, H', W') float32, smaller than `pixels` where a step makes it so. Clipped to [0, 1], unless the
        line says that the image was written unclipped: such a file is never rounded.

    Raises:
        DataError: The line says nothing of degradations, or tells of several runs.
        UsageError: A step that this version does not know.
        ImageError: The image is too small or too large for a step.
    """
    if not record.degradations:
        raise DataError("Nothing says how to degrade it again.", expected="degradations", got=record.path)
    if record.earlier:
        raise DataError(
            "The image was degraded by several runs, of which only the last can be done again.",
            expected="one run of `degrade` with the whole chain",
            got=record.path,
        )
    result = replay_steps(pixels, *recorded_steps(record))
    if record.unclipped:
        return result
    if depth == 32:
        return np.clip(result, 0, 1)
    return to_levels(result, depth).astype(np.float32) / np.float32((1 << depth) - 1)
