"""A restorer maps a degraded batch to a restored batch, whatever computes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from restorecli.core.footprint import Footprint
from restorecli.errors import ImageError, UsageError

_LEVELS = 16.0
"""A largest value beyond this is one of levels from 0 to 255 or 65535, no share of white."""


class NonFiniteError(ImageError):
    """The network's output holds NaN or infinity even in float32."""


@dataclass(frozen=True, slots=True)
class RestorerSpec:
    """What a caller must know of a restorer.

    Attributes:
        name: Name to print and to write into the manifest.
        channels: Channels it was made for: 1 or 3; images of the other kind are adapted.
        scale: Sides of the output divided by those of the input.
        multiple: Sides are padded to a multiple of it inside.
        receptive_field: Side of the square of input pixels that one output pixel depends on; None when it is
            the whole image, so that tiles change the result.
        needs: What it must know of an image ("operator", "mask"), or uses where it is known ("sigma?",
            "operator?", "mask?").
        whole: Whether it takes whole images only: tiles would break its result.
        affine: Whether it treats a brighter image of more contrast as such, as a linear filter does.
        side: Longer side in pixels that larger images are reduced to inside; None where they go as they are.
    """

    name: str
    channels: int
    scale: int = 1
    multiple: int = 1
    receptive_field: int | None = None
    needs: frozenset[str] = frozenset()
    whole: bool = False
    affine: bool = False
    side: int | None = None


class ImageContext(Protocol):
    """What a network may be told about one image, and where it notes what it found out."""

    @property
    def sigma(self) -> float | None:
        """Standard deviation of the noise on the 0-255 scale; None where it is not known."""

    def note(self, values: Mapping[str, bool | int | float | str]) -> None:
        """Keep what was found out for the manifest."""


class PaddingRestorer(ABC):
    """What every way to run a network has in common: pads, adapts channels, checks what comes out.

    Attributes:
        spec: What a caller must know.
        device: Where batches go to be restored.
        ensemble: Restore an image in its eight turned and mirrored ways and take the mean, "+" in papers'
            tables (Timofte, Rothe, Van Gool, CVPR 2016): eight times the work for a tenth or two of a dB.
        backend: What computes; part of the identity where it is not torch as it is.
        backend_reason: Why that was chosen, for the manifest; empty where there was no choice.
    """

    spec: RestorerSpec
    device: torch.device
    ensemble: bool = False
    backend: str = "torch"
    backend_reason: str = ""

    def __repr__(self) -> str:
        """Return the network's name, and where and how precisely it computes."""
        return f"<network {self.spec.name} on {self.device}, {self.precision}>"

    @property
    def streams(self) -> bool:
        """Whether rows of an image are enough: a noise level is told, or estimated, for a whole image."""
        return not self.spec.needs

    @property
    def found(self) -> None:
        """Nothing: a network treats all images alike."""
        return None

    def identity(self) -> dict[str, Any]:
        """Return all that its results depend on: name, digest of the weights, precision, ensemble."""
        identity = {"name": self.spec.name, "weights": self.digest(), "precision": self.precision}
        if self.backend != "torch":
            identity["backend"] = self.backend
        return {**identity, "ensemble": True} if self.ensemble else identity

    @property
    @abstractmethod
    def precision(self) -> str:
        """The type that it computes in, by torch's name: "float32", "bfloat16" or "float16"."""

    @abstractmethod
    def digest(self) -> str:
        """Return the first 16 hexadecimal digits of the SHA-256 of its weights."""

    @abstractmethod
    def footprint(self, channels: int) -> Footprint:
        """Return what images of 1 or 3 channels take in memory."""

    def steps(self, pixels: NDArray[np.float32], context: ImageContext) -> Sequence[PaddingRestorer]:
        """Return the restorer as told what is known about one image; see `restoration.restorer`."""
        del pixels, context
        return (self,)

    @abstractmethod
    def compute(self, batch: Tensor) -> Tensor:
        """Map (N, C, H, W) float32 with the network's channels and multiple to what it makes of it."""

    def in_float32(self) -> PaddingRestorer | None:
        """Return the same in float32, for what is not finite in its precision; None if it is that already."""
        return None

    def __call__(self, batch: Tensor) -> Tensor:
        """Restore a batch.

        A gray batch goes through an RGB network three times repeated, and the mean of the three results comes
        back; an RGB batch goes through a gray network channel by channel.

        Args:
            batch: (N, C, H, W) float, nominally in [0, 1] (unclipped noise may leave it), C = 1 or 3.

        Returns:
            (N, C, scale H, scale W) float32 in [0, 1] on the batch's device.

        Raises:
            UsageError: The batch has another shape, or values on another scale.
            NonFiniteError: The output is not finite, in float32 too.
        """
        check_batch(batch)
        _check_range(batch)
        restored = self.unchecked(batch)
        if is_finite(restored):
            return restored
        precise = self.in_float32()
        if precise is None:
            raise not_finite(self.spec.name)
        return precise(batch)

    def joins(self, other: object) -> bool:
        """Tell whether images for this and for `other` may be one batch, each restored as it is alone."""
        del other
        return False

    @torch.inference_mode()
    def unchecked(self, batch: Tensor) -> Tensor:
        """Restore a batch without waiting for the device: what is not finite comes back as NaN.

        See `__call__` for the rest.
        """
        check_batch(batch)
        n, channels, _, _ = batch.shape
        here = batch.to(self.device, torch.float32)
        run = self._all_ways if self.ensemble else self._padded
        if channels > self.spec.channels and self.device.type == "cpu":
            # One channel after another: a third of the memory, in 7 to 10 % more time (dncnn).
            restored = torch.cat([run(channel) for channel in here.chunk(channels, dim=1)], dim=1)
        else:
            restored = _from_channels(run(_to_channels(here, self.spec.channels)), n, channels)
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
        restored = restored[..., : height * self.spec.scale, : width * self.spec.scale]
        # Infinity must not pass for white when it is clipped.
        return torch.where(torch.isfinite(restored), restored, torch.nan)


