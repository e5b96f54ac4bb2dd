"""What the manifest says of a restored image: where it came from, and by what it was restored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restorecli.errors import DataError, ImageError
from restorecli.folders.manifest import Manifest, Record, locate, make_locator
from restorecli.folders.walking import ImageFile
from restorecli.images.faults import read_fault
from restorecli.images.options import STRICT, ReadOptions


@dataclass(frozen=True, slots=True)
class Stamp:
    """Size in bytes and time of change in nanoseconds of a file: what tells one version from the next."""

    size: int
    changed: int


def stamp(path: Path) -> Stamp:
    """Return a file's stamp.

    Raises:
        ImageError: The file is gone or may not be looked at.
    """
    try:
        status = path.stat()
    except OSError as fault:
        raise read_fault(fault, path) from fault
    return Stamp(status.st_size, status.st_mtime_ns)


def check_unchanged(path: Path, before: Stamp) -> None:
    """Check that a file is still what it was when its stamp was taken.

    Raises:
        ImageError: It is not.
    """
    after = stamp(path)
    if after != before:
        raise ImageError(
            "The image changed while it was read.",
            expected=f"{before.size:,} bytes",
            got=f"{after.size:,} bytes, or a newer time of change",
            file=path,
            hint="run the command again once nothing writes to it",
        )


class SourceRecords:
    """The manifest of the source folder, or of the nearest folder above it that lists the images.

    Args:
        root: The folder that is walked.

    Raises:
        DataError: The folder's own manifest is damaged.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root.resolve()
        self._resolved: dict[Path, Path] = {}
        self._records: Mapping[str, Record] = Manifest(self.folder).read()
        for parent in self.folder.parents:
            if self._records:
                break
            self.folder, self._records = parent, read_quietly(parent)

    def find(self, file: ImageFile) -> Record | None:
        """Return the record of an image, if there is one."""
        parent = file.path.parent
        if parent not in self._resolved:
            self._resolved[parent] = parent.resolve()
        place = self._resolved[parent] / file.path.name
        if not place.is_relative_to(self.folder):
            return None
        return self._records.get(place.relative_to(self.folder).as_posix())

    def reference_of(self, file: ImageFile) -> Path | None:
        """Return the file of the clean original that belongs to an image, if its record names one."""
        record = self.find(file)
        if record is None or record.reference is None:
            return None
        place = locate(record.reference, self.folder)
        return place if isinstance(place, Path) else None

    def carry(self, locator: str | None, output: Path) -> str | None:
        """Return a locator of this manifest as a locator of the manifest in `output`."""
        return None if locator is None else make_locator(locate(locator, self.folder), output)


def reading_of(file: ImageFile, reading: ReadOptions, sources: SourceRecords) -> ReadOptions:
    """Return how to read an image: what its manifest calls unclipped holds noise beyond 0 and 1, no values.

    Args:
        file: The image.
        reading: How it was asked to be read.
        sources: What the manifest says.
    """
    record = sources.find(file)
    noisy = record is not None and record.unclipped and reading.range == "auto"
    return replace(reading, range="file") if noisy else reading


def read_quietly(folder: Path) -> Mapping[str, Record]:
    """Read a manifest above or below the source; one that is damaged is none of this job's business."""
    try:
        return Manifest(folder).read()
    except DataError:
        return {}


def restored_record(
    path: str,
    file: ImageFile,
    output: Path,
    sources: SourceRecords,
    restorer: Mapping[str, Any],
    version: str,
    notes: tuple[str, ...] = (),
    reading: ReadOptions = STRICT,
) -> Record:
    """Return the record of a restored image: category, reference and degradations carried on.

    Args:
        path: The restored image, relative to `output`.
        file: The image that was restored.
        output: The folder of the new manifest.
        sources: What is known of the images to restore.
        restorer: What restored it, and how.
        version: Version of restorecli.
        notes: What a reader should know.
        reading: How the image was read; its reference is compared in the same colors.
    """
    known = sources.find(file)
    place = make_locator(file.path, output)
    alone = Record(
        path=path,
        command="restore",
        category=file.category,
        reference=None,
        source=place,
        version=version,
        defect=file.defect,
        degraded=place,
        restorer=restorer,
        notes=notes,
        reading=reading,
    )
    if known is None:
        return alone
    return replace(
        alone,
        category=known.category,
        reference=sources.carry(known.reference, output),
        defect=known.defect,
        seed=known.seed,
        key=known.key,
        degradations=known.degradations,
        earlier=known.earlier,
        unclipped=known.unclipped,
        reference_reading=known.reference_reading.in_colors_of(reading),
    )
