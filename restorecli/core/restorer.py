"""A restorer maps a degraded batch to a restored batch; a network becomes one here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.device import autocast
from restorecli.errors import ImageError, UsageError


class NonFiniteError(ImageError):
    """The network's output holds NaN or infinity even in float32."""


@dataclass(frozen=True, slots=True)
class RestorerSpec:
    """What a caller must know of a restorer.

    Attributes:
        name: Name to print and to write into the manifest.
        channels: Channels it was made for: 1 or 3; pictures of the other kind are adapted.
        scale: Sides of the output divided by those of the input.
        multiple: Sides are padded to a multiple of it inside.
        receptive_field: Side of the square of input pixels that one output pixel depends on; None when it is
            the whole picture, so that tiles change the result.
        precisions: The precisions it holds in.
    """

    name: str
    channels: int
    scale: int = 1
    multiple: int = 1
    receptive_field: int | None = None
    precisions: tuple[str, ...] = ("fp32",)


class Restorer(Protocol):
    """Anything that restores: a network, a filter, an exported graph, an optimiser per image."""

    @property
    def spec(self) -> RestorerSpec:
        """What a caller must know."""

    def __call__(self, batch: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1], C = 1 or 3 and any H and W, to the same (sides times the scale)."""


class PaddingRestorer(ABC):
    """What every way to run a network has in common: pads, adapts channels, checks what comes out.

    Attributes:
        spec: What a caller must know.
        device: Where batches go to be restored.
        ensemble: Restore a picture in its eight turned and mirrored ways and take the mean, "+" in papers'
            tables (Timofte, Rothe, Van Gool, CVPR 2016): eight times the work for a tenth or two of a dB.
    """

    spec: RestorerSpec
    device: torch.device
    ensemble: bool = False

    @abstractmethod
    def compute(self, batch: Tensor) -> Tensor:
        """Map (N, C, H, W) float32 with the network's channels and multiple to what it makes of it."""

    @torch.inference_mode()
    def __call__(self, batch: Tensor) -> Tensor:
        """Restore a batch.

        A gray batch goes through an RGB network three times repeated, and the mean of the three results comes
        back; an RGB batch goes through a gray network channel by channel.

        Args:
            batch: (N, C, H, W) float, nominally in [0, 1] (unclipped noise may leave it), C = 1 or 3.

        Returns:
            (N, C, scale H, scale W) float32 in [0, 1] on the batch's device.

        Raises:
            UsageError: The batch has another shape.
            NonFiniteError: The output is not finite, in float32 too.
        """
        if batch.ndim != 4 or batch.shape[1] not in (1, 3) or 0 in batch.shape:
            raise UsageError(
                "A batch of pictures is needed.", expected="(N, 1 or 3, H, W)", came=str(tuple(batch.shape))
            )
        n, channels, _, _ = batch.shape
        adapted = _to_channels(batch.to(self.device, torch.float32), self.spec.channels)
        restored = self._all_ways(adapted) if self.ensemble else self._padded(adapted)
        restored = _from_channels(restored, n, channels)
        return restored.clamp(0, 1).to(batch.device)

    def _all_ways(self, batch: Tensor) -> Tensor:
        ways = [(mirror, turns) for mirror in (False, True) for turns in range(4)]
        total: Tensor | float = 0.0
        for mirror, turns in ways:
            restored = self._padded((batch.flip(-1) if mirror else batch).rot90(turns, (-2, -1)))
            restored = restored.rot90(-turns, (-2, -1))
            total = total + (restored.flip(-1) if mirror else restored)
        return total / len(ways)  # type: ignore[return-value] # a tensor from the first way on

    def _padded(self, batch: Tensor) -> Tensor:
        height, width = batch.shape[-2:]
        restored = self.compute(pad_to_multiple(batch, self.spec.multiple))
        if not is_finite(restored):
            raise self._not_finite(restored)
        return restored[..., : height * self.spec.scale, : width * self.spec.scale]

    def _not_finite(self, restored: Tensor) -> NonFiniteError:
        return NonFiniteError(
            f"{self.spec.name} gave values that are not finite.",
            expected="finite pixels",
            came=f"{int((~torch.isfinite(restored)).sum())} of {restored.numel()} are NaN or infinite",
            unchanged="nothing was written for this picture",
            hint="check the picture for NaN (float TIFF), or use other weights",
        )


class TorchRestorer(PaddingRestorer):
    """A network as a restorer that torch computes, in one precision.

    Args:
        module: A network of the catalog; it is moved to `device` and put into evaluation mode.
        name: Name to print.
        device: Where to compute.
        dtype: float32, or the type of autocast.
    """

    def __init__(
        self, module: nn.Module, *, name: str, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        self.module = module.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.device = device
        self.dtype = dtype
        self.spec = RestorerSpec(
            name=name,
            channels=_integer(module, "channels"),
            scale=_integer(module, "scale"),
            multiple=_integer(module, "multiple"),
            receptive_field=None if module.receptive_field is None else _integer(module, "receptive_field"),
            precisions=("fp32", "bf16", "fp16"),
        )

    @torch.inference_mode()
    def compute(self, batch: Tensor) -> Tensor:
        """Run the network; where the result is not finite in another precision, again in float32."""
        batch = batch.contiguous(memory_format=torch.channels_last)
        with autocast(self.device, self.dtype):
            restored: Tensor = self.module(batch).float()
        if self.dtype != torch.float32 and not is_finite(restored):
            restored = self.module(batch)
        return restored


def is_finite(values: Tensor) -> bool:
    """Tell whether no value is NaN or infinite."""
    return bool(torch.isfinite(values).all())


def pad_to_multiple(batch: Tensor, multiple: int) -> Tensor:
    """Pad (N, C, H, W) below and right to multiples, by reflection (by the edge where it is too small)."""
    height, width = batch.shape[-2:]
    down, right = -height % multiple, -width % multiple
    if down == 0 and right == 0:
        return batch
    mode = "reflect" if down < height and right < width else "replicate"
    return F.pad(batch, (0, right, 0, down), mode=mode)


def _to_channels(batch: Tensor, channels: int) -> Tensor:
    if batch.shape[1] == channels:
        return batch
    if channels == 3:
        return batch.expand(-1, 3, -1, -1)
    return batch.reshape(-1, 1, *batch.shape[-2:])


def _from_channels(restored: Tensor, n: int, channels: int) -> Tensor:
    if restored.shape[0] == n and restored.shape[1] == channels:
        return restored
    if channels == 1:
        return restored.mean(dim=1, keepdim=True)
    return restored.reshape(n, channels, *restored.shape[-2:])


def _integer(module: nn.Module, attribute: str) -> int:
    value = getattr(module, attribute)
    if not isinstance(value, int):
        raise TypeError(f"{type(module).__name__}.{attribute} must be an integer, came {value!r}")
    return value
