"""Structural similarity in the conventions of other libraries, and at several scales.

The default SSIM is `metrics.ssim`, which is faster; what is here is general: any separable window, images
that are not rounded, padding, corrected variances. All in double precision, channel by channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.gaussian import C1, C2, TAPS
from restorecli.evaluation.metrics.pixelwise import Levels

Doubles = NDArray[np.float64]

_STRIP = 128
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of MS-SSIM, from the finest scale to the coarsest: Wang, Simoncelli and Bovik 2003."""

MIN_SIDE = 10 * 2 ** (len(SCALE_WEIGHTS) - 1) + 1
"""The smallest side at which MS-SSIM is defined: the window fits into the coarsest scale."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """One convention of SSIM.

    Attributes:
        taps: The separable window: (odd,) weights that sum to 1.
        correction: What variances are multiplied with: 1 for weighted ones, N / (N - 1) for a sample's.
        padding: Pixels by which the image is mirrored on each side before the window moves over it.
        clamp_contrast: Whether the contrast-structure map is cut off at 0.
        clamp_variance: Whether variances that rounding made negative are cut off at 0.
    """

    taps: Doubles
    correction: float = 1.0
    padding: int = 0
    clamp_contrast: bool = False
    clamp_variance: bool = False

    def score(self, restored: Levels, reference: Levels) -> float:
        """Return the mean SSIM over the area and the channels.

        Args:
            restored: (C, H, W) on the 0-255 scale, both sides at least as long as the window.
            reference: The clean image in the same shape.

        Returns:
            A number in [-1, 1], higher is better.

        Raises:
            DataError: A side is shorter than the window.
        """
        means = [self.means(one, other)[0] for one, other in zip(restored, reference, strict=True)]
        return math.fsum(means) / len(means)

    def means(self, first: Levels, second: Levels) -> tuple[float, float]:
        """Return the mean of SSIM and the mean of contrast-structure over one channel.

        The contrast-structure is averaged without the padded border, SSIM with it (as torchmetrics has it);
        without padding both are over the valid area.

        Args:
            first: (H, W) on the 0-255 scale.
            second: The same shape.

        Raises:
            DataError: A side is shorter than the window.
        """
        height, width = first.shape
        if min(height, width) < len(self.taps):
            raise DataError(
                "SSIM needs an image at least as large as its window.",
                expected=f"both sides at least {len(self.taps)} pixels",
                got=f"{width}x{height}",
            )
        similarity, contrast = [], []
        for luminance, structure in self._maps(self._padded(first), self._padded(second)):
            similarity.append(luminance * structure)
            contrast.append(structure)
        whole = np.concatenate(contrast)
        border = self.padding
        inner = whole[border : len(whole) - border, border : whole.shape[1] - border]
        return float(np.concatenate(similarity).mean()), float(inner.mean())

    def _padded(self, channel: Levels) -> Doubles:
        return np.pad(channel.astype(np.float64), self.padding, mode="reflect")

    def _maps(self, first: Doubles, second: Doubles) -> Iterator[tuple[Doubles, Doubles]]:
        """Yield the luminance and the contrast-structure map over the valid area, strip by strip."""
        border = len(self.taps) - 1
        edges = [*range(0, len(first) - border, _STRIP), len(first) - border]
        for top, bottom in pairwise(edges):
            one, other = first[top : bottom + border], second[top : bottom + border]
            mean_1, mean_2 = self._mean(one), self._mean(other)
            variance_1 = (self._mean(one * one) - mean_1 * mean_1) * self.correction
            variance_2 = (self._mean(other * other) - mean_2 * mean_2) * self.correction
            covariance = (self._mean(one * other) - mean_1 * mean_2) * self.correction
            if self.clamp_variance:
                variance_1, variance_2 = np.maximum(variance_1, 0), np.maximum(variance_2, 0)
            structure = (2 * covariance + C2) / (variance_1 + variance_2 + C2)
            if self.clamp_contrast:
                structure = np.maximum(structure, 0)
            yield (2 * mean_1 * mean_2 + C1) / (mean_1 * mean_1 + mean_2 * mean_2 + C1), structure

    def _mean(self, plane: Doubles) -> Doubles:
        from scipy.ndimage import correlate1d

        half = len(self.taps) // 2
        down: Doubles = correlate1d(plane, self.taps, axis=0)[half : len(plane) - half]
        across: Doubles = correlate1d(down, self.taps, axis=1)[:, half : plane.shape[1] - half]
        return across


GAUSSIAN = Similarity(np.array(TAPS))
"""Wang et al. 2004: 11x11 Gaussian, sigma 1.5, weighted variances, valid area."""

UNIFORM = Similarity(np.full(7, 1 / 7), correction=49 / 48)
"""scikit-image's default: 7x7 uniform, variances of a sample, valid area."""

