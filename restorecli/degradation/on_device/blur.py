"""Blur on the device: the kernels of `families.blur`, one for each sample, mirrored at the border."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from restorecli.degradation.base import Degradation
from restorecli.degradation.families import blur
from restorecli.degradation.on_device.base import Drawn, Randomness, Values, switches
from restorecli.degradation.sampler import DegradationSampler

Kernel = NDArray[np.float64]


class GaussianBlur:
    """Convolution with a Gaussian, along columns and then along rows."""

    def __init__(self, sampler: DegradationSampler) -> None:
        self._radius = max((step.margin for step in sampler.extremes()), default=0)

    def values(self, drawn: Drawn) -> Values:
        """Return the weights of each sample, (N, 1, taps)."""
        lines = [
            blur.gaussian_weights(step.sigma) if isinstance(step, blur.GaussianBlur) else np.ones(1)
            for step in drawn
        ]
        return {"line": _stacked([line[None] for line in lines], 0, self._radius)}

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return the blurred images; see the protocol."""
        del randomness
        line = values["line"]
        return _filtered(_filtered(images, line.mT), line)


class MotionBlur:
    """Mean over a straight movement."""

    def __init__(self, sampler: DegradationSampler) -> None:
        self._radius = max((step.margin for step in sampler.extremes()), default=0)

    def values(self, drawn: Drawn) -> Values:
        """Return the kernel of each sample, (N, taps, taps)."""
        return {"kernel": _kernels(drawn, self._radius, _motion)}

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return the blurred images; see the protocol."""
        del randomness
        return _filtered(images, values["kernel"])


class Defocus:
    """Convolution with a disc."""

    def __init__(self, sampler: DegradationSampler) -> None:
        self._radius = max((step.margin for step in sampler.extremes()), default=0)
        self._linear = any(step.parameters()["linear"] for step in sampler.extremes())

    def values(self, drawn: Drawn) -> Values:
        """Return the kernel of each sample, (N, taps, taps), and whether it blurs light."""
        linear = switches([bool(getattr(step, "linear", False)) for step in drawn])
        return {"kernel": _kernels(drawn, self._radius, _disc), "linear": linear}

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return the blurred images; see the protocol."""
        del randomness
        if not self._linear:
            return _filtered(images, values["kernel"])
        linear = values["linear"]
        blurred = _filtered(torch.where(linear, _light(images), images), values["kernel"])
        return torch.where(linear, _encoded(blurred), blurred)


def _motion(step: Degradation) -> Kernel:
    assert isinstance(step, blur.MotionBlur)  # noqa: S101 - the sampler's own class
    return blur.motion_kernel(step.length, step.angle, step.sigma)


def _disc(step: Degradation) -> Kernel:
    assert isinstance(step, blur.Defocus)  # noqa: S101 - the sampler's own class
    return blur.disc_kernel(step.radius, step.edge)


def _kernels(drawn: Drawn, radius: int, kernel_of: Callable[[Degradation], Kernel]) -> Tensor:
    kernels = [np.ones((1, 1)) if step is None else kernel_of(step) for step in drawn]
    return _stacked(kernels, radius, radius)


def _stacked(kernels: Sequence[Kernel], high: int, wide: int) -> Tensor:
    """Return kernels of odd sides in the middle of (N, 2 high + 1, 2 wide + 1) float32."""
    stacked = np.zeros((len(kernels), 2 * high + 1, 2 * wide + 1), np.float32)
    for target, kernel in zip(stacked, kernels, strict=True):
        rows, columns = kernel.shape
        top, left = high - rows // 2, wide - columns // 2
        target[top : top + rows, left : left + columns] = kernel
    return torch.from_numpy(stacked)


def _filtered(images: Tensor, kernels: Tensor) -> Tensor:
    """Correlate every sample (N, C, H, W) with its own kernel (N, rows, columns), in float32 throughout."""
    count, channels, height, width = images.shape
    rows, columns = kernels.shape[1:]
    padded = images[:, :, _mirrored(height, rows // 2, images.device)]
    padded = padded[..., _mirrored(width, columns // 2, images.device)]
    flat = padded.reshape(1, count * channels, *padded.shape[2:])
    weights = kernels.repeat_interleave(channels, 0)[:, None]
    # cuDNN would round float32 to TF32's 10 bits; torch's own kernel for such groups does not.
    with torch.backends.cudnn.flags(enabled=False):
        return F.conv2d(flat, weights, groups=count * channels).reshape(images.shape)


def _mirrored(size: int, border: int, device: torch.device) -> Tensor:
    """Return the places of a line with borders, mirrored with the edge pixel repeated (NumPy's symmetric)."""
    places = torch.arange(-border, size + border, device=device) % (2 * size)
    return torch.minimum(places, 2 * size - 1 - places)


def _light(images: Tensor) -> Tensor:
    """Decode sRGB, as `filtering.in_linear_light` does."""
    power = ((images.clamp_min(0) + 0.055) / 1.055) ** 2.4
    return torch.where(images <= 0.04045, images / 12.92, power)


def _encoded(light: Tensor) -> Tensor:
    """Encode sRGB."""
    power = 1.055 * light.clamp_min(0) ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, light * 12.92, power)
