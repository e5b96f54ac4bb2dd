"""Blind deblurring: the kernel is estimated from the picture, coarse to fine, and then undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from restorecli.degradation.operators import Convolution, PointSpread
from restorecli.errors import ImageError
from restorecli.images.picture import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.deconvolution import WienerDeconvolution

_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class BlindDeconvolution(Method):
    """Kernel and picture by turns, from a small picture to the full one, then the Wiener filter.

    On every scale a picture with few gradients (an L0 prior) and the kernel that best explains the gradients
    of the blurred picture with its gradients are estimated by turns. The luma alone decides about the kernel.
    The estimated kernel is written beside the picture, as `kernels/...`; its peak is white.

    The weight 0.01 is the best of 0.002, 0.004, 0.01, 0.02 and 0.04 on pictures of BSDS400, curved kernels.
    The size must hold the whole blur, but a larger one makes the kernel less certain: on crops of 256 px with
    motion of 9 and 15 px, 15 was 1.7 to 1.9 dB better than 25, and 10 turns 0.8 to 1 dB better than 5. Small
    pictures without strong edges can still come out worse than they were.

    Where a picture lies cannot be known: the result may be shifted against the truth by a few pixels.
    """

    name = "blind-deconv"
    summary = "deblurring with a kernel that is estimated from the picture and saved beside it"
    reference = "Xu, Zheng, Jia, CVPR 2013; Pan, Hu, Su, Yang, CVPR 2014; coarse to fine: Fergus et al. 2006"
    needs: ClassVar = frozenset({"sigma?"})

    size: int = parameter(15, unit="px", low=3, high=201, draw="7..41", help="largest side of the kernel")
    sparsity: float = parameter(
        0.01, low=1e-6, high=1, draw="log 0.002..0.05", help="weight of every gradient that is not 0"
    )
    turns: int = parameter(10, low=1, high=100, help="turns on every scale")
    gain: float = parameter(
        600.0, low=1e-6, high=1e6, draw="log 20..2000", help="of the final wiener-deconv, see there"
    )

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the deblurred picture; see the base class.

        Raises:
            ImageError: The picture is smaller than the kernel.
        """
        if min(pixels.shape[1:]) < 2 * self.size:
            raise ImageError(
                "The picture is too small for a kernel of this size.",
                expected=f"sides of at least {2 * self.size} px",
                came=f"{pixels.shape[2]}x{pixels.shape[1]}",
                hint=f"--set {self.name}.size=9",
            )
        from restorecli.restoration.methods.classical.kernel_estimate import estimate_kernel

        luma = pixels[0].astype(np.float64) if len(pixels) == 1 else np.tensordot(_LUMA, pixels, 1)
        kernel = estimate_kernel(luma, self.size, sparsity=self.sparsity, turns=self.turns)
        context.found.pictures["kernels"] = (kernel / kernel.max())[None].astype(np.float32)
        known = Context(sigma=sigma_of(pixels, context), operator=Convolution(PointSpread.centred(kernel)))
        return WienerDeconvolution(gain=self.gain, rim="unknown").restore(pixels, known)
