"""Steps whose loss or gradient is not finite are undone on the device, and counted without waiting for it.

Asking a tensor for its value makes the program wait until the device has done all that it was given. So
nothing here does, but `StepRecord.read`, which the loop calls every few steps.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class BufferGuard:
    """Keeps what a forward pass writes into buffers, as batch norm does its statistics, until it is judged.

    Buffers that are never written to cost nothing: torch counts what is done to a tensor in place. What batch
    norm does inside its own kernel it does not count, so that those are looked after at every step.

    Args:
        networks: Whose buffers are kept.
    """

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        modules = [module for network in networks for module in network.modules()]
        owned = [(buffer, module) for module in modules for buffer in module.buffers(recurse=False)]
        self._buffers = [buffer for buffer, _ in owned]
        self._good = [buffer.detach().clone() for buffer in self._buffers]
        self._uncounted = [isinstance(module, _BatchNorm) and module.training for _, module in owned]
        self._versions = [buffer._version for buffer in self._buffers]

    @torch.no_grad()
    def settle(self, finite: Tensor) -> None:
        """Keep what was written where `finite` is true, and take it back where not.

        Args:
            finite: A bool without dimensions, on the device of the buffers.
        """
        for index, (buffer, good) in enumerate(zip(self._buffers, self._good, strict=True)):
            if buffer._version == self._versions[index] and not self._uncounted[index]:
                continue
            good.copy_(torch.where(finite, buffer, good))
            buffer.copy_(good)
            self._versions[index] = buffer._version


class StepRecord:
    """What steps had for results, kept on the device until it is read.

    Attributes:
        failures: Steps in a row, up to the last one that was read, whose numbers were not finite.
        skipped: All such steps so far.
        worst: The step at which `patience` of them in a row were full, or None.
        loss: The loss of the last step that was read; None where it was not finite.

    Args:
        patience: Steps in a row that may fail.
        skipped: Failed steps so far.
    """

    def __init__(self, patience: int, skipped: int) -> None:
        self._patience = patience
        self._waiting: list[tuple[int, Tensor, Tensor]] = []
        self.failures = 0
        self.skipped = skipped
        self.worst: int | None = None
        self.loss: float | None = None

    def add(self, step: int, loss: Tensor, finite: Tensor) -> None:
        """Note a step: its number from 1, its loss, and whether loss and gradients were finite."""
        self._waiting.append((step, loss.detach(), finite))

    def read(self) -> None:
        """Wait for the device, and count what was noted since the last reading."""
        if not self._waiting:
            return
        losses = torch.stack([loss.float() for _, loss, _ in self._waiting]).tolist()
        finite = torch.stack([flag for _, _, flag in self._waiting]).tolist()
        for (step, _, _), good in zip(self._waiting, finite, strict=True):
            self.failures = 0 if good else self.failures + 1
            self.skipped += not good
            if self.failures >= self._patience and self.worst is None:
                self.worst = step
        self.loss = losses[-1] if finite[-1] else None
        self._waiting.clear()
