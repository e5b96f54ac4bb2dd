"""Restoring one image: its tiles, its transparency, and what the file was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from restorecli.core.transfer import Transfer, transfer_to
from restorecli.counting import counted
from restorecli.errors import ImageError, UsageError
from restorecli.images.image import ImageData, Pixels
from restorecli.restoration.alpha import enlarge, fill_invisible, keep_invisible
from restorecli.restoration.context import KEPT_MEANS, Context, Findings
from restorecli.restoration.cutting import Cutting, TileUse, joined
from restorecli.restoration.launching import Launcher, Values
from restorecli.restoration.outside import reaches_beyond, restore_beyond
from restorecli.restoration.plan import (
    Span,
    plan_tiles,
    round_up,
)
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.tiling import restore_bands

STREAM_BYTES = 256 << 20
"""Memory for one tile of an image that is read by rows: high tiles would make the rows in memory many."""

IN_PART = "float32 in part"
"""Precision of an image of which some tiles or planes were not finite in the restorer's precision."""


Begun = Callable[[], tuple[ImageData, TileUse]]
"""Waits for an image that is under way, and returns it; see `ImageRestorer.begin`."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image ready to be restored.

    Attributes:
        image: As it was read.
        seen: Its pixels with what is invisible filled in.
        staged: The same on the way to the device; None where values lie outside a scale that was chosen for
            them, which takes other passes.
    """

    image: ImageData
    seen: Pixels
    staged: Tensor | None


