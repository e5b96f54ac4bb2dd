"""A network as a restorer that torch computes."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from restorecli.core.device import autocast
from restorecli.core.footprint import Footprint, measure_footprint
from restorecli.core.half_weights import with_weights_in
from restorecli.core.learned import learned, structure_of
from restorecli.core.ops.noise_level import estimate_noise
from restorecli.core.restorer import ImageContext, PaddingRestorer, RestorerSpec


class TorchRestorer(PaddingRestorer):
    """A network as a restorer that torch computes, in one precision.

    A network with `takes_sigma` is told the level of an image's noise: what is known, else its own, else the
    estimate from the whole image; see `steps`.

    Args:
        module: A network of the catalog; it is moved to `device` and put into evaluation mode.
        name: Name to print.
        device: Where to compute.
        dtype: float32, or the type of autocast.

    Attributes:
        module: The network.
        running: The same as it computes: below float32 a copy whose weights are of that type.
    """

    def __init__(
        self, module: nn.Module, *, name: str, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        self.module = module.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.running = self.module if dtype == torch.float32 else with_weights_in(self.module, dtype)
        self.device = device
        self.dtype = dtype
        self.sigma: float | None = None
        self.spec = RestorerSpec(
            name=name,
            channels=_integer(module, "channels"),
            scale=_integer(module, "scale"),
            multiple=_integer(module, "multiple"),
            receptive_field=None if module.receptive_field is None else _integer(module, "receptive_field"),
            needs=frozenset({"sigma?"}) if getattr(module, "takes_sigma", False) else frozenset(),
            whole=bool(getattr(module, "whole", False)),
        )

    def in_float32(self) -> Self | None:
        """Return the same network in float32, or None if it computes in it."""
        if self.dtype == torch.float32:
            return None
        precise = copy.copy(self)
        precise.dtype = torch.float32
        precise.running = self.module
        return precise

    def joins(self, other: object) -> bool:
        """Tell whether the other is the same network, told the same, that torch computes as it is.

        A compiled one would be compiled again for each number of images.
        """
        return (
            isinstance(other, TorchRestorer)
            and self.backend == other.backend == "torch"
            and (self.module, self.dtype, self.sigma, self.ensemble)
            == (other.module, other.dtype, other.sigma, other.ensemble)
        )

    @property
    def precision(self) -> str:
        """The type that it computes in."""
        return str(self.dtype).removeprefix("torch.")

    def digest(self) -> str:
        """Return the beginning of the SHA-256 of the network's tensors."""
        sha = hashlib.sha256()
        for name, value in sorted(self.module.state_dict().items()):
            sha.update(name.encode("utf-8", "surrogateescape"))
            sha.update(value.detach().cpu().contiguous().numpy().tobytes())
        return sha.hexdigest()[:16]

    def footprint(self, channels: int) -> Footprint:
        """Return what images of 1 or 3 channels take in memory: measured once on a machine, then known."""
        key = f"{structure_of(self.module)} {channels} {self.device.type} {self.dtype} {self.ensemble}"

        def measure() -> list[float]:
            footprint = self._counted(channels) or measure_footprint(self, channels, self.spec.multiple)
            return [footprint.linear, footprint.quadratic]

        return Footprint(*learned("footprints", key, measure, _is_footprint))

    def _counted(self, channels: int) -> Footprint | None:
        """Return the footprint of the network without its values, which no device need compute.

        It is that in float32: more than what lower precisions take. None on a CPU, which measures, and for a
        network that looks at values on its way.
        """
        if self.device.type == "cpu":
            return None
        hollow = copy.copy(self)
        tensors = (*self.module.parameters(), *self.module.buffers())
        emptied = {id(tensor): torch.empty_like(tensor, device="meta") for tensor in tensors}
        hollow.running = copy.deepcopy(self.module, emptied)
        hollow.device, hollow.dtype = torch.device("meta"), torch.float32
        try:
            return measure_footprint(hollow.unchecked, channels, self.spec.multiple, device="meta")
        except (RuntimeError, NotImplementedError):
            return None

    def steps(self, pixels: NDArray[np.float32], context: ImageContext) -> Sequence[TorchRestorer]:
        """Return the restorer as told the noise of one image, if it takes that.

        The estimate is noted among the findings as "estimated_sigma".

        Args:
            pixels: (C, H, W), nominally in [0, 1].
            context: What is known.
        """
        if not self.spec.needs:
            return (self,)
        sigma = context.sigma
        if sigma is None:
            sigma = getattr(self.module, "sigma", None)
        if sigma is None:
            sigma = float(estimate_noise(torch.from_numpy(np.ascontiguousarray(pixels))[None])[0])
            context.note({"estimated_sigma": round(sigma, 3)})
        return (self.told(sigma),)

    def told(self, sigma: float) -> Self:
        """Return the same network, told the level of the noise on the 0-255 scale.

        It no longer depends on what the whole image looks like, so that tiles can be exact.
        """
        told = copy.copy(self)
        told.sigma = sigma
        told.spec = replace(self.spec, receptive_field=_integer(self.module, "receptive_field_told"))
        return told

    @torch.inference_mode()
    def compute(self, batch: Tensor) -> Tensor:
        """Run the network."""
        batch = batch.contiguous(memory_format=torch.channels_last)
        with autocast(self.device, self.dtype):
            return self._run(batch).float()

    def _run(self, batch: Tensor) -> Tensor:
        if self.sigma is None:
            restored: Tensor = self.running(batch)
            return restored
        told: Tensor = self.running(batch, batch.new_full((len(batch),), self.sigma))
        return told


def _is_footprint(known: object) -> bool:
    return (
        isinstance(known, list)
        and len(known) == 2
        and all(isinstance(part, float) and math.isfinite(part) for part in known)
        and known[0] > 0
        and known[1] >= 0
    )


def _integer(module: nn.Module, attribute: str) -> int:
    value = getattr(module, attribute)
    if not isinstance(value, int):
        raise TypeError(f"{type(module).__name__}.{attribute} must be an integer, got {value!r}")
    return value
