"""Diagnoses of files: one image, or every image of a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from restorecli.counting import counted
from restorecli.diagnosis.diagnosing import FileInfo
from restorecli.diagnosis.large import diagnose_any_size
from restorecli.diagnosis.measured import as_measured
from restorecli.diagnosis.measuring.webp import webp_quantizer
from restorecli.diagnosis.result import Diagnosis
from restorecli.errors import RestorecliError
from restorecli.folders.jobs import Progress, SilentProgress, run_ordered
from restorecli.folders.mirror import Mirror
from restorecli.folders.walking import ImageFile, walk
from restorecli.images.image import ImageData
from restorecli.images.measured import is_measured
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.planes import Chosen
from restorecli.images.reading import read_image
from restorecli.images.stacks import open_stack


@dataclass(frozen=True, slots=True)
class FileDiagnosis:
    """What a file's image has, or why it could not be looked at.

    Attributes:
        path: The file's path below the folder; with "#" and its number for a plane of a stack.
        diagnosis: What was found, or None.
        error: Why there is none.
    """

    path: str
    diagnosis: Diagnosis | None
    error: RestorecliError | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis, or the error, as JSON values."""
        if self.diagnosis is not None:
            return {"path": self.path, **self.diagnosis.to_dict()}
        assert self.error is not None  # noqa: S101 - one of both is there
        return {"path": self.path, "error": self.error.problem, **self.error.details()}


def file_info(path: Path) -> FileInfo:
    """Return what a file says beside its pixels; nothing where it is neither JPEG nor lossy WebP."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["JPEG"]) as image:
            tables = getattr(image, "quantization", {})
    except (UnidentifiedImageError, OSError):
        return FileInfo(webp_quantizer=webp_quantizer(path))
    return FileInfo(jpeg_table=tuple(tables[0])) if 0 in tables else FileInfo()


def diagnose_file(path: Path, reading: ReadOptions = STRICT) -> Diagnosis:
    """Diagnose an image's file.

    Args:
        path: The file.
        reading: How to read what is unusual.

    Raises:
        ImageError: It cannot be read.
    """
    return diagnose_image(read_image(path, reading), file_info(path))


def diagnose_image(image: ImageData, info: FileInfo | None = None, *, measured: bool = False) -> Diagnosis:
    """Diagnose an image of any kind: of measured data only noise and JPEG are told; see `measured`.

    Args:
        image: The image; of its pixels what lies in [0, 1] is looked at.
        info: What its file says.
        measured: Whether it is known to be measured data; else the image says so itself.

    Raises:
        ImageError: It is too small to tell anything.
    """
    clipped = np.clip(image.pixels, 0, 1)
    found = diagnose_any_size(clipped, info)
    return as_measured(found, clipped) if measured or is_measured(image) else found


def diagnose_files(
    source: Path | str,
    *,
    workers: int | None = None,
    reading: ReadOptions = STRICT,
    progress: Progress | None = None,
) -> list[FileDiagnosis]:
    """Diagnose every image of a folder, or one file; one that cannot be read costs only itself.

    Args:
        source: Folder or file, or the address of one, such as s3://bucket/folder; every image is fetched when
            it is looked at.
        workers: Threads; any number gives the same.
        reading: How to read what is unusual.
        progress: Progress callbacks.

    Returns:
        One for each image, in the order of their paths.

    Raises:
        DataError: There is no such file or folder, or its store cannot be reached.
    """
    progress = progress or SilentProgress()
    with Mirror() as remote:
        files = walk(Path(remote.place(source)))
        progress.start(len(files), "images")
        try:
            found = list(_diagnosed(files, workers, reading, progress, remote))
        finally:
            progress.finish()
        return [*found, *(FileDiagnosis(one.path, None, one.error) for one in remote.refused)]


def _diagnosed(
    files: Sequence[ImageFile],
    workers: int | None,
    reading: ReadOptions,
    progress: Progress,
    remote: Mirror,
) -> Iterator[FileDiagnosis]:
    def look(file: ImageFile) -> list[FileDiagnosis]:
        with remote.hold(file.path):
            name = file.relative.as_posix()
            stack = open_stack(file.path, reading)
            if stack is None:
                return [FileDiagnosis(name, diagnose_file(file.path, reading))]
            return _of_planes(name, stack)

    for file, found in run_ordered(look, files, workers):
        name = file.relative.as_posix()
        failed = found if isinstance(found, RestorecliError) else None
        if failed is not None:
            remote.name_addresses(failed)
        progress.advance(name, failed)
        yield from [FileDiagnosis(name, None, failed)] if isinstance(found, RestorecliError) else found


def _of_planes(name: str, stack: Chosen) -> list[FileDiagnosis]:
    """Diagnose every plane of a stack; they are named as `restorecli eval` names them."""
    with stack:
        found = (diagnose_image(plane, measured=stack.layout.measured) for plane in stack)
        return [
            FileDiagnosis(f"{name}#{number}", one) for number, one in zip(stack.numbers, found, strict=True)
        ]


def kinds(diagnoses: Sequence[Diagnosis]) -> list[str]:
    """Return one phrase for each kind of image, the most frequent first.

    A kind is what has the same damages and is treated the same way; of the strength the middle is said:
    "4 images: JPEG, quality about 20 -> deblock".
    """
    grouped: dict[tuple[object, ...], list[Diagnosis]] = {}
    for diagnosis in diagnoses:
        key = (
            tuple(finding.damage for finding in diagnosis.findings),
            tuple(step.model for step in diagnosis.steps),
            diagnosis.untold,
        )
        grouped.setdefault(key, []).append(diagnosis)
    counts = Counter({key: len(group) for key, group in grouped.items()})
    return [f"{counted(count, 'image')}: {_typical(grouped[key])}" for key, count in counts.most_common()]


def _typical(group: Sequence[Diagnosis]) -> str:
    def strength(diagnosis: Diagnosis) -> float:
        first = diagnosis.findings[0] if diagnosis.findings else None
        return first.strengths[0].value if first is not None and first.strengths else 0.0

    return str(sorted(group, key=strength)[len(group) // 2])
