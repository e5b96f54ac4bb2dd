"""Super-resolution without training: interpolation, back-projection, total variation.

By how much an image is enlarged is the method's `factor`, or, where that is 0, what the operator (of the
command line or of the manifest) says it was reduced by. What made the small image is that operator, or else
the antialiased bicubic reduction of `degrade`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from skimage import restoration

from restorecli.degradation.operators import Convolution, reduction_spread
from restorecli.errors import ImageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import Method, parameter, unknown
from restorecli.restoration.methods.classical.deconvolution import ROUNDING
from restorecli.restoration.methods.classical.resampling import enlarge, lanczos3

Doubles = NDArray[np.float64]

_FACTOR_HELP = "by how much the sides grow; 0 takes what the manifest or --operator says"


@dataclass(frozen=True)
class Enlarging(Method):
    """The base of what enlarges: the factor, and what made the small image."""

    factor: int = parameter(0, unit="times", low=0, high=8, help=_FACTOR_HELP)

    def scale_for(self, context: Context) -> int:
        """Return the factor, or that of the operator; 1 where there is none."""
        if self.factor > 0 or context.operator is None:
            return max(self.factor, 1)
        return context.operator.factor

    def reduction(self, context: Context) -> Convolution:
        """Return what made the small image.

        Raises:
            ImageError: Nothing says by how much it was reduced, or the factor contradicts the operator.
        """
        operator = context.operator
        if self.factor == 0 and (operator is None or operator.factor == 1):
            raise unknown("by how much the image was reduced", f"--set {self.name}.factor=2")
        if not isinstance(operator, Convolution) or operator.factor == 1 != self.factor:
            return Convolution(reduction_spread(self.factor), self.factor)
        if self.factor not in (0, operator.factor):
            raise ImageError(
                "The factor contradicts what is known of the image.",
                expected=f"{operator.factor}, or 0",
                got=str(self.factor),
            )
        return operator


@dataclass(frozen=True)
class Bicubic(Enlarging):
    """Interpolation by Keys' cubic with a = -0.5: MATLAB's imresize, the baseline of published tables.

    PyTorch's and OpenCV's bicubic differ: a = -0.75.
    """

    name = "bicubic"
    summary = "enlarging by cubic interpolation, as MATLAB does it"
    reference = "Keys, IEEE TASSP 1981; imresize of MATLAB"
    needs: ClassVar = frozenset({"operator?"})
    receptive_field: ClassVar = 5

    @property
    def affine(self) -> bool:
        """The weights of every pixel add up to 1."""
        return True

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the enlarged image; see the base class."""
        return enlarge(pixels, self.reduction(context).factor).astype(np.float32)


@dataclass(frozen=True)
class Lanczos(Enlarging):
    """Interpolation by Lanczos' kernel with three lobes: a little sharper than cubic, and rings a little."""

    name = "lanczos"
    summary = "enlarging by Lanczos interpolation"
    reference = "Duchon, Lanczos filtering in one and two dimensions, J. Applied Meteorology 1979"
    needs: ClassVar = frozenset({"operator?"})
    receptive_field: ClassVar = 7

    @property
    def affine(self) -> bool:
        """The weights of every pixel add up to 1."""
        return True

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the enlarged image; see the base class."""
        return enlarge(pixels, self.reduction(context).factor, lanczos3, 3).astype(np.float32)


@dataclass(frozen=True)
class BackProjection(Enlarging):
    """Iterative back-projection: what the enlarged image, reduced again, lacks is enlarged and added.

    It stops when what is lacking is as small as the noise, or after `iterations`.
    """

    name = "back-projection"
    summary = "enlarging so that the result, reduced again, is the small image"
    reference = "Irani, Peleg, CVGIP: Graphical Models and Image Processing 1991"
    needs: ClassVar = frozenset({"operator?", "sigma?"})

    iterations: int = parameter(20, low=1, high=1000, draw="log 1..100", help="most iterations")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the enlarged image; see the base class."""
        level = max(sigma_of(pixels, context), ROUNDING) / 255
        return back_project(
            pixels.astype(np.float64),
            enlarge(pixels, self.reduction(context).factor),
            self.reduction(context),
            iterations=self.iterations,
            level=level,
        ).astype(np.float32)


def back_project(y: Doubles, x: Doubles, operator: Convolution, *, iterations: int, level: float) -> Doubles:
    """Return `x`, changed so that the operator makes `y` of it.

    Args:
        y: (C, H, W), the small image.
        x: (C, factor H, factor W), the first estimate.
        operator: What makes small images.
        iterations: At most this many.
        level: Root mean square difference from `y` at which it is good enough.
    """
    for _ in range(iterations):
        lacking = y - operator.forward(x)
        if np.mean(lacking**2) <= level**2:
            break
        x = x + enlarge(lacking, operator.factor)
    return x


@dataclass(frozen=True)
class TvSuperResolution(Enlarging):
    """Least squares with total variation: min 1/2 ||A x - y||^2 + weight TV(x), by FISTA.

    The step of total variation is scikit-image's `denoise_tv_chambolle`. Where `weight` is 0 it is `gain`
    times the noise (at least that of rounding) on the [0, 1] scale, divided by the factor's square. 1 and 2
    are the best of 1, 2, 4, 8 and 16 on images of BSDS400, for factors 2 and 4 and noise of 0, 5 and 15.
    """

    name = "tv-super-resolution"
    summary = "enlarging with total variation"
    reference = "Marquina, Osher, J. Scientific Computing 2008; FISTA: Beck, Teboulle, SIAM J. Imaging 2009"
    needs: ClassVar = frozenset({"operator?", "sigma?"})

    weight: float = parameter(0.0, low=0, high=10, help="weight of total variation; 0 follows the noise")
    gain: float = parameter(
        1.5, low=0, high=100, draw="log 0.1..10", help="weight for noise of 1, where it is 0"
    )
    iterations: int = parameter(30, low=1, high=1000, help="steps")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the enlarged image; see the base class."""
        operator = self.reduction(context)
        y = pixels.astype(np.float64)
        level = max(sigma_of(pixels, context), ROUNDING) / 255
        weight = self.weight or self.gain * level / operator.factor**2
        x = before = enlarge(pixels, operator.factor)
        bound, time = squared_norm(operator, x.shape[1:]), 1.0
        for _ in range(self.iterations):
            descended = x - operator.adjoint(operator.forward(x) - y) / bound
            smooth = restoration.denoise_tv_chambolle(  # type: ignore[no-untyped-call]
                descended, weight / bound, max_num_iter=20, channel_axis=0
            )
            following = (1 + np.sqrt(1 + 4 * time * time)) / 2
            x = smooth + (time - 1) / following * (smooth - before)
            before, time = smooth, following
        return before.astype(np.float32)


def squared_norm(operator: Convolution, shape: tuple[int, ...]) -> float:
    """Return the largest eigenvalue of A^T A by ten power iterations on (1, H, W), with 5 % to spare."""
    x = np.random.default_rng(0).standard_normal((1, *(min(side, 64) for side in shape)))
    size = 1.0
    for _ in range(10):
        x = operator.adjoint(operator.forward(x))
        size = float(np.linalg.norm(x))
        x = x / size
    return 1.05 * size
