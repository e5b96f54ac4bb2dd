"""One file restored, of a folder or alone: read as its kind asks for, restored, and written."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from restorecli.counting import counted, some_of
from restorecli.errors import ImageError, RestorecliError
from restorecli.folders.jobs import Progress, SilentProgress
from restorecli.folders.walking import ImageFile
from restorecli.images.atomic import atomic_write, write_file
from restorecli.images.formats import FORMATS, format_for
from restorecli.images.image import ImageData
from restorecli.images.measured import NOTE, is_measured
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import ImageHeader, probe, read_image
from restorecli.images.rows import goes_by_rows
from restorecli.images.stacks import open_stack
from restorecli.images.writing import vain_quality, write_image
from restorecli.restoration.by_planes import MiddlePlanes, restore_stack
from restorecli.restoration.by_rows import restore_file_by_rows
from restorecli.restoration.context import DIAGNOSIS, KEPT_MEANS, LEFT, Context, Findings
from restorecli.restoration.cutting import CHANGED_BY_TILES, TileUse
from restorecli.restoration.image import IN_PART, Begun, ImageRestorer
from restorecli.restoration.items import Loaded, Restored
from restorecli.restoration.known import Known
from restorecli.restoration.records import SourceRecords, Stamp, check_unchanged, reading_of, stamp


@dataclass(frozen=True)
class FileRestorer:
    """What restores files, and all that their pixels depend on.

    Attributes:
        image_restorer: What restores one image.
        known: What the caller knows about the images, beside their manifest.
        sources: What the manifest knows of them.
        reading: How to read what is unusual.
        quality: For JPEG and WebP, 1 to 100; None takes the default of `write_image`.
        progress: Progress callbacks.
    """

    image_restorer: ImageRestorer
    known: Known
    sources: SourceRecords
    reading: ReadOptions = STRICT
    quality: int | None = None
    progress: Progress = field(default_factory=SilentProgress)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The restorer's identity; see `Restorer.identity`."""
        return dict(self.image_restorer.restorer.identity())

    @property
    def _encoding(self) -> dict[str, int]:
        return {} if self.quality is None else {"quality": self.quality}

    def settings(self, file: ImageFile, read: Stamp) -> dict[str, Any]:
        """Return what must be equal for a finished image to count: all that its pixels depend on."""
        how = self.image_restorer
        settings = {**self.identity, "source_bytes": read.size, "source_changed_ns": read.changed}
        settings |= {**self.known.identity(file), **self._encoding}
        if how.strength != 1:
            settings["strength"] = how.strength
        if how.keep_defects:
            settings["keep_defects"] = True
        if not how.tiles_change_nothing:
            settings |= {"asked_tile": how.cutting.tile, "asked_overlap": how.cutting.overlap}
        return settings

    def context(self, file: ImageFile, image: ImageData) -> Context:
        """Return what is known about an image."""
        needs = self.image_restorer.restorer.spec.needs
        context = self.known.context(file, image.pixels, self.sources.find(file), needs)
        return replace(context, on_progress=self.progress.within, measured=is_measured(image))

    def load(self, file: ImageFile, header: ImageHeader | None, size: int = 0) -> Loaded:
        """Read an image and all that is known of it, ready to be restored; any thread may do so.

        The rows of one that memory cannot hold, and the planes of a stack, wait.

        Args:
            file: The image.
            header: What its header promises; None where that cannot be read.
            size: Bytes that it takes of the limit on memory.

        Raises:
            ImageError: It cannot be read, changed meanwhile, is not finite, or its mask is missing.
        """
        before = stamp(file.path)
        reading = reading_of(file, self.reading, self.sources)
        stack = open_stack(file.path, reading)
        if stack is not None or (header is not None and self._goes_by_rows(header)):
            return Loaded(None, before, size, stack)
        image = read_image(file.path, reading)
        check_unchanged(file.path, before)
        context = self.context(file, image)
        prepared = self.image_restorer.prepare(self._told_of_values(file, image))
        return Loaded(prepared, before, size, context=context, path=file.path)

    def _goes_by_rows(self, header: ImageHeader) -> bool:
        return self.image_restorer.streams and goes_by_rows(header)

    def _told_of_values(self, file: ImageFile, image: ImageData) -> ImageData:
        """Return an image with a note where a range that was asked for makes noise of its values."""
        traits = image.traits
        if traits.scale is not None or traits.dtype.kind != "f":
            return image
        low, high = float(image.pixels.min()), float(image.pixels.max())
        if low >= 0 and high <= 1:
            return image
        record = self.sources.find(file)
        if record is not None and record.unclipped:
            return image
        note = f"values {low:g} to {high:g} reach beyond 0 to 1, where they were taken for noise; see --range"
        return replace(image, traits=replace(traits, notes=(*traits.notes, note)))

    def begin(self, loaded: Sequence[Loaded]) -> list[Callable[[], Restored]]:
        """Begin to restore images that were read, and return what waits for each; see `ImageRestorer.begin`.

        Raises:
            ImageError: An image cannot be restored; what waits may raise this, too.
            ResourceError: Memory ran out, or the device failed; as above.
        """
        images = [(one.image, one.context) for one in loaded if one.image is not None]
        begun = self.image_restorer.begin(images)
        return [partial(_restored, one, image) for one, image in zip(loaded, begun, strict=True)]

    def restore(self, loaded: Loaded) -> Restored:
        """Restore an image that was read.

        Raises:
            ImageError: It cannot be restored.
            ResourceError: Memory ran out, or the device failed.
        """
        [restored] = self.begin([loaded])
        return restored()

    def restore_pieces(self, file: ImageFile, loaded: Loaded, target: Path) -> Restored:
        """Restore an image by rows, or a stack by planes, from file to file.

        Raises:
            ImageError: It cannot be read, restored or written.
            ResourceError: Memory or disk ran out, or the device failed.
        """
        found = Findings()

        middle = None
        if loaded.stack is not None and self.image_restorer.restorer.found is not None:
            middle = MiddlePlanes(loaded.stack)
        places = itertools.count()
        diagnoses: Counter[str] = Counter()
        changed = False

        def restore_plane(plane: ImageData) -> tuple[ImageData, TileUse]:
            nonlocal changed
            context, place = self.context(file, plane), next(places)
            if loaded.stack is not None and loaded.stack.layout.measured:
                context = replace(context, measured=True)
            if middle is not None and context.measured:
                context = replace(context, like=middle.like(place))
            restored = self.image_restorer(self._told_of_values(file, plane), context)
            _note_plane(found, context.found, diagnoses)
            changed = changed or plane.traits.depth == 8 or not _is_same(plane, restored[0])
            return restored

        if loaded.stack is None:
            reading = reading_of(file, self.reading, self.sources)
            done = restore_file_by_rows(
                file.path, target, self.image_restorer, loaded.stamp, reading, self.progress.within, found
            )
        else:
            done = restore_stack(
                loaded.stack,
                target,
                restore_plane,
                lambda: check_unchanged(file.path, loaded.stamp),
                **self._encoding,
            )
            if not changed and self._may_copy(loaded.stack.layout.format, target):
                with atomic_write(target) as temporary:
                    shutil.copyfile(file.path, temporary)
                    check_unchanged(file.path, loaded.stamp)
                done = replace(done, notes=())
        return Restored(None, loaded.stamp, loaded.size, done.use, done.area, found, done.notes)

    def _may_copy(self, file_format: str, target: Path) -> bool:
        plain = self.reading in (STRICT, ReadOptions(frames="all"))
        return plain and format_for(target) == file_format and not self._encoding

    def _copied(self, restored: Restored, image: ImageData, target: Path) -> bool:
        """Copy the file of an image that came back as it was, where writing it again would make it worse.

        Not where a quality was asked for, or a way of reading that changes colors, values or the frames.
        """
        if restored.original is None or not self._may_copy(image.traits.format, target):
            return False
        try:
            content = restored.original.read_bytes()
            unchanged = stamp(restored.original) == restored.stamp
        except (OSError, ImageError):
            return False
        if unchanged:
            write_file(target, content)
        return unchanged

    def write(self, restored: Restored, target: Path) -> tuple[str, ...]:
        """Write an image, unless it is on the disk already; return what a reader should know of it.

        Raises:
            ImageError: It cannot be written.
            ResourceError: The disk is full or failing.
        """
        notes = (*restored.notes, *vain_quality(target, self.quality))
        if restored.image is not None:
            image = restored.take()
            copied = self._copied(restored, image, target)
            losses = () if copied else write_image(target, image, **self._encoding)
            notes = (*notes, *image.traits.notes, *losses)
        if LEFT in restored.found.values:
            notes = (*notes, NOTE)
        return notes if restored.use.exact else (*notes, CHANGED_BY_TILES)


