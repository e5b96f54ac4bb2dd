"""Masks: where they say that the defect is."""

from __future__ import annotations

from pathlib import Path

from restorecli.errors import DataError
from restorecli.evaluation.metrics.metric import Mask
from restorecli.evaluation.pairing.pairs import Source
from restorecli.images.mask_images import read_marked


def read_mask(source: Source, size: tuple[int, int]) -> Mask:
    """Read a mask: a pixel is part of the defect where its brightest channel is above half of full scale.

    That is above 127 of 255, so that soft edges and the noise of a JPEG make no defect. In a mask that knows
    only 0 and one other value, every pixel that is not 0 counts, since some write 1 for a defect. Alpha is
    ignored.

    Args:
        source: The file: any format that is read, gray or RGB, any depth; or a folder of them, see
            `images.mask_images.read_marked`.
        size: Height and width of the reference.

    Returns:
        (H, W), True where the defect is; nowhere where the image has none.

    Raises:
        DataError: The mask has another size.
        ImageError: It cannot be read.
    """
    mask = read_marked(source.path or source.folder / source.locator, source.options)
    if mask.shape != size:
        raise DataError(
            "The mask has another size than the reference.",
            expected=f"{size[1]}x{size[0]}",
            got=f"{mask.shape[1]}x{mask.shape[0]}",
            file=source.locator,
        )
    return mask


def mask_source(path: Path, folder: Path) -> Source:
    """Return a mask, or a folder of masks, as a source named relative to a folder where it lies in it."""
    inside = path.is_relative_to(folder)
    return Source(path.relative_to(folder).as_posix() if inside else path.as_posix(), folder, path)