def check_batch(batch: object) -> None:
    """Refuse what is no batch of images.

    Raises:
        UsageError: It is no tensor, or not of shape (N, 1 or 3, H, W).
    """
    shape = tuple(getattr(batch, "shape", ()))
    if isinstance(batch, Tensor) and len(shape) == 4 and shape[1] in (1, 3) and 0 not in shape:
        return
    raise UsageError(
        "A batch of images is needed.",
        expected="a torch tensor (N, 1 or 3, H, W) in [0, 1]",
        got=f"{type(batch).__name__} {shape or ''}".rstrip(),
        hint="restorecli.restore_image(image, restorer) takes NumPy arrays, PIL images and single tensors",
    )


def _check_range(batch: Tensor) -> None:
    """Refuse values that cannot be meant for [0, 1]; waits for the device.

    Raises:
        UsageError: The largest is far above 1, as in levels from 0 to 255.
    """
    largest = float(batch.amax())
    if _LEVELS < largest < torch.inf:
        raise UsageError(
            "The values of the batch are out of range.",
            expected="floats in [0, 1]",
            got=f"values up to {largest:g}",
            hint="divide by 255, or by what white is",
        )


def is_finite(values: Tensor) -> bool:
    """Tell whether no value is NaN or infinite; waits for the device."""
    return bool(torch.isfinite(values).all())


def are_finite(batch: Tensor) -> Tensor:
    """Return for each image of (N, C, H, W), on its device, whether all of its values are finite: (N,)."""
    finite = torch.isfinite(batch)
    return finite.all()[None] if len(batch) == 1 else finite.flatten(1).all(1)


def not_finite(name: str) -> NonFiniteError:
    """Return the error for a restorer whose result holds NaN or infinity."""
    return NonFiniteError(
        f"{name} gave values that are not finite.",
        expected="finite pixels",
        unchanged="nothing was written for this image",
        hint="check the image for NaN (float TIFF), try --precision fp32, or use other weights",
    )


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
