"""An image that memory cannot hold, from file to file: rows are read, restored and written in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from restorecli.images.image import Pixels
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.rows import RowReader, open_rows, write_rows
from restorecli.restoration.context import Findings
from restorecli.restoration.cutting import TileUse
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.outside import carried, clipped
from restorecli.restoration.records import Stamp, check_unchanged


@dataclass(frozen=True, slots=True)
class RowsDone:
    """An image on the disk: how it was cut, its pixels before restoration, and what to know of it."""

    use: TileUse
    area: int
    notes: tuple[str, ...]


def restore_file_by_rows(
    source: Path,
    target: Path,
    image_restorer: ImageRestorer,
    before: Stamp,
    reading: ReadOptions = STRICT,
    on_progress: Callable[[int, int], None] | None = None,
    found: Findings | None = None,
) -> RowsDone:
    """Restore an image of any height, in the memory of two rows of tiles.

    The result is that of the whole image where tiles change nothing.

    Args:
        source: The image to restore, of a format that is read by rows; see `images.rows`.
        target: The TIFF or PNG to write; its folder must exist.
        image_restorer: What restores.
        before: The source's stamp: it must not change meanwhile.
        reading: How to read what is unusual.
        on_progress: Called with rows of tiles done and rows of tiles in all.
        found: Takes down what the manifest should say.

    Raises:
        ImageError: The source cannot be read by rows, or changed; or the target is neither.
        ResourceError: Memory or disk ran out, or the device failed.
    """
    with open_rows(source, reading) as rows:
        scale = image_restorer.restorer.spec.scale
        height, width = rows.size

        def bands() -> Iterator[Pixels]:
            yield from _restored(image_restorer, rows, on_progress, found)
            check_unchanged(source, before)

        size = (height * scale, width * scale)
        losses = write_rows(target, bands(), size, rows.channels, rows.traits)
        return RowsDone(image_restorer.use_for(rows), height * width, (*rows.traits.notes, *losses))


class _Inside:
    """Rows clipped to [0, 1]."""

    def __init__(self, rows: RowReader) -> None:
        self._rows = rows
        self.size = rows.size
        self.channels = rows.channels

    def read(self, start: int, stop: int) -> Pixels:
        """Return the rows from `start` to before `stop`."""
        return clipped(self._rows.read(start, stop))


def _restored(
    image_restorer: ImageRestorer,
    rows: RowReader,
    on_progress: Callable[[int, int], None] | None,
    found: Findings | None,
) -> Iterator[Pixels]:
    """Yield restored rows; values outside a scale that was chosen for them come through."""
    if rows.traits.scale is None:
        yield from image_restorer.restore_rows(rows, on_progress, found)
        return
    scale, start = image_restorer.restorer.spec.scale, 0
    for band in image_restorer.restore_rows(_Inside(rows), on_progress, found):
        stop = start + band.shape[1] // scale
        yield band + carried(rows.read(start, stop), scale)
        start = stop
