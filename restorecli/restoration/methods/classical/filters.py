"""Filters over a small window: median, Gaussian, the adaptive Wiener filter, bilateral."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.errors import UsageError
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import Method, parameter


def check_odd(side: int, owner: str) -> None:
    """Refuse a window without a middle.

    Raises:
        UsageError: The side is even.
    """
    if side % 2 == 0:
        raise UsageError(
            f"{owner} needs a window with a middle.",
            expected="an odd number of pixels",
            got=str(side),
            hint=f"{owner}={side + 1}",
        )


@dataclass(frozen=True)
class Median(Method):
    """Median of the square window around each pixel, channel by channel; borders are mirrored."""

    name = "median"
    summary = "median of a window; for impulses and specks"
    reference = "Tukey, Exploratory Data Analysis, 1977; SciPy's median_filter"

    size: int = parameter(
        3, unit="px", low=1, high=101, draw="3..11", help="side of the window, an odd number"
    )

    def __post_init__(self) -> None:
        """Check the values; see the base class."""
        super().__post_init__()
        check_odd(self.size, "median.size")

    @property
    def affine(self) -> bool:
        """Medians follow any rising curve."""
        return True

    @property
    def receptive_field(self) -> int:
        """The window."""
        return self.size

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the medians; see the base class."""
        del context
        return np.stack([ndimage.median_filter(plane, self.size, mode="reflect") for plane in pixels])


@dataclass(frozen=True)
class Gaussian(Method):
    """Gaussian blur; borders are mirrored, the kernel ends at 4 `width`.

    Where `width` is 0 it follows the noise: `gain` times its level to the power of 0.7, which fits
    training photographs at levels 15, 25 and 50.
    """

    name = "gaussian"
    summary = "Gaussian blur, the plainest denoiser"
    reference = "textbook; SciPy's gaussian_filter; gain chosen on the photographs of BSDS500's training part"
    needs: ClassVar = frozenset({"sigma?"})

    width: float = parameter(0.0, unit="px", low=0, high=100, help="spread (std); 0 follows the noise")
    gain: float = parameter(
        0.12, low=0, high=10, draw="log 0.03..0.5", help="width for noise of sigma 1, where it is 0"
    )

    @property
    def affine(self) -> bool:
        """Where its width does not follow the noise."""
        return self.width > 0

    @property
    def receptive_field(self) -> int | None:
        """Of the kernel; None where its width follows the whole image's noise."""
        return 2 * int(4 * self.width + 0.5) + 1 if self.width else None

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the blurred image; see the base class."""
        width = self.width or min(self.gain * sigma_of(pixels, context) ** 0.7, 100.0)
        return np.stack(
            [ndimage.gaussian_filter(plane, width, mode="reflect", truncate=4) for plane in pixels]
        )


def adaptive_wiener(plane: NDArray[np.float32], noise: float, size: int) -> NDArray[np.float32]:
    """Return mean + (x - mean) max(variance - noise^2, 0) / max(variance, noise^2), of the window around x.

    Where variance and noise are both 0 the window is flat, and x stays. Mirrored at the border.

    Args:
        plane: (H, W).
        noise: Standard deviation of the noise, in the plane's units.
        size: Side of the window, odd.
    """
    exact = plane.astype(np.float64)
    mean = ndimage.uniform_filter(exact, size, mode="reflect")
    variance = np.maximum(ndimage.uniform_filter(exact * exact, size, mode="reflect") - mean**2, 0)
    whole = np.maximum(variance, noise**2)
    share = np.divide(np.maximum(variance - noise**2, 0), whole, out=np.ones_like(whole), where=whole > 0)
    return np.asarray(mean + (exact - mean) * share, np.float32)


@dataclass(frozen=True)
class Wiener(Method):
    """Adaptive Wiener filter: flat places become their mean, busy places stay; channel by channel."""

    name = "wiener"
    summary = "adaptive local Wiener filter: smooths where the image is flat"
    reference = "Lee, Digital image enhancement and noise filtering by use of local statistics, TPAMI 1980"
    needs: ClassVar = frozenset({"sigma?"})

    size: int = parameter(
        5, unit="px", low=1, high=101, draw="3..15", help="side of the window, an odd number"
    )

    def __post_init__(self) -> None:
        """Check the values; see the base class."""
        super().__post_init__()
        check_odd(self.size, "wiener.size")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the filtered image; see the base class."""
        noise = sigma_of(pixels, context) / 255
        return np.stack([adaptive_wiener(plane, noise, self.size) for plane in pixels])


@dataclass(frozen=True)
class Bilateral(Method):
    """Bilateral filter: the mean of neighbors that are near in space and alike in color.

    The window reaches to 2 `width`, as of which the spatial weight is below 0.14. Where `color` is 0 it is
    `gain` times the level of the noise.
    """

    name = "bilateral"
    summary = "mean of neighbors of like color: smooths and keeps edges"
    reference = "Tomasi and Manduchi, ICCV 1998; gain and width chosen on training photographs"
    needs: ClassVar = frozenset({"sigma?"})

    width: float = parameter(
        2.0, unit="px", low=0.3, high=50, draw="log 0.7..5", help="spread (std) in space"
    )
    color: float = parameter(
        0.0, unit="0-255 scale", low=0, high=1000, help="spread (std) in color; 0 follows the noise"
    )
    gain: float = parameter(3.5, low=0.1, high=100, draw="log 0.5..10", help="color per sigma, where it is 0")

    @property
    def receptive_field(self) -> int | None:
        """The window; None where `color` follows the whole image's noise."""
        return 2 * self._radius + 1 if self.color else None

    @property
    def _radius(self) -> int:
        return max(int(2 * self.width + 0.5), 1)

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the filtered image; see the base class."""
        from restorecli.restoration.methods.classical.windows import bilateral

        color = self.color or self.gain * sigma_of(pixels, context)
        if color == 0:
            return pixels.copy()
        return bilateral(pixels, color / 255, self.width, self._radius)
