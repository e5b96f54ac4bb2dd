"""How images get from the host's memory to the device that computes, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Wait = Callable[[], object]
"""Returns once what it stands for has happened."""


class Transfer:
    """Nothing is copied and nothing is waited for: the device computes in the host's memory, as a CPU does.

    What computes elsewhere without streams for copies (MPS, other runtimes) brings a batch there and its
    result back by itself, as every restorer can.

    Attributes:
        ahead: How many batches may be begun before the result of the first is waited for.
        together: How many images, or tiles of an image, may be one batch.
    """

    ahead = 0
    together = 1

    def stage(self, pixels: NDArray[np.float32]) -> Tensor:
        """Return (C, H, W) pixels as a tensor on the host that can be sent; may be called by any thread."""
        return torch.from_numpy(np.require(pixels, np.float32, ["C", "W"]))

    def empty(self, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
        """Return memory on the host that results can be fetched into."""
        return torch.empty(tuple(shape), dtype=dtype)

    def send(self, images: Sequence[Tensor]) -> Tensor:
        """Return images of one shape (C, H, W) as a batch (N, C, H, W) where the device can use it."""
        return images[0][None] if len(images) == 1 else torch.stack(tuple(images))

    def fetch(self, values: Tensor, into: Tensor | None = None) -> Tensor:
        """Return values in the host's memory; they count only once what `mark` then returns was called.

        Args:
            values: What the device has computed, or will have.
            into: Memory of the same shape and type that `empty` made, or a part of it; None makes some.
        """
        return values.cpu() if into is None else into.copy_(values)

    def mark(self) -> Wait:
        """Return what waits for all that was fetched so far."""
        return _nothing

    def settle(self) -> None:
        """Wait for all that is under way and give back memory that the device keeps for reuse."""


class CudaTransfer(Transfer):
    """Copies from and to page-locked memory on two streams of their own, beside the one that computes.

    The calling thread waits for none of them. Order is kept by events on the device: what computes waits for
    what was sent, what is fetched for what was computed. Memory is safe however early its tensor is dropped:
    torch's allocators hold blocks back, on the host and on the device, until the copies of them are done; the
    one of the host reuses page-locked blocks, which are slow to make.

    Args:
        device: A CUDA device.
    """

    ahead = 2
    together = 16

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sending = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._fetching = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def stage(self, pixels: NDArray[np.float32]) -> Tensor:
        """Copy pixels into page-locked memory, by NumPy: torch's threads would wait for busy cores."""
        staged = self.empty(pixels.shape)
        np.copyto(staged.numpy(), pixels)
        return staged

    def empty(self, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
        """Return page-locked memory, or other where the system locks no more: copies then wait."""
        try:
            return torch.empty(tuple(shape), dtype=dtype, pin_memory=True)
        except RuntimeError:
            return torch.empty(tuple(shape), dtype=dtype)

    def send(self, images: Sequence[Tensor]) -> Tensor:
        """Return the batch on the device, where what computes waits for its copy."""
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._sending):
            batch = torch.empty((len(images), *images[0].shape), device=self._device)
            for place, image in zip(batch, images, strict=True):
                _copy(image, place)
        computing.wait_stream(self._sending)
        batch.record_stream(computing)
        return batch

    def fetch(self, values: Tensor, into: Tensor | None = None) -> Tensor:
        """Return page-locked memory that the values will be in."""
        values = values.contiguous()
        target = self.empty(values.shape, values.dtype) if into is None else into
        self._fetching.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._fetching):
            _copy(values, target)
        values.record_stream(self._fetching)
        return target

    def mark(self) -> Wait:
        """Return what waits, asleep, since the cores have images to decode and to encode."""
        event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        event.record(self._fetching)
        return event.synchronize

    def settle(self) -> None:
        """Wait for the device and free what it keeps."""
        torch.cuda.synchronize(self._device)
        torch.cuda.empty_cache()


def transfer_to(device: torch.device) -> Transfer:
    """Return the way to a device and back."""
    return CudaTransfer(device) if device.type == "cuda" else Transfer()


def _copy(source: Tensor, target: Tensor) -> None:
    """Copy without waiting, plane by plane where not all is in one piece: rows of an image are not.

    Pieces that are not contiguous would be gathered first, in memory that is not page-locked, while the
    calling thread waits.
    """
    if source.ndim < 2 or (source.is_contiguous() and target.is_contiguous()):
        target.copy_(source, non_blocking=True)
        return
    for part, place in zip(source, target, strict=True):
        _copy(part, place)


def _nothing() -> None:
    """Wait for nothing."""