CLAMPED = Similarity(np.array(TAPS), clamp_contrast=True)
"""pyiqa: as Wang et al., with the contrast-structure map cut off at 0."""

PADDED = Similarity(np.array(TAPS), padding=5, clamp_variance=True)
"""torchmetrics: as Wang et al., over the whole image, which is mirrored beyond its border."""


def ssim_shrunk(restored: Levels, reference: Levels) -> float:
    """SSIM as piq computes it: averaged over f x f pixels first, f = max(1, round(shorter side / 256)).

    That is Wang's ssim.m with a box that does not overlap; both sides at least 11 pixels after it.

    Raises:
        DataError: A side is shorter than the window.
    """
    factor = max(1, round(min(restored.shape[1:]) / 256))
    return GAUSSIAN.score(average(restored, factor), average(reference, factor))


def ssim_yiq(restored: Levels, reference: Levels) -> float:
    """SSIM as pyiqa computes it: whole levels, contrast-structure cut off at 0.

    Raises:
        DataError: A side is shorter than the window.
    """
    return CLAMPED.score(np.rint(restored), np.rint(reference))


def average(levels: Levels, factor: int) -> Levels:
    """Return means over factor x factor pixels, without what is left over at the right and the bottom."""
    if factor == 1:
        return levels
    channels, height, width = levels.shape
    rows, columns = height // factor, width // factor
    whole = levels[:, : rows * factor, : columns * factor].astype(np.float64)
    means: Doubles = whole.reshape(channels, rows, factor, columns, factor).mean(axis=(2, 4))
    return means


def ms_ssim(restored: Levels, reference: Levels) -> float:
    """Multi-scale SSIM, channel by channel, then averaged over the channels (as piq computes it).

    Contrast-structure at the four finer scales and SSIM at the coarsest, each to the power of its weight,
    then multiplied: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality
    assessment", Asilomar 2003, equation 7. Valid areas; a negative mean counts as 0; between the scales means
    over 2x2 pixels, odd sides being lengthened at the top and the left by repeating.

    Args:
        restored: (C, H, W) on the 0-255 scale, both sides at least 161.
        reference: The clean image in the same shape.

    Returns:
        A number in [0, 1], higher is better.

    Raises:
        DataError: A side is under 161 pixels.
    """
    channels = [
        _product(_scales(one[np.newaxis], other[np.newaxis], GAUSSIAN, _halved_repeating))
        for one, other in zip(restored, reference, strict=True)
    ]
    return math.fsum(channels) / len(channels)


def ms_ssim_yiq(restored: Levels, reference: Levels) -> float:
    """MS-SSIM as pyiqa computes it: whole levels, contrast cut off at 0, odd sides between zeros.

    Raises:
        DataError: A side is under 161 pixels.
    """
    return _product(_scales(np.rint(restored), np.rint(reference), CLAMPED, _halved_between_zeros))


def ms_ssim_torchmetrics(restored: Levels, reference: Levels) -> float:
    """MS-SSIM as torchmetrics computes it: means over all channels before they are multiplied, padded SSIM.

    Raises:
        DataError: A side is under 161 pixels.
    """
    return _product(_scales(restored, reference, PADDED, lambda levels: average(levels, 2)))


def _scales(
    restored: Levels, reference: Levels, convention: Similarity, halve: Callable[[Levels], Levels]
) -> list[float]:
    """Return the factors of MS-SSIM: contrast-structure at every scale but the last, where it is SSIM."""
    height, width = restored.shape[1:]
    if min(height, width) < MIN_SIDE:
        raise DataError(
            "MS-SSIM needs an image that its window fits into at five scales.",
            expected=f"both sides at least {MIN_SIDE} pixels",
            got=f"{width}x{height}",
        )
    factors = []
    for scale in range(len(SCALE_WEIGHTS)):
        if scale:
            restored, reference = halve(restored), halve(reference)
        means = [convention.means(one, other) for one, other in zip(restored, reference, strict=True)]
        is_last = scale == len(SCALE_WEIGHTS) - 1
        factors.append(math.fsum(mean[0 if is_last else 1] for mean in means) / len(means))
    return factors


def _product(factors: list[float]) -> float:
    return float(np.prod(np.maximum(factors, 0.0) ** np.array(SCALE_WEIGHTS)))


def _halved_repeating(levels: Levels) -> Levels:
    odd = max(levels.shape[1] % 2, levels.shape[2] % 2)
    return average(np.pad(levels.astype(np.float64), ((0, 0), (odd, 0), (odd, 0)), mode="edge"), 2)


def _halved_between_zeros(levels: Levels) -> Levels:
    tall, wide = levels.shape[1] % 2, levels.shape[2] % 2
    return average(np.pad(levels.astype(np.float64), ((0, 0), (tall, tall), (wide, wide))), 2)