class RowSource(Protocol):
    """An image whose rows are read when they are needed."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""

    def read(self, start: int, stop: int) -> Pixels:
        """Return the rows from `start` to before `stop`: (C, rows, W) in [0, 1]."""


class ImageRestorer:
    """Restores images one after another; remembers which size the memory could hold.

    Args:
        restorer: What restores.
        tile: "auto" (whole while it fits, then the largest tile that does), "none" (always whole) or the
            largest side in pixels. Only "auto" is ever made smaller when memory runs out.
        overlap: Pixels that neighboring tiles share; None takes what the network needs.
        strength: Share of what is restored in the result, 0 to 1; the rest is the input.
        keep_defects: Give back structure that was removed with the noise; see `keep_defects`.
        batch: Images of one size, and tiles of a row, that a network restores as one batch; None takes what
            gains on the device, which on a CPU is one.
        transfer_to: Returns the way to a device and back.

    Raises:
        UsageError: The tile is unknown, not larger than the overlap, or a side for a restorer that needs the
            whole image; or the strength is out of range, or below 1 for a restorer that enlarges; or
            defects are to be kept by a restorer that enlarges.
    """

    def __init__(
        self,
        restorer: Restorer,
        *,
        tile: int | str = "auto",
        overlap: int | None = None,
        strength: float = 1.0,
        keep_defects: bool = False,
        batch: int | None = None,
        transfer_to: Callable[[torch.device], Transfer] = transfer_to,
    ) -> None:
        _check_strength(strength, restorer.spec.scale)
        if keep_defects and restorer.spec.scale != 1:
            raise UsageError(
                "Defects cannot be kept in an enlarged image.",
                expected="a restorer that keeps the size",
                got=f"{restorer.spec.name}, which enlarges {restorer.spec.scale} times",
            )
        self.restorer = restorer
        self.strength = strength
        self.keep_defects = keep_defects
        self.cutting = Cutting(tile, overlap, batch, transfer_to)
        self.cutting.check(restorer)
        self._launcher = Launcher(self.cutting)

    @property
    def streams(self) -> bool:
        """Whether an image can be restored by rows."""
        return self.restorer.streams and not self.keep_defects

    @property
    def ahead(self) -> int:
        """How many batches may be begun before the result of the first is waited for."""
        return self.cutting.transfer(self.restorer).ahead

    @property
    def tiles_change_nothing(self) -> bool:
        """Whether results are those of whole images, however large these are."""
        return self.cutting.changes_nothing(self.restorer)

    def __call__(self, image: ImageData, context: Context | None = None) -> tuple[ImageData, TileUse]:
        """Restore an image; alpha, depth and metadata come back as they were.

        Args:
            image: The image.
            context: What is known about it, which the restorer is told, and where findings go; None takes
                the restorer as it is.

        Raises:
            ImageError: The pixels, or what the restorer makes of them, are not finite; or something that the
                restorer must know is not known.
            ResourceError: Memory ran out and no smaller tile is allowed or possible, or the device failed.
        """
        [begun] = self.begin([(self.prepare(image), context)])
        return begun()

    def prepare(self, image: ImageData) -> Prepared:
        """Return an image ready for `begin`; any thread may do so.

        Raises:
            ImageError: The pixels are not finite.
        """
        if not np.isfinite(image.pixels).all():
            raise ImageError("The image holds values that are not finite.", expected="finite pixels")
        alpha = image.traits.alpha
        seen = image.pixels if alpha is None else fill_invisible(image.pixels, alpha)
        told = image.traits.scale is not None and reaches_beyond(seen)
        return Prepared(image, seen, None if told else self.cutting.transfer(self.restorer).stage(seen))

    def begin(self, images: Sequence[tuple[Prepared, Context | None]]) -> list[Begun]:
        """Begin to restore images without waiting for the device, and return what waits for each.

        On a CPU, and where values outside a scale need several passes, all is done at once.

        Args:
            images: One, or several that `together` allows to be one batch, each with what is known of it.

        Raises:
            ImageError: What comes of an image is not finite, or something that the restorer must know is not
                known; what waits may raise this, too.
            ResourceError: Memory ran out and no smaller tile is allowed or possible, or the device failed; as
                above.
        """
        steps = [None if one.staged is None else self._steps(one.seen, context) for one, context in images]
        values = self._begin_batch(images, steps)
        if values is None:
            values = [
                self._begin_outside(prepared.seen, context)
                if prepared.staged is None or applied is None
                else self._begin_steps(applied, prepared.seen, prepared.staged, context)
                for (prepared, context), applied in zip(images, steps, strict=True)
            ]
        return [partial(self._finished, *image, value) for image, value in zip(images, values, strict=True)]

    def together(self, prepared: Prepared) -> int:
        """Return how many images of this image's size may be begun as one batch; 1 where it goes alone."""
        cutting = self.cutting
        limit = cutting.transfer(self.restorer).together if cutting.batch is None else cutting.batch
        if limit == 1 or prepared.staged is None or not self.restorer.joins(self.restorer):
            return 1
        channels, height, width = prepared.seen.shape
        if self.cutting.choose(self.restorer, channels, height, width) is not None:
            return 1
        return self.cutting.batch_size(self.restorer, channels, height * width)

    def _finished(
        self, prepared: Prepared, context: Context | None, value: Callable[[], Values]
    ) -> tuple[ImageData, TileUse]:
        """Wait for the values of an image and give it back what its file was."""
        image, traits, alpha = prepared.image, prepared.image.traits, prepared.image.traits.alpha
        pixels, use = value()
        if context is not None and KEPT_MEANS in context.found.values:
            from restorecli.restoration.keep_means import keep_means

            pixels = keep_means(prepared.seen, pixels)
        if self.keep_defects:
            pixels, note = _with_defects(prepared.seen, pixels, context or Context())
            traits = replace(traits, notes=(*traits.notes, note))
        if context is not None and context.found.notes:
            traits = replace(traits, notes=(*traits.notes, *context.found.notes))
        if alpha is None:
            return ImageData(pixels, traits), use
        scale = pixels.shape[1] // image.size[0]
        if scale == 1:
            pixels = keep_invisible(pixels, image.pixels, alpha)
        return ImageData(pixels, replace(traits, alpha=enlarge(alpha, scale))), use

    def _begin_batch(
        self,
        images: Sequence[tuple[Prepared, Context | None]],
        steps: Sequence[Sequence[Restorer] | None],
    ) -> list[Callable[[], Values]] | None:
        """Begin images as one batch; None where there is only one, or they are told different things."""
        staged = [prepared.staged for prepared, _ in images if prepared.staged is not None]
        single = [applied[0] for applied in steps if applied is not None and len(applied) == 1]
        if not 1 < len(images) == len(staged) == len(single):
            return None
        if self.strength != 1 or not all(single[0].joins(step) for step in single):
            return None
        return self._launcher.launch(single[0], staged, [context for _, context in images])

    def _begin_outside(self, pixels: Pixels, context: Context | None) -> Callable[[], Values]:
        """Restore pixels of which some lie outside the scale that was chosen for them: these come through.

        Without such a scale, what lies outside [0, 1] is noise: it is given to the restorer as it is.
        """
        uses = []

        def restore(inside: Pixels) -> Pixels:
            restored, use = self.restore(inside, context)
            uses.append(use)
            return restored

        lost = None if context is None else context.mask
        restored = restore_beyond(pixels, restore, affine=self.restorer.spec.affine, lost=lost)
        return lambda: (restored, joined(uses))

    def restore(self, pixels: Pixels, context: Context | None = None) -> Values:
        """Restore (C, H, W) pixels, float32, nominally in [0, 1]; see `__call__`."""
        staged = self.cutting.transfer(self.restorer).stage(pixels)
        return self._begin_steps(self._steps(pixels, context), pixels, staged, context)()

    def _steps(self, pixels: Pixels, context: Context | None) -> Sequence[Restorer]:
        return (self.restorer,) if context is None else self.restorer.steps(pixels, context)

    def _begin_steps(
        self, steps: Sequence[Restorer], pixels: Pixels, staged: Tensor, context: Context | None
    ) -> Callable[[], Values]:
        """Begin the last of the steps, once those before it are done."""
        uses: list[TileUse] = []
        for step in steps[:-1]:
            [before] = self._launcher.launch(step, [staged], [context])
            restored, use = before()
            uses.append(use)
            staged = self.cutting.transfer(steps[len(uses)]).stage(restored)
        if not steps:
            return lambda: (pixels, TileUse())
        [last] = self._launcher.launch(steps[-1], [staged], [context])

        def finish() -> Values:
            restored, use = last()
            return self._mixed(pixels, restored), joined([*uses, use])

        return finish

    def _mixed(self, pixels: Pixels, restored: Pixels) -> Pixels:
        """Return the share `strength` of what was restored, and the rest of what it was made of."""
        if self.strength == 1:
            return restored
        _check_strength(self.strength, restored.shape[1] // pixels.shape[1])
        return pixels + np.float32(self.strength) * (restored - pixels)

    def restore_rows(
        self,
        source: RowSource,
        on_progress: Callable[[int, int], None] | None = None,
        found: Findings | None = None,
    ) -> Iterator[Pixels]:
        """Restore an image that memory cannot hold, from top to bottom.

        The result is that of `restore` with the same tiles; `use_for` tells these.

        Args:
            source: Where its rows are read.
            on_progress: Called with rows of tiles done and rows of tiles in all.
            found: Takes down the precision of tiles that were not finite in that of the restorer.

        Yields:
            Finished rows, (C, rows, W * scale).

        Raises:
            ImageError: The whole image at once was asked for, or what comes of it is not finite.
            ResourceError: Memory ran out and no smaller tile is allowed or possible, or the device failed.
        """
        plan = plan_tiles(
            self.restorer.spec, *source.size, tile=self._stream_tile(source), overlap=self.cutting.overlap
        )

        def read(rows: Span) -> torch.Tensor:
            return torch.from_numpy(source.read(rows.start, rows.stop))[None]

        start = 0
        patient = self._launcher.patient(self.restorer, careful=True)
        for done, band in enumerate(restore_bands(patient, read, plan), start=1):
            if patient.fell_back and found is not None:
                found.values["precision_used"] = IN_PART
            rows = band[0].numpy()
            if self.strength != 1:
                rows = self._mixed(source.read(start, start + rows.shape[1]), rows)
                start += rows.shape[1]
            yield rows
            if on_progress is not None:
                on_progress(done, len(plan.rows))

    def use_for(self, source: RowSource) -> TileUse:
        """Return how `restore_rows` cuts an image, or has cut it."""
        return self.cutting.use(self.restorer, self._stream_tile(source), *source.size)

    def _stream_tile(self, source: RowSource) -> int:
        if self.cutting.tile == "none":
            raise ImageError(
                "The image is too large for memory as a whole.",
                expected="--tile auto or a side in pixels",
                got="--tile none",
            )
        whole = round_up(max(source.size), self.restorer.spec.multiple)
        return self.cutting.choose(self.restorer, source.channels, *source.size, most=STREAM_BYTES) or whole


def _check_strength(strength: float, scale: int) -> None:
    """Refuse a strength that is none, or that would mix images of two sizes.

    Raises:
        UsageError: It is such a strength.
    """
    if not 0 <= strength <= 1:
        raise UsageError("Invalid --strength.", expected="a number from 0 to 1", got=repr(strength))
    if strength != 1 and scale != 1:
        raise UsageError(
            "An enlarged image cannot be mixed with what it was made of.",
            expected="--strength 1",
            got=f"--strength {strength:g} for a result {scale} times as large",
        )


def _with_defects(degraded: Pixels, restored: Pixels, context: Context) -> tuple[Pixels, str]:
    """Return the image with its defects kept, and the note on it; the places go among the findings."""
    from restorecli.restoration.keep_defects import keep_defects, outlined

    kept = keep_defects(degraded, restored, context.sigma)
    context.note({"kept_places": kept.count, "kept_surest": "; ".join(map(str, kept.places))})
    context.found.images["defects"] = outlined(kept.pixels, kept.where)
    if not kept.places:
        return kept.pixels, "all that was removed looks like noise"
    return (
        kept.pixels,
        f"removed structure in {counted(kept.count, 'place')}, in part given back; {kept.places[0]}",
    )
