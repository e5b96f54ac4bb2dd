"""One image to degrade, before anything is read: what decides it, and what the manifest says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from restorecli.degradation.base import Degradation, Value
from restorecli.errors import UsageError
from restorecli.folders.digest import version_of
from restorecli.folders.locators import make_locator
from restorecli.folders.record import Record
from restorecli.folders.samples import Sample
from restorecli.images.options import STRICT, ReadOptions
from restorecli.version import __version__

MASKS = "masks"
"""The folder of the masks below an output folder; it is marked, so that nobody takes them for images."""

Place = Path | Sample
"""Where an image comes from: a file, or a built-in sample."""


@dataclass(frozen=True)
class DegradeTask:
    """Everything that decides one degraded image, before anything is read.

    Attributes:
        target: Path of the image to write, below the output folder.
        source: The image to degrade.
        reference: The clean original: the source, or what the source's own manifest names.
        category: Its category.
        defect: Its kind of defect, if any.
        seed: The run's seed.
        key: What its generators are derived from, beside the seed.
        steps: The degradations with their values drawn.
        earlier: What the source's own manifest says was done to it before.
        expected_digest: Of the source; a replay fails where it is another. None takes any.
        unclipped: Keep values outside [0, 1] in 32-bit floating point.
        reading: How to read the source.
        reference_reading: How to read the reference for a comparison.
    """

    target: PurePosixPath
    source: Place
    reference: Place | None
    category: str
    defect: str | None
    seed: int
    key: str
    steps: tuple[Degradation, ...]
    unclipped: bool
    reading: ReadOptions = STRICT
    reference_reading: ReadOptions = STRICT
    earlier: tuple[Mapping[str, Any], ...] = ()
    expected_digest: str | None = None

    @property
    def name(self) -> str:
        """The task as it is printed."""
        return self.key

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files that must never be written over."""
        return tuple(place for place in (self.source, self.reference) if isinstance(place, Path))

    @property
    def mask_target(self) -> PurePosixPath | None:
        """Path of the mask to write, below the output folder; None where no step has a place."""
        if not any(step.masked for step in self.steps):
            return None
        name = self.target.name
        return PurePosixPath(MASKS) / self.target.with_name(name if name.endswith(".png") else f"{name}.png")

    def record(self, folder: Path, digest: str | None, notes: tuple[str, ...] = ()) -> Record:
        """Return the manifest's line for this task in `folder`."""
        return Record(
            path=self.target.as_posix(),
            command="degrade",
            category=self.category,
            reference=None if self.reference is None else make_locator(self.reference, folder),
            source=make_locator(self.source, folder),
            version=__version__,
            defect=self.defect,
            seed=self.seed,
            key=self.key,
            source_digest=digest,
            source_version=version_of(self.source) if isinstance(self.source, Path) else None,
            earlier=self.earlier,
            degradations=tuple(self._step_record(step) for step in self.steps),
            unclipped=self.unclipped,
            notes=notes,
            reading=self.reading,
            reference_reading=self.reference_reading,
        )

    def _step_record(self, step: Degradation) -> dict[str, Value]:
        """Return what the manifest tells of a step: one that has a place also names the image's mask."""
        return {**step.record(), "mask": str(self.mask_target)} if step.masked else step.record()


def keep_masks_apart(tasks: Sequence[DegradeTask]) -> None:
    """Refuse images where the masks are to be: both would be taken for the other.

    Raises:
        UsageError: A task would write an image there, and a task a mask.
    """
    below = next((task.target for task in tasks if task.target.parts[0] == MASKS), None)
    if below is not None and any(task.mask_target is not None for task in tasks):
        raise UsageError(
            f"The folder {MASKS!r} holds images, and is where the masks of the damage are written.",
            got=str(below),
            unchanged="everything",
            hint=f"give the folder {MASKS!r} of the source another name",
        )
