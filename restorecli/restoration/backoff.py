"""When memory runs out: smaller tiles, only where it ran out, and never a pixel that was not computed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from restorecli.core.restorer import RestorerSpec, is_finite
from restorecli.errors import ResourceError
from restorecli.restoration.plan import least_tile, round_up
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.tiling import unchecked_tiled

_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
_MIN_SIDE = 32
_DEVICE_WORDS = ("CUDA error", "CUDNN_STATUS", "CUBLAS_STATUS", "cuDNN error", "HIP error")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, on the host or on a device; no other fault counts."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _MEMORY_WORDS)


def is_device_fault(error: BaseException) -> bool:
    """Tell whether the device itself failed (illegal access, device lost, driver mismatch)."""
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _DEVICE_WORDS)


class BackingOff(Restorer):
    """A restorer that meets a lack of memory with smaller tiles.

    When a batch does not fit, it is halved until it is one tile, then its sides until that fits, and only
    that batch is computed again; what was joined before stays, and the size that fitted holds for what comes
    after. A fault that is no lack of memory is never tried again: a device that failed once gives wrong
    pixels afterwards.

    Args:
        restorer: What restores.
        overlap: Pixels that the smaller tiles share; None takes `default_overlap`.
        patient: False refuses instead of backing off, for a tile size that the user asked for.
        careful: Ask after each batch whether it is finite, and compute it again in float32 if not; otherwise
            whoever joins the tiles asks once.
        limits: Largest side that may be tried, by the name of a restorer, for those whose memory ran out;
            what runs out here is added, so that later images begin with what fitted.

    Attributes:
        failures: How often memory ran out.
        fell_back: Whether a batch was computed in float32, since it was not finite otherwise.
    """

    def __init__(
        self,
        restorer: Restorer,
        *,
        overlap: int | None = None,
        patient: bool = True,
        careful: bool = False,
        limits: dict[str, int] | None = None,
    ) -> None:
        self._restorer = restorer
        self._overlap = overlap
        self._patient = patient
        self._compute = self._checked if careful else restorer.unchecked
        self._limits = {} if limits is None else limits
        self.failures = 0
        self.fell_back = False

    @property
    def largest(self) -> int | None:
        """Largest side that may be tried, or None while nothing failed."""
        return self._limits.get(self.spec.name)

    @property
    def spec(self) -> RestorerSpec:
        """What the restorer inside says of itself."""
        return self._restorer.spec

    def __call__(self, batch: Tensor) -> Tensor:
        """Restore a batch, unchecked unless careful; see `Restorer`.

        Raises:
            ResourceError: Memory ran out and no smaller tile is allowed or possible, or the device failed.
        """
        while True:
            side = max(batch.shape[-2:])
            if self.largest is not None and side > self.largest:
                return unchecked_tiled(self, batch, tile=self.largest, overlap=self._overlap)
            restored = self._attempt(batch)
            if restored is not None:
                return restored
            self.failures += 1
            if len(batch) > 1:
                half = len(batch) // 2
                return torch.cat([self(batch[:half]), self(batch[half:])])
            self._limits[self.spec.name] = self._smaller(side)

    @property
    def device(self) -> torch.device:
        """Where the restorer inside computes."""
        return self._restorer.device

    def _checked(self, batch: Tensor) -> Tensor:
        restored = self._restorer.unchecked(batch)
        if is_finite(restored):
            return restored
        precise = self._restorer.in_float32()
        self.fell_back = self.fell_back or precise is not None
        return (precise or self._restorer)(batch)  # raises where that is not finite either

    def _attempt(self, batch: Tensor) -> Tensor | None:
        """Restore, or return None when memory ran out; the failed attempt's memory is free again then."""
        try:
            with device_faults_told():
                return self._compute(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Only here, after the handler: its traceback held the failed attempt's tensors alive.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        elif torch.backends.mps.is_available():
            torch.mps.empty_cache()
        return None

    def _smaller(self, side: int) -> int:
        half = side // 2 // self.spec.multiple * self.spec.multiple
        least = round_up(max(_MIN_SIDE, least_tile(self.spec, self._overlap)), self.spec.multiple)
        if self._patient and least < side:
            return max(half, least)
        raise ResourceError(
            f"Memory ran out for a tile of {side} pixels.",
            expected="enough free memory for it"
            + ("" if self._patient else ", since this size was asked for"),
            unchanged="images already written are whole; nothing was written for this one",
            hint="close other programs, or use --device cpu"
            if self._patient
            else "use --tile auto or a smaller one",
        )


@contextmanager
def device_faults_told() -> Iterator[None]:
    """Tell of a device that failed in words; what waits for a device hears of it, too.

    Raises:
        ResourceError: The device failed.
    """
    try:
        yield
    except RuntimeError as error:
        if is_device_fault(error) and not is_out_of_memory(error):
            raise _device_failed(error) from error
        raise


def _device_failed(error: BaseException) -> ResourceError:
    return ResourceError(
        "The device failed; it cannot be trusted until the process ends.",
        got=str(error).splitlines()[0],
        unchanged="images already written are whole; nothing was written for this one",
        hint="run the command again (finished images are skipped), if need be with --device cpu",
    )
