"""A stack of images, from file to file: each plane is read, restored and written in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from restorecli.images.image import ImageData
from restorecli.images.planes import Chosen
from restorecli.images.stacks import write_stack
from restorecli.restoration.by_rows import RowsDone
from restorecli.restoration.context import Example
from restorecli.restoration.cutting import TileUse, joined


class MiddlePlanes:
    """The middle planes of a stack, one for each channel: by them the planes of a channel are treated alike.

    Planes that are diagnosed one by one would be treated unequally, and those of a time series flicker; the
    first one of a stack over depth is often out of focus, or empty.

    Args:
        stack: The open stack.
    """

    def __init__(self, stack: Chosen) -> None:
        self._stack = stack
        self._channels = stack.layout.shape[-1] if stack.layout.axes.endswith("C") else 1
        self._known: dict[int, Example] = {}

    def like(self, place: int) -> Example:
        """Return the middle plane for a plane, whose place in the stack is counted from 0.

        Raises:
            ImageError: It cannot be read.
        """
        channel = place % self._channels
        if channel not in self._known:
            numbers = self._stack.numbers[channel :: self._channels]
            self._known[channel] = Example(self._stack.planes.read(numbers[len(numbers) // 2]).pixels)
        return self._known[channel]


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
