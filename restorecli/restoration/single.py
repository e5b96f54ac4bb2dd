"""One image from file to file, by a network or a method; folders: `restoration.folder`."""

from __future__ import annotations

import time
from pathlib import Path

from restorecli.errors import RestorecliError
from restorecli.folders.jobs import FolderSummary, Progress, SilentProgress
from restorecli.folders.run import Done, one_done
from restorecli.folders.single import prepare_target
from restorecli.folders.walking import walk
from restorecli.images.options import STRICT, ReadOptions
from restorecli.restoration.files import FileRestorer, header_of
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.known import Known
from restorecli.restoration.records import SourceRecords


def restore_file(
    source: Path,
    target: Path,
    image_restorer: ImageRestorer,
    *,
    known: Known,
    reading: ReadOptions = STRICT,
    quality: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> FolderSummary:
    """Restore one image into one file, without a manifest.

    Where a manifest tells of the image, what it says is used as in a folder.

    Args:
        source: The image; never changed.
        target: The file to write; its suffix chooses the format. Its folder is made when missing.
        image_restorer: What restores.
        known: What the caller knows about the images.
        reading: How to read what is unusual.
        quality: For JPEG and WebP, 1 to 100; None takes 95.
        overwrite: Replace a file that is there.
        progress: Progress callbacks.

    Returns:
        What was done, as of a folder of one image whose output is `target`.

    Raises:
        UsageError: The target is an input or is there already.
        DataError: There is no such image.
        ImageError: It cannot be read, restored or written.
        ResourceError: Memory or disk ran out, or the device failed.
    """
    began = time.perf_counter()
    progress = progress or SilentProgress()
    [file] = walk(source)
    sources = SourceRecords(source.parent)
    reference = sources.reference_of(file)
    prepare_target(target, [source] if reference is None else [source, reference], overwrite=overwrite)
    files = FileRestorer(image_restorer, known, sources, reading, quality, progress)
    progress.start(1, "images")
    try:
        loaded = files.load(file, header_of(source))
        by_pieces = loaded.image is None
        done = files.restore_pieces(file, loaded, target) if by_pieces else files.restore(loaded)
        notes = files.write(done, target)
        progress.advance(source.name)
    except RestorecliError as error:
        error.file = error.file or str(source)
        raise
    finally:
        progress.finish()
    return one_done("restore", source.name, target, Done(done.area / 1e6, notes), began)
