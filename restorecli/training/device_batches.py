"""Batches that arrive on the device, and are degraded there where a recipe asks for it.

On CUDA copies and degradations have a stream of their own: while the network works on one batch, the next is
copied and degraded, and only the device waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch
from torch import Tensor

from restorecli.training.batches import Batch
from restorecli.training.clean_batches import CleanBatch

Degrade = Callable[[CleanBatch], Batch]


class BatchStream(Protocol):
    """Where work on the next batch is put."""

    def entered(self) -> AbstractContextManager[object]:
        """Return the context in which work is put there."""

    def joined(self, batch: Batch) -> None:
        """Let whatever is put on the usual stream from now on find the batch finished."""


class SameStream:
    """Where there is only one stream."""

    def entered(self) -> AbstractContextManager[object]:
        """Return a context that changes nothing."""
        return nullcontext()

    def joined(self, batch: Batch) -> None:
        """Do nothing: all is in order already."""


class SideStream:
    """A stream of CUDA's beside the usual one.

    Args:
        device: The GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def entered(self) -> AbstractContextManager[object]:
        """Return the context in which work is put on the stream."""
        return torch.cuda.stream(self._stream)

    def joined(self, batch: Batch) -> None:
        """Make the usual stream wait for this one, and keep the memory until it is done with the batch."""
        usual = torch.cuda.current_stream(self._device)
        usual.wait_stream(self._stream)
        for tensor in batch.tensors():
            tensor.record_stream(usual)


def device_batches(
    batches: Iterator[Batch | CleanBatch],
    device: torch.device,
    degrade: Degrade | None = None,
    stream: BatchStream | None = None,
) -> Iterator[Batch]:
    """Yield batches on the device, closing what they come from at the end.

    A batch is asked for only when the step before it has been handed to the device, and nothing here waits
    for that step: its copy runs beside it.

    Args:
        batches: On the host.
        device: Where to.
        degrade: Makes a batch of a clean one there.
        stream: Where the work is put; by default a stream of its own on CUDA.
    """
    stream = stream or (SideStream(device) if device.type == "cuda" else SameStream())
    try:
        for batch in batches:
            with stream.entered():
                here = _here(batch, device, degrade)
            stream.joined(here)
            yield here
    finally:
        batches.close()  # type: ignore[attr-defined]


def _here(batch: Batch | CleanBatch, device: torch.device, degrade: Degrade | None) -> Batch:
    if isinstance(batch, Batch):
        return batch.mapped(lambda crops: _channels_last(crops, device))
    assert degrade is not None  # noqa: S101 - clean batches come with what degrades them
    # MPS has no float64, which photon noise is drawn in.
    there = torch.device("cpu") if device.type == "mps" else device
    made = degrade(batch.mapped(lambda tensor: tensor.to(there, non_blocking=True)))
    return made.mapped(lambda crops: _channels_last(crops, device))


def _channels_last(crops: Tensor, device: torch.device) -> Tensor:
    return crops.to(device, memory_format=torch.channels_last, non_blocking=True)
