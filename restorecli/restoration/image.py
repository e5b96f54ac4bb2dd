"""Restoring one image: its tiles, its transparency, and what the file was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from restorecli.core.device import tuned
from restorecli.core.footprint import Footprint
from restorecli.core.restorer import NonFiniteError, not_finite
from restorecli.core.transfer import Transfer, transfer_to
from restorecli.counting import counted
from restorecli.errors import ImageError, UsageError
from restorecli.images.image import ImageData, Pixels
from restorecli.restoration.alpha import enlarge, fill_invisible, keep_invisible
from restorecli.restoration.backoff import BackingOff, device_faults_told, is_out_of_memory
from restorecli.restoration.budget import auto_tile, memory_budget
from restorecli.restoration.context import Context, Findings
from restorecli.restoration.outside import reaches_beyond, restore_beyond
from restorecli.restoration.plan import (
    MAX_DEFAULT_OVERLAP,
    Span,
    default_overlap,
    is_exact,
    needed_overlap,
    plan_axis,
    plan_tiles,
    round_up,
)
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.tiling import Pending, begin_tiled, restore_bands, restore_tiled

MAX_BATCH_AREA = 1 << 22
"""Pixels of a batch beyond which a device has no more to gain from further images or tiles."""

USUAL = 16
"""Batches of one shape after which cuDNN may try its algorithms on it: that takes as long as many batches."""

STREAM_BYTES = 256 << 20
"""Memory for one tile of an image that is read by rows: high tiles would make the rows in memory many."""

IN_PART = "float32 in part"
"""Precision of an image of which some tiles or planes were not finite in the restorer's precision."""

CHANGED_BY_TILES = "restored in tiles that share less than the network sees: they change its result a little"
"""The note on an image whose tiles are not equal to the whole."""


@dataclass(frozen=True, slots=True)
class TileUse:
    """How an image was cut.

    Attributes:
        tile: Largest side of a tile, or None for the whole image.
        overlap: Pixels that neighbors shared; 0 for the whole image.
        exact: Whether the result is that of the whole image.
    """

    tile: int | None = None
    overlap: int = 0
    exact: bool = True


Values = tuple[Pixels, TileUse]
"""Restored pixels, and how they were cut."""

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


