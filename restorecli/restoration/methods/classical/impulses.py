"""Switching median: salt and pepper is found and replaced, everything else stays bit for bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.restoration.methods.base import Method, parameter
from restorecli.restoration.methods.classical.filters import check_odd
from restorecli.restoration.methods.classical.outliers import find_outliers
from restorecli.restoration.methods.classical.thin_plate import thin_plate

Mask = NDArray[np.bool_]

FILLS = ("median", "thin-plate")

_NEIGHBORHOOD = 7
_EPSILON = 1e-7
_MIN_SHARE = 0.2
_THRESHOLD = 0.6


def without_areas(extreme: Mask) -> Mask:
    """Return the extreme pixels that stand alone: those of white skies or black borders are the image's.

    A pixel belongs to an area where its 7x7 neighborhood holds more extremes than impulses spread evenly put
    there once in ten million times (their number is binomial), and more than a share of 0.2. How many they
    are is counted where less than 0.6 of a neighborhood are extremes: one kind of impulse is hardly ever
    denser. At the border a neighborhood has fewer pixels.

    Args:
        extreme: (H, W), True where a pixel has one extreme value.
    """

    def counted(mask: Mask) -> NDArray[np.float64]:
        """Return how many pixels of each neighborhood are marked."""
        share: NDArray[np.float64] = ndimage.uniform_filter(mask.astype(np.float64), side, mode="constant")
        return np.rint(share * side**2)

    side = _NEIGHBORHOOD
    pixels = counted(np.ones_like(extreme))
    found = counted(extreme)
    around = found / pixels
    elsewhere = extreme[around < _THRESHOLD]
    share = float(elsewhere.mean()) if elsewhere.size else 0.0
    by_chance = special.bdtrc(found - 1, pixels.astype(int), share)  # of as many extremes or more
    alone: Mask = extreme & ((by_chance > _EPSILON) | (around <= _MIN_SHARE))
    return alone


def find_impulses(pixels: Pixels, tolerance: float, channels: str) -> Mask:
    """Return where salt (1) or pepper (0) has replaced the image.

    Args:
        pixels: (C, H, W) float32; values beyond [0, 1] count as its ends.
        tolerance: How near to 0 or 1 counts.
        channels: "together": a pixel is lost in all channels, all of one extreme; "each": in one channel by
            itself; "auto": together where at least half of the pixels with any extreme are such; "none": no
            sample is lost.

    Returns:
        (C, H, W), True where a sample is lost.
    """
    if channels == "none":
        return np.zeros(pixels.shape, np.bool_)
    ends = [pixels >= 1 - tolerance, pixels <= tolerance]
    whole = [np.asarray(end.all(axis=0)) for end in ends]
    anywhere = np.any([end.any(axis=0) for end in ends], axis=0)
    if channels == "auto":
        channels = (
            "together" if 2 * sum(map(np.count_nonzero, whole)) >= np.count_nonzero(anywhere) else "each"
        )
    if channels == "together":
        lost = without_areas(whole[0]) | without_areas(whole[1])
        return np.repeat(lost[None], len(pixels), axis=0)
    return np.stack([without_areas(salt) | without_areas(pepper) for salt, pepper in zip(*ends, strict=True)])


@dataclass(frozen=True)
class SwitchingMedian(Method):
    """Adaptive switching median for salt and pepper; impulses of other values are seen by `outliers` only.

    Each lost sample becomes the median of the good ones in the smallest window, 3x3 to `size`, that holds
    any; where none does, those replaced before count as good. By "thin-plate" it goes on with the slopes
    around it instead, 2 to 3.6 dB better on four photographs without other noise.
    """

    name = "switching-median"
    summary = "salt and pepper: finds lost pixels and changes no others"
    reference = (
        "Eng and Ma, Noise adaptive soft-switching median filter, TIP 2001; Toh and Isa, NAFSM, SPL 2010; "
        "areas of pure white or black are kept by a rule of our own; thin-plate: Damelin and Hoang, On "
        "surface completion and image inpainting by biharmonic functions, 2018"
    )

    size: int = parameter(
        7, unit="px", low=3, high=51, draw="3..15", help="side of the largest window, an odd number"
    )
    tolerance: float = parameter(
        0.0,
        unit="0-255 scale",
        low=0,
        high=50,
        draw="0..10",
        help="how near to black or white counts as an impulse",
    )
    channels: str = parameter(
        "auto",
        choices=("auto", "together", "each", "none"),
        draw="any",
        help="how channels are lost to black and white; none leaves these to `outliers`",
    )
    fill: str = parameter(
        "median", choices=FILLS, draw="any", help="what takes their place: a median, or a smooth surface"
    )

    outliers: float = parameter(
        0.0,
        unit="standard deviations",
        low=0,
        high=1000,
        draw="0..20",
        help="noise by which hot and dead pixels of any value stand out, such as 10; 0 looks for none",
    )

    def __post_init__(self) -> None:
        """Check the values; see the base class."""
        super().__post_init__()
        check_odd(self.size, "switching-median.size")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the image with its impulses replaced; see the base class."""
        lost = find_impulses(pixels, self.tolerance / 255, self.channels)
        if self.outliers:
            lost |= np.stack([find_outliers(plane, self.outliers) for plane in pixels])
        context.note({"impulses": round(float(lost.any(axis=0).mean()), 5)})
        filled = self._by_median if self.fill == "median" else _by_plate
        return np.stack([filled(plane, holes) for plane, holes in zip(pixels, lost, strict=True)])

    def _by_median(self, plane: NDArray[np.float32], lost: Mask) -> NDArray[np.float32]:
        from restorecli.restoration.methods.classical.windows import fill_from_median

        plane, left = fill_from_median(plane, lost, self.size // 2)
        while left.any() and not left.all():
            plane, left = fill_from_median(plane, left, self.size // 2)
        return plane


def _by_plate(plane: NDArray[np.float32], lost: Mask) -> NDArray[np.float32]:
    return plane if lost.all() else thin_plate(plane, lost).astype(np.float32)
