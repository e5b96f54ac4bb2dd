"""Blind deblurring: the kernel is estimated from the image, coarse to fine, and then undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.degradation.operators import Convolution, PointSpread
from restorecli.errors import ImageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.blur_signs import MIN_SMOOTHNESS, halves, likeness, smoothness
from restorecli.restoration.methods.classical.deconvolution import WienerDeconvolution
from restorecli.restoration.methods.classical.kernel_estimate import estimate_kernel

Doubles = NDArray[np.float64]

_LUMA = np.array([0.299, 0.587, 0.114])

_SURE = 0.95
"""Kernels of both halves that are as alike as this are believed in full."""

_MAX_OVERSHOOT = 2.5
"""Levels of 255; on nine crops of BSDS400 the results that lost overshot by 3.0 and more."""


@dataclass(frozen=True)
class BlindDeconvolution(Method):
    """Kernel and image by turns, from a small image to the full one, then the Wiener filter.

    On every scale an image with few gradients (an L0 prior) and the kernel that best explains the gradients
    of the blurred image with its gradients are estimated by turns. The luma alone decides about the kernel.
    The estimated kernel is written beside the image, as `kernels/...`; its peak is white.

    The weight 0.01 is the best of 0.002, 0.004, 0.01, 0.02 and 0.04 on images of BSDS400, curved kernels.
    The size must hold the whole blur, but a larger one makes the kernel less certain: on crops of 256 px with
    motion of 9 and 15 px, 15 was 1.7 to 1.9 dB better than 25, and 10 turns 0.8 to 1 dB better than 5.

    An image comes back as it was, and the manifest says so, where it is sharp (see `blur_signs`), where the
    kernels of its two halves, estimated apart, are less alike than `certain`, so that the kernel is a guess,
    or where the result overshoots the input's blacks and whites, as the ringing of a wrong kernel does.
    Between `certain` and a likeness of 0.95 the result is mixed with the input: the less alike the kernels
    are, the more of the input. On 117 cases of 13 crops of 128 px of BSDS400 (Gaussian blur of 1.5 and 3 px,
    motion of 9 and 15 px, defocus of 3 px, motion and defocus with noise of 2.55, noise of 10, none) one lost
    0.07 dB and no other more than 0.05 dB; the mean gain is 0.83 dB: 1.04 dB on the five crops that the
    limits were chosen on, 0.70 dB on four to check them (one of them tightened that of overshoot), 0.71 dB on
    the others.

    Where an image lies cannot be known. It is taken to lie where its light lies: the result is moved by what
    the kernel's center of mass is off its middle, up to half a pixel; it may still be off by a pixel or two.
    """

    name = "blind-deconv"
    summary = "deblurring with a kernel that is estimated from the image and saved beside it"
    reference = "Xu, Zheng, Jia, CVPR 2013; Pan, Hu, Su, Yang, CVPR 2014; coarse to fine: Fergus et al. 2006"
    needs: ClassVar = frozenset({"sigma?"})

    size: int = parameter(15, unit="px", low=3, high=201, draw="7..41", help="largest side of the kernel")
    sparsity: float = parameter(
        0.01, low=1e-6, high=1, draw="log 0.002..0.05", help="weight of every gradient that is not 0"
    )
    turns: int = parameter(10, low=1, high=100, help="turns on every scale")
    certain: float = parameter(
        0.75, low=0, high=1, help="how alike the kernels of both halves must be; 0 deblurs in any case"
    )
    gain: float = parameter(
        600.0, low=1e-6, high=1e6, draw="log 20..2000", help="of the final wiener-deconv, see there"
    )

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the deblurred image; see the base class.

        Raises:
            ImageError: The image is smaller than the kernel.
        """
        if min(pixels.shape[1:]) < 2 * self.size:
            raise ImageError(
                "The image is too small for a kernel of this size.",
                expected=f"sides of at least {2 * self.size} px",
                got=f"{pixels.shape[2]}x{pixels.shape[1]}",
                hint=f"--set {self.name}.size=9",
            )
        luma = _luma(pixels)
        kernel, weight = self._kernel(luma, context)
        if kernel is None:
            return pixels.copy()
        known = Context(sigma=sigma_of(pixels, context), operator=Convolution(PointSpread.centered(kernel)))
        result = moved(WienerDeconvolution(gain=self.gain, rim="unknown").restore(pixels, known), kernel)
        if self.certain > 0 and overshoot(_luma(result), luma) > _MAX_OVERSHOOT:
            context.note({"left_as_it_was": "the result rings"})
            return pixels.copy()
        mixed: Pixels = pixels + np.float32(weight) * (result - pixels)
        return mixed

    def _kernel(self, luma: Doubles, context: Context) -> tuple[Doubles | None, float]:
        """Return the kernel and the share of the result that it deserves.

        The kernel is None, with the reason among the findings, where nothing should be undone.
        """

        def estimate(part: Doubles) -> Doubles:
            return estimate_kernel(part, self.size, sparsity=self.sparsity, turns=self.turns)

        if self.certain > 0 and smoothness(luma) < MIN_SMOOTHNESS:
            context.note({"left_as_it_was": "the image is sharp"})
            return None, 0.0
        kernel, weight = estimate(luma), 1.0
        context.found.images["kernels"] = (kernel / kernel.max())[None].astype(np.float32)
        parts = halves(luma, self.size)
        if self.certain > 0 and min(parts[0].shape) >= 2 * self.size:
            alike = likeness(*map(estimate, parts))
            context.note({"kernel_likeness": round(alike, 3)})
            if alike < self.certain:
                context.note({"left_as_it_was": "the kernels of its halves differ"})
                return None, 0.0
            weight = weight_of(alike, self.certain)
            context.note({"share_of_result": round(weight, 3)})
        return kernel, weight


def weight_of(alike: float, certain: float) -> float:
    """Return the share of the deblurred image in the result: 0 at `certain`, 1 from a likeness of 0.95 on."""
    return 1.0 if alike >= _SURE else (alike - certain) / (_SURE - certain)


def moved(result: Pixels, kernel: Doubles) -> Pixels:
    """Return an image moved by what a kernel's center of mass is off its middle.

    Args:
        result: (C, H, W), sharpened with the kernel.
        kernel: Square, its sides odd.
    """
    middle = kernel.shape[0] // 2
    off = [float(place) - middle for place in ndimage.center_of_mass(kernel)]
    whole: Pixels = ndimage.shift(result, (0, *off), order=3, mode="reflect").astype(np.float32)
    return whole


def overshoot(result: Doubles, given: Doubles) -> float:
    """Return the root mean square by which a result leaves the input's range of values, of 255 levels."""
    beyond = result - np.clip(result, given.min(), given.max())
    return float(255 * np.sqrt(np.square(beyond).mean()))


def _luma(pixels: Pixels) -> Doubles:
    weights = _LUMA if len(pixels) == 3 else np.ones(1)
    luma: Doubles = np.tensordot(weights, pixels.astype(np.float64), 1)
    return luma