def _is_same(before: ImageData, after: ImageData) -> bool:
    return np.array_equal(before.pixels, after.pixels)


def _note_plane(found: Findings, of_plane: Findings, diagnoses: Counter[str]) -> None:
    """Add what was found out of a plane to what is told of its stack, and count its diagnosis."""
    values = of_plane.values
    found.values.update({name: values[name] for name in (LEFT, KEPT_MEANS) if name in values})
    if "precision_used" in values:
        found.values["precision_used"] = IN_PART
    if DIAGNOSIS in values:
        diagnoses[str(values[DIAGNOSIS])] += 1
        told = [f"{counted(count, 'plane')}: {text}" for text, count in diagnoses.most_common()]
        found.values[DIAGNOSIS] = some_of(told, "; ")


def _restored(loaded: Loaded, begun: Begun) -> Restored:
    """Wait for an image."""
    assert loaded.image is not None  # noqa: S101 - the others go through `restore_pieces`
    source = loaded.image.image
    height, width = source.size
    image, use = begun()
    traits = source.traits
    worse = (
        traits.depth > 8 or not FORMATS[traits.format].lossless
    )  # rounded, or without tags of a microscope
    same = worse and _is_same(source, image)
    found = loaded.context.found
    original = loaded.path if same else None
    return Restored(image, loaded.stamp, loaded.size, use, height * width, found, original=original)


def header_of(path: Path) -> ImageHeader | None:
    """Return what the header promises, or None for an image that cannot be read anyway."""
    try:
        return probe(path)
    except RestorecliError:
        return None
