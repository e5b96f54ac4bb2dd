"""A chain of degradations on the device: values drawn on the host, pixels changed on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from torch import Tensor

from restorecli.core.ops.philox import Stream
from restorecli.degradation.base import Degradation
from restorecli.degradation.chain import Chain
from restorecli.degradation.on_device import blur, jpeg, noise
from restorecli.degradation.on_device.base import DeviceStep, Randomness, Values
from restorecli.degradation.on_device.names import host_only
from restorecli.errors import UsageError

STEPS: Mapping[str, type[DeviceStep]] = MappingProxyType(
    {
        "gaussian": noise.Gaussian,
        "poisson": noise.Poisson,
        "salt-pepper": noise.SaltPepper,
        "speckle": noise.Speckle,
        "gaussian-blur": blur.GaussianBlur,
        "motion-blur": blur.MotionBlur,
        "defocus": blur.Defocus,
        "jpeg": jpeg.Jpeg,
    }
)
"""The classes behind `names.ON_DEVICE`."""


class DeviceChain:
    """Degrades batches as a chain does, in law.

    Args:
        chain: What to do.

    Raises:
        UsageError: A step is done on the host alone.
    """

    def __init__(self, chain: Chain) -> None:
        fault = host_only(chain)
        if fault is not None:
            raise UsageError("The chain cannot be applied on the device.", got=fault)
        self._steps = [STEPS[sampler.degradation.name](sampler) for sampler in chain.samplers]

    def values(self, drawn: Sequence[Sequence[Degradation | None]]) -> tuple[Values, ...]:
        """Return on the host what `apply` needs, for each step.

        Args:
            drawn: For each sample what `Chain.draw_each` gave.
        """
        return tuple(
            step.values(each) for step, each in zip(self._steps, zip(*drawn, strict=True), strict=True)
        )

    def apply(
        self,
        images: Tensor,
        values: Sequence[Values],
        key: tuple[int, int],
        numbers: Tensor,
        gray: Tensor | None = None,
    ) -> Tensor:
        """Return the degraded batch, not clipped.

        Args:
            images: (N, C, H, W) float32 in [0, 1], C = 1 or 3.
            values: Of `values`, on the device of the images.
            key: Of the run and the purpose; see `core.ops.philox.key_of`.
            numbers: (N,) int64, the samples' numbers, on the device of the images.
            gray: (N, 1, 1, 1) bool: samples whose three channels are one gray; None where there are none.
        """
        for place, (step, each) in enumerate(zip(self._steps, values, strict=True)):
            images = step.apply(images, each, Randomness(Stream(key, numbers, place), gray))
        return images