def parse_tile(tile: int | str) -> int | str:
    """Return "auto", "none" or a tile side in pixels.

    Raises:
        UsageError: It is none of these.
    """
    if tile in ("auto", "none"):
        return tile
    try:
        side = int(tile)
    except ValueError:
        side = 0
    if side < 1:
        raise UsageError("Unknown tile size.", expected="auto, none or a side in pixels", got=str(tile))
    return side


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
        if overlap is not None and overlap < 0:
            raise UsageError("An overlap cannot be negative.", expected="0 or more pixels", got=str(overlap))
        self.tile = parse_tile(tile)
        self.overlap = overlap
        self.strength = strength
        self.keep_defects = keep_defects
        self.restorer = restorer
        self.batch = batch
        self._transfer_to = transfer_to
        self._transfers: dict[torch.device, Transfer] = {}
        self._footprints: dict[tuple[str, int], Footprint] = {}
        self._budgets: dict[str, int] = {}
        self._shapes: Counter[tuple[str | int, ...]] = Counter()
        self._limits: dict[str, int] = {}
        if isinstance(self.tile, int):
            if restorer.spec.whole:
                raise UsageError(
                    f"{restorer.spec.name} needs the whole image.",
                    expected="--tile auto or none",
                    got=str(tile),
                )
            shared = default_overlap(restorer.spec, self.tile) if overlap is None else overlap
            multiple = restorer.spec.multiple
            plan_axis(2 * self.tile + multiple, tile=self.tile, overlap=shared, multiple=multiple)

    @property
    def streams(self) -> bool:
        """Whether an image can be restored by rows."""
        return self.restorer.streams and not self.keep_defects

    @property
    def ahead(self) -> int:
        """How many batches may be begun before the result of the first is waited for."""
        return self._transfer(self.restorer).ahead

    @property
    def tiles_change_nothing(self) -> bool:
        """Whether results are those of whole images, however large these are."""
        spec = self.restorer.spec
        if spec.whole:
            return True
        if self.overlap is not None:
            return is_exact(spec, self.overlap)
        if isinstance(self.tile, int):
            return is_exact(spec, default_overlap(spec, self.tile))
        if self.tile == "none":
            return spec.receptive_field is not None
        return is_exact(spec, min(needed_overlap(spec), MAX_DEFAULT_OVERLAP))

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
        return Prepared(image, seen, None if told else self._transfer(self.restorer).stage(seen))

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
        limit = self._transfer(self.restorer).together if self.batch is None else self.batch
        if limit == 1 or prepared.staged is None or not self.restorer.joins(self.restorer):
            return 1
        channels, height, width = prepared.seen.shape
        if self._choose(self.restorer, channels, height, width) is not None:
            return 1
        return self._batch_size(self.restorer, channels, height * width)

    def _finished(
        self, prepared: Prepared, context: Context | None, value: Callable[[], Values]
    ) -> tuple[ImageData, TileUse]:
        """Wait for the values of an image and give it back what its file was."""
        image, traits, alpha = prepared.image, prepared.image.traits, prepared.image.traits.alpha
        pixels, use = value()
        if self.keep_defects:
            pixels, note = _with_defects(prepared.seen, pixels, context or Context())
            traits = replace(traits, notes=(*traits.notes, note))
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
        return self._launch(single[0], staged, [context for _, context in images])

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
        staged = self._transfer(self.restorer).stage(pixels)
        return self._begin_steps(self._steps(pixels, context), pixels, staged, context)()

    def _steps(self, pixels: Pixels, context: Context | None) -> Sequence[Restorer]:
        return (self.restorer,) if context is None else self.restorer.steps(pixels, context)

    def _begin_steps(
        self, steps: Sequence[Restorer], pixels: Pixels, staged: Tensor, context: Context | None
    ) -> Callable[[], Values]:
        """Begin the last of the steps, once those before it are done."""
        uses: list[TileUse] = []
        for step in steps[:-1]:
            [before] = self._launch(step, [staged], [context])
            restored, use = before()
            uses.append(use)
            staged = self._transfer(steps[len(uses)]).stage(restored)
        if not steps:
            return lambda: (pixels, TileUse())
        [last] = self._launch(steps[-1], [staged], [context])

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

    def _launch(
        self, step: Restorer, images: Sequence[Tensor], contexts: Sequence[Context | None]
    ) -> list[Callable[[], Values]]:
        """Begin one step on images of one size, and return what waits for each."""
        tile = self._choose(step, *images[0].shape)
        fault: NonFiniteError | None = None
        pending: Pending | None = None
        try:
            with device_faults_told():
                pending = self._begun(step, images, tile)
        except NonFiniteError as error:  # of a restorer that checks by itself
            fault = error
        use = self._use(step, tile, *images[0].shape[1:])

        def finish(number: int) -> Values:
            with device_faults_told():
                restored = None if pending is None else pending.take(number)
            if restored is None:
                precise = step.in_float32()
                if precise is None:
                    raise fault or not_finite(step.spec.name)
                patient = self._patient(precise)
                restored = restore_tiled(patient, images[number], tile=tile, overlap=self.overlap)
                told = contexts[number]
                if told is not None:
                    told.note({"precision_used": "float32"})
            return restored.numpy(), use

        return [partial(finish, number) for number in range(len(images))]

    def _begun(self, step: Restorer, images: Sequence[Tensor], tile: int | None) -> Pending:
        """Begin images on the device; where it has no room even for them, one tile after another."""
        transfer, patient = self._transfer(step), self._patient(step)
        together = 1
        if tile is not None and step.joins(step):
            together = self._batch_size(step, images[0].shape[0], tile * tile)
        shape = (step.spec.name, len(images), *images[0].shape)
        self._shapes[shape] += 1
        try:
            with tuned(step.device, wanted=self._shapes[shape] >= USUAL):
                return begin_tiled(
                    patient, images, tile=tile, overlap=self.overlap, transfer=transfer, together=together
                )
        except RuntimeError as error:
            if not transfer.ahead or not is_out_of_memory(error):
                raise
        transfer.settle()
        return begin_tiled(patient, images, tile=tile, overlap=self.overlap, transfer=Transfer())

    def _transfer(self, step: Restorer) -> Transfer:
        """Return the way to the device of a restorer."""
        device = step.device
        if device not in self._transfers:
            self._transfers.setdefault(device, self._transfer_to(device))  # another thread may be faster
        return self._transfers[device]

    def _batch_size(self, step: Restorer, channels: int, area: int) -> int:
        """Return how many images or tiles of `area` pixels may be one batch."""
        if self.batch is not None:
            return self.batch
        limit = min(self._transfer(step).together, MAX_BATCH_AREA // area)
        if limit <= 1:
            return 1
        return max(1, min(limit, self._footprint(step, channels).area(self._budget(step)) // area))

    def _patient(self, step: Restorer, *, careful: bool = False) -> BackingOff:
        patient = self.tile == "auto" and not step.spec.whole
        return BackingOff(step, overlap=self.overlap, patient=patient, careful=careful, limits=self._limits)

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
            self.restorer.spec, *source.size, tile=self._stream_tile(source), overlap=self.overlap
        )

        def read(rows: Span) -> torch.Tensor:
            return torch.from_numpy(source.read(rows.start, rows.stop))[None]

        start = 0
        patient = self._patient(self.restorer, careful=True)
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
        return self._use(self.restorer, self._stream_tile(source), *source.size)

    def _stream_tile(self, source: RowSource) -> int:
        if self.tile == "none":
            raise ImageError(
                "The image is too large for memory as a whole.",
                expected="--tile auto or a side in pixels",
                got="--tile none",
            )
        whole = round_up(max(source.size), self.restorer.spec.multiple)
        return self._choose(self.restorer, source.channels, *source.size, most=STREAM_BYTES) or whole

    def _choose(
        self, step: Restorer, channels: int, height: int, width: int, most: int | None = None
    ) -> int | None:
        if self.tile == "none" or step.spec.whole:
            return None
        if isinstance(self.tile, int):
            return self.tile
        budget = self._budget(step)
        budget = budget if most is None else min(budget, most)
        return auto_tile(step, self._footprint(step, channels), budget, height, width, self.overlap)

    def _footprint(self, step: Restorer, channels: int) -> Footprint:
        key = (step.spec.name, channels)
        if key not in self._footprints:
            self._footprints[key] = step.footprint(channels)
        return self._footprints[key]

    def _budget(self, step: Restorer) -> int:
        """Return the bytes that a tile may take; asked once where images under way would count."""
        if not self._transfer(step).ahead:
            return memory_budget(step)
        if step.spec.name not in self._budgets:
            self._budgets[step.spec.name] = memory_budget(step)
        return self._budgets[step.spec.name]

    def _use(self, step: Restorer, tile: int | None, height: int, width: int) -> TileUse:
        spec, largest = step.spec, max(height, width)
        limits = [side for side in (tile, self._limits.get(spec.name)) if side is not None]
        if not limits or round_up(largest, spec.multiple) <= min(limits):
            return TileUse()
        side = min(limits)
        overlap = default_overlap(spec, side) if self.overlap is None else self.overlap
        return TileUse(side, overlap, is_exact(spec, overlap))


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


def joined(uses: Sequence[TileUse]) -> TileUse:
    """Return how an image was cut over several steps: the smallest tiles, exact if all were."""
    cut = [use for use in uses if use.tile is not None]
    if not cut:
        return TileUse()
    smallest = min(cut, key=lambda use: use.tile or 0)
    return replace(smallest, exact=all(use.exact for use in cut))
