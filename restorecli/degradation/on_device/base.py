"""What a degradation on the device is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from restorecli.core.ops.philox import Stream
from restorecli.degradation.base import Degradation
from restorecli.degradation.sampler import DegradationSampler

Values = Mapping[str, Tensor]
"""What was drawn for a step, one row for each sample of the batch."""

Drawn = Sequence[Degradation | None]
"""A step of each sample with its values; None where it is left out."""


class DeviceStep(Protocol):
    """A step of a chain for whole batches."""

    def __init__(self, sampler: DegradationSampler) -> None:
        """Learn from the sampler what may be drawn, so that shapes and work are the same for every batch."""

    def values(self, drawn: Drawn) -> Values:
        """Return on the host what `apply` needs of the drawn values."""

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return the degraded batch.

        Args:
            images: (N, C, H, W) float32, C = 1 or 3; values outside [0, 1] are allowed.
            values: Of `values`, on the device of the images.
            randomness: The only source of randomness.
        """


@dataclass(frozen=True, slots=True)
class Randomness:
    """The random fields of one step.

    Attributes:
        stream: The numbers.
        gray: (N, 1, 1, 1) bool: samples whose channels are equal, and so are their random numbers; None where
            there are none.
    """

    stream: Stream
    gray: Tensor | None

    def shared(self, field: Tensor) -> Tensor:
        """Return a field (N, C, H, W) whose channels are all the first one in gray samples."""
        if self.gray is None or field.shape[1] == 1:
            return field
        return torch.where(self.gray, field[:, :1], field)


def numbers(values: Sequence[float]) -> Tensor:
    """Return one float32 for each sample, (N, 1, 1, 1)."""
    return torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1, 1)


def switches(values: Sequence[bool]) -> Tensor:
    """Return one bool for each sample, (N, 1, 1, 1)."""
    return torch.tensor(values, dtype=torch.bool).reshape(-1, 1, 1, 1)


def value(step: Degradation | None, name: str, absent: float) -> float:
    """Return a drawn number of a step; `absent` where it is left out."""
    return absent if step is None else float(getattr(step, name))
