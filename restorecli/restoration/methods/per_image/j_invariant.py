"""Self-supervised denoising: a classical denoiser whose strength the noisy image itself decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from restorecli.catalogs import Catalog
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.denoising import NonLocalMeans, TotalVariation, Wavelet

DENOISERS: Catalog[type[Method]] = Catalog("denoiser", (Wavelet, TotalVariation, NonLocalMeans))
"""Denoisers whose strength follows the noise level that they are told.

Not plain blur: told no noise, it leaves a left-out pixel as the mean of its neighbors, which predicts well
and denoises nothing.
"""

_WEAKEST, _STRONGEST = 2.0, 100.0
_FOUR_NEIGHBORS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def filled(pixels: Pixels, offset: tuple[int, int], stride: int) -> Pixels:
    """Return a copy in which a grid of pixels is replaced by the mean of its four neighbors.

    Borders are mirrored without their own pixels, so that no replaced value depends on what it replaces.

    Args:
        pixels: (C, H, W).
        offset: Row and column of the grid's first pixel.
        stride: Distance of its pixels, at least 2.
    """
    around = ndimage.convolve(pixels, _FOUR_NEIGHBORS[None], mode="mirror")
    result = pixels.copy()
    rows, columns = (slice(start, None, stride) for start in offset)
    result[:, rows, columns] = around[:, rows, columns]
    return result


def self_supervised_loss(
    pixels: Pixels,
    denoise: Callable[[Pixels], Pixels],
    offsets: Sequence[tuple[int, int]],
    stride: int,
) -> float:
    """Return the mean squared error of pixels predicted without themselves, against their noisy values.

    Where noise is independent from pixel to pixel and of mean 0, this is the error against the unknown clean
    image plus the variance of the noise: the least is where the true error is least (Batson and Royer,
    equation 3).

    Args:
        pixels: The noisy image, (C, H, W).
        denoise: The denoiser.
        offsets: Of the grids to predict; all stride^2 of them cover the image.
        stride: Distance of a grid's pixels.
    """
    errors, count = 0.0, 0
    for offset in offsets:
        rows, columns = (slice(start, None, stride) for start in offset)
        predicted = denoise(filled(pixels, offset, stride))[:, rows, columns]
        errors += float(np.square(predicted - pixels[:, rows, columns], dtype=np.float64).sum())
        count += predicted.size
    return errors / max(count, 1)


def grid_offsets(shape: tuple[int, int], stride: int, count: int) -> list[tuple[int, int]]:
    """Return `count` grid offsets within an image, spread evenly over all that there are."""
    rows, columns = (min(stride, side) for side in shape)
    every = [(row, column) for row in range(rows) for column in range(columns)]
    chosen = np.unique(np.linspace(0, len(every) - 1, count + 2)[1:-1].round().astype(int))
    return every if count >= len(every) else [every[index] for index in chosen]


@dataclass(frozen=True)
class JInvariant(Method):
    """A classical denoiser, told the noise level at which it predicts left-out pixels best.

    Nothing about the noise has to be known, but that it is independent from pixel to pixel and of mean 0:
    photon noise and speckle do, JPEG and film grain do not. `tries` levels between 2 and 100 (0-255 scale, a
    constant factor apart) are compared by `self_supervised_loss` on `grids` grids of left-out pixels; then
    the parabola through the best and its neighbors gives the level, and the image is denoised with it,
    no pixel left out.
    """

    name = "j-invariant"
    summary = "a classical denoiser that finds its strength by itself (self-supervised)"
    reference = "Batson and Royer, Noise2Self: Blind Denoising by Self-Supervision, ICML 2019"

    denoiser: str = parameter("wavelet", choices=DENOISERS, draw="any", help="what denoises")
    stride: int = parameter(4, unit="px", low=2, high=16, help="distance of left-out pixels")
    grids: int = parameter(1, low=1, high=256, help="grids of left-out pixels to predict")
    tries: int = parameter(12, unit="levels", low=3, high=100, help="noise levels to compare")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the denoised image; see the base class."""
        sigma = self.calibrate(pixels, context)
        context.note({"calibrated_sigma": round(sigma, 2)})
        return self._denoise(pixels, context, sigma)

    def calibrate(self, pixels: Pixels, context: Context) -> float:
        """Return the noise level, on the 0-255 scale, at which left-out pixels are predicted best."""
        levels = np.geomspace(_WEAKEST, _STRONGEST, self.tries)
        offsets = grid_offsets((pixels.shape[1], pixels.shape[2]), self.stride, self.grids)
        losses = [self._loss(pixels, context, float(level), offsets) for level in levels]
        best = int(np.argmin(losses))
        if not 0 < best < len(levels) - 1:
            return float(levels[best])
        before, least, after = losses[best - 1 : best + 2]
        bend = before - 2 * least + after
        shift = 0.5 * (before - after) / bend if bend > 0 else 0.0
        return float(levels[best] * (levels[1] / levels[0]) ** shift)

    def _loss(
        self, pixels: Pixels, context: Context, level: float, offsets: Sequence[tuple[int, int]]
    ) -> float:
        def denoise(masked: Pixels) -> Pixels:
            return self._denoise(masked, context, level)

        return self_supervised_loss(pixels, denoise, offsets, self.stride)

    def _denoise(self, pixels: Pixels, context: Context, sigma: float) -> Pixels:
        known = dataclasses.replace(context, sigma=sigma)
        return DENOISERS[self.denoiser]().restore(pixels, known)
