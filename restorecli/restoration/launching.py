"""Images of one size begun on a device as one batch, without waiting for it, and taken when they are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor

from restorecli.core.device import tuned
from restorecli.core.restorer import NonFiniteError, not_finite
from restorecli.core.transfer import Transfer
from restorecli.images.image import Pixels
from restorecli.restoration.backoff import BackingOff, device_faults_told, is_out_of_memory
from restorecli.restoration.context import Context
from restorecli.restoration.cutting import Cutting, TileUse
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.tiling import Pending, begin_tiled, restore_tiled

USUAL = 16
"""Batches of one shape after which cuDNN may try its algorithms on it: that takes as long as many batches."""

Values = tuple[Pixels, TileUse]
"""Restored pixels, and how they were cut."""


class Launcher:
    """Begins steps on a device; remembers which shapes came often.

    Args:
        cutting: Chooses tiles and batches.
    """

    def __init__(self, cutting: Cutting) -> None:
        self._cutting = cutting
        self._shapes: Counter[tuple[object, ...]] = Counter()

    def launch(
        self, step: Restorer, images: Sequence[Tensor], contexts: Sequence[Context | None]
    ) -> list[Callable[[], Values]]:
        """Begin one step on images of one size, and return what waits for each.

        Args:
            step: A network or a method.
            images: (C, H, W) float32 each, nominally in [0, 1], as `Transfer.stage` returns them.
            contexts: What is known of each, where a fall back to float32 is noted.

        Raises:
            ResourceError: Memory ran out and no smaller tile is allowed or possible, or the device failed;
                what waits may raise this, too, and NonFiniteError.
        """
        tile = self._cutting.choose(step, *images[0].shape)
        fault: NonFiniteError | None = None
        pending: Pending | None = None
        try:
            with device_faults_told():
                pending = self._begun(step, images, tile)
        except NonFiniteError as error:  # of a restorer that checks by itself
            fault = error
        use = self._cutting.use(step, tile, *images[0].shape[1:])

        def finish(number: int) -> Values:
            with device_faults_told():
                restored = None if pending is None else pending.take(number)
            if restored is None:
                precise = step.in_float32()
                if precise is None:
                    raise fault or not_finite(step.spec.name)
                patient = self.patient(precise)
                restored = restore_tiled(patient, images[number], tile=tile, overlap=self._cutting.overlap)
                told = contexts[number]
                if told is not None:
                    told.note({"precision_used": "float32"})
            return restored.numpy(), use

        return [partial(finish, number) for number in range(len(images))]

    def _begun(self, step: Restorer, images: Sequence[Tensor], tile: int | None) -> Pending:
        """Begin images on the device; where it has no room even for them, one tile after another."""
        transfer, patient = self._cutting.transfer(step), self.patient(step)
        together = 1
        if tile is not None and step.joins(step):
            together = self._cutting.batch_size(step, images[0].shape[0], tile * tile)
        shape = (step.spec.name, len(images), *images[0].shape)
        self._shapes[shape] += 1
        try:
            with tuned(step.device, wanted=self._shapes[shape] >= USUAL):
                return begin_tiled(
                    patient,
                    images,
                    tile=tile,
                    overlap=self._cutting.overlap,
                    transfer=transfer,
                    together=together,
                )
        except RuntimeError as error:
            if not transfer.ahead or not is_out_of_memory(error):
                raise
        transfer.settle()
        return begin_tiled(patient, images, tile=tile, overlap=self._cutting.overlap, transfer=Transfer())

    def patient(self, step: Restorer, *, careful: bool = False) -> BackingOff:
        """Return a step that meets a lack of memory with smaller tiles, unless a side was asked for."""
        patient = self._cutting.tile == "auto" and not step.spec.whole
        return BackingOff(
            step, overlap=self._cutting.overlap, patient=patient, careful=careful, limits=self._cutting.limits
        )
