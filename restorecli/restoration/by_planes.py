"""A stack of images, from file to file: each plane is read, restored and written in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from restorecli.images.image import ImageData
from restorecli.images.planes import Chosen
from restorecli.images.stacks import write_stack
from restorecli.restoration.by_rows import RowsDone
from restorecli.restoration.cutting import TileUse, joined


def restore_stack(
    stack: Chosen,
    target: Path,
    restore: Callable[[ImageData], tuple[ImageData, TileUse]],
    check: Callable[[], None],
    *,
    quality: int = 95,
) -> RowsDone:
    """Restore all planes of a stack into one file, in the memory of one plane.

    Args:
        stack: The planes; they are closed in the end.
        target: The file to write; its folder must exist.
        restore: Restores one plane.
        check: Raises where the source changed meanwhile; called before the target becomes visible.
        quality: For WebP, 1 to 100.

    Returns:
        How the planes were cut into tiles, their pixels before restoration, and what to know of them.

    Raises:
        ImageError: A plane cannot be read, restored or written.
        ResourceError: Memory or disk ran out, or the device failed.
    """
    uses: list[TileUse] = []
    notes: dict[str, None] = {}
    areas: list[int] = []

    def planes() -> Iterator[ImageData]:
        for image in stack:
            restored, use = restore(image)
            uses.append(use)
            areas.append(image.size[0] * image.size[1])
            notes.update(dict.fromkeys(restored.traits.notes))
            yield restored
        check()

    with stack:
        losses = write_stack(target, planes(), stack.layout, quality=quality)
    return RowsDone(joined(uses), sum(areas), (*notes, *losses))
