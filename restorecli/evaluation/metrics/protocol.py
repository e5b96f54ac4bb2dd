"""Protocols: what is compared, and how PSNR and SSIM are computed from it, by the field's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from restorecli.catalogs import Catalog
from restorecli.errors import DataError, UsageError
from restorecli.evaluation.metrics.color import luma_matlab, luma_matlab_rounded, luma_pyiqa
from restorecli.evaluation.metrics.edges import gmsd, gmsd_piq
from restorecli.evaluation.metrics.pixelwise import Levels, mae, mse, psnr_of_levels, psnr_with_floor, rmse
from restorecli.evaluation.metrics.psnr_ssim import PROTOCOL, check_finite, psnr, ssim, to_8_bits
from restorecli.evaluation.metrics.structure import (
    GAUSSIAN,
    PADDED,
    UNIFORM,
    ms_ssim,
    ms_ssim_torchmetrics,
    ms_ssim_yiq,
    ssim_shrunk,
    ssim_yiq,
)
from restorecli.images.image import Pixels

__all__ = ["NO_CROP", "PROTOCOLS", "Levels", "Protocol", "Scorer", "as_it_is", "find_protocol", "unrounded"]

Bytes = NDArray[np.uint8]

NO_CROP = "no border crop"
"""Stands in every line, and gives way to the crop where there is one."""

Scorer = Callable[[Levels, Levels], float]
"""(restored, reference), prepared by the protocol, to one number; a DataError says that it is undefined."""


@dataclass(frozen=True)
class Protocol:
    """One convention of the field.

    Attributes:
        name: On the command line.
        line: Color, crop, rounding, window, variance, padding and range; printed with every table.
        rounds: Whether images are rounded to 8 bits first; else they are only clipped to the range.
        color: From levels of 0-255 to the channels that are compared, on the same scale.
        scorers: The metrics that the convention defines itself, by name; at least "psnr" and "ssim".
        crop: Pixels taken away on each side before anything is computed.
    """

    name: str
    line: str
    rounds: bool
    color: Callable[[Levels], Levels]
    scorers: Mapping[str, Scorer]
    crop: int = 0

    def levels(self, pixels: Pixels | Bytes) -> Levels:
        """Return what the protocol compares of one image.

        Args:
            pixels: (C, H, W), C = 1 or 3, float in [0, 1] (values outside are clipped) or uint8.

        Returns:
            (1 or C, H - 2 crop, W - 2 crop) on the 0-255 scale, uint8 or float64.

        Raises:
            DataError: A value is not finite, or the crop leaves nothing.
        """
        height, width = pixels.shape[-2:]
        if min(height, width) <= 2 * self.crop:
            raise DataError(
                "The border crop leaves nothing of the image.",
                expected=f"both sides above {2 * self.crop} pixels",
                got=f"{width}x{height}",
            )
        levels = to_8_bits(pixels) if self.rounds else unrounded(pixels)
        return self.color(levels[:, self.crop : height - self.crop, self.crop : width - self.crop])


def unrounded(pixels: Pixels | Bytes) -> NDArray[np.float64]:
    """Clip to [0, 1] and scale to 0-255 without rounding, (C, H, W) float64.

    Raises:
        DataError: A value is not finite.
    """
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float64)
    check_finite(pixels)
    return np.clip(pixels.astype(np.float64), 0, 1) * 255


def as_it_is(levels: Levels) -> Levels:
    """Compare the image in its own colors."""
    return levels


_ERRORS: Mapping[str, Scorer] = {"mae": mae, "mse": mse, "rmse": rmse}
_WANG = "SSIM 11x11 Gaussian sigma 1.5 (Wang et al. 2004), weighted variance, valid area"
_AVERAGED = "per image then averaged"


def _scorers(**own: Callable[..., float]) -> Mapping[str, Scorer]:
    return MappingProxyType({**{name.replace("_", "-"): scorer for name, scorer in own.items()}, **_ERRORS})


_EXACT = _scorers(psnr=psnr, ssim=ssim)
_FLOATING = _scorers(psnr=psnr_of_levels, ssim=GAUSSIAN.score)

_ENTRIES = (
    Protocol("rgb", PROTOCOL, True, as_it_is, _EXACT),
    Protocol(
        "unrounded",
        f"RGB, no border crop, no rounding, for images of more than 8 bits, {_WANG}, range 255, {_AVERAGED}",
        False,
        as_it_is,
        _FLOATING,
    ),
    Protocol(
        "y-matlab",
        "Y of MATLAB's rgb2ycbcr (16-235) rounded to 8 bits, no border crop, 8-bit rounding of RGB before, "
        f"{_WANG}, range 255, {_AVERAGED}",
        True,
        luma_matlab_rounded,
        _EXACT,
    ),
    Protocol(
        "y-yiq",
        "Y of YIQ (0-255) as pyiqa, no border crop, no rounding for PSNR and 1e-8 added to its MSE (at most "
        f"80 dB), Y rounded for SSIM, {_WANG}, contrast-structure cut off at 0, range 255, {_AVERAGED}",
        False,
        luma_pyiqa,
        _scorers(psnr=psnr_with_floor, ssim=ssim_yiq, ms_ssim=ms_ssim_yiq, gmsd=gmsd),
    ),
    Protocol(
        "basicsr",
        f"RGB as BasicSR, no border crop, 8-bit rounding, {_WANG}, range 255, {_AVERAGED}",
        True,
        as_it_is,
        _EXACT,
    ),
    Protocol(
        "basicsr-y",
        "Y of MATLAB's rgb2ycbcr (16-235) not rounded, as BasicSR's test_y_channel, no border crop, 8-bit "
        f"rounding of RGB before, {_WANG}, range 255, {_AVERAGED}",
        True,
        luma_matlab,
        _FLOATING,
    ),
    Protocol(
        "skimage-default",
        "RGB as scikit-image's defaults, no border crop, 8-bit rounding, SSIM 7x7 uniform window, variance "
        f"of a sample (N - 1), valid area, range 255, {_AVERAGED}",
        True,
        as_it_is,
        _scorers(psnr=psnr, ssim=UNIFORM.score),
    ),
    Protocol(
        "scikit-matlab",
        "RGB as scikit-image with gaussian_weights, sigma 1.5 and use_sample_covariance off, no border crop, "
        f"8-bit rounding, {_WANG}, range 255, {_AVERAGED}",
        True,
        as_it_is,
        _EXACT,
    ),
    Protocol(
        "kair",
        f"RGB as KAIR, no border crop, 8-bit rounding, {_WANG}, range 255, {_AVERAGED}",
        True,
        as_it_is,
        _EXACT,
    ),
    Protocol(
        "kair-y",
        "Y of KAIR's rgb2ycbcr (16-235) rounded to 8 bits, no border crop, 8-bit rounding of RGB before, "
        f"{_WANG}, range 255, {_AVERAGED}",
        True,
        luma_matlab_rounded,
        _EXACT,
    ),
    Protocol(
        "torchmetrics",
        "RGB as torchmetrics with data_range=1, no border crop, no rounding, SSIM 11x11 Gaussian sigma 1.5, "
        f"weighted variance cut off at 0, whole area mirrored by 5 pixels, range 1, {_AVERAGED}",
        False,
        as_it_is,
        _scorers(psnr=psnr_of_levels, ssim=PADDED.score, ms_ssim=ms_ssim_torchmetrics),
    ),
    Protocol(
        "piq",
        "RGB as piq, no border crop, no rounding, 1e-8 added to the MSE (at most 80 dB), images averaged "
        f"over f x f pixels before SSIM (f = shorter side / 256 rounded), {_WANG}, range 1, {_AVERAGED}",
        False,
        as_it_is,
        _scorers(psnr=psnr_with_floor, ssim=ssim_shrunk, ms_ssim=ms_ssim, gmsd=gmsd_piq),
    ),
)

PROTOCOLS: Catalog[Protocol] = Catalog("protocol", _ENTRIES)
"""Every protocol by name."""


def find_protocol(name: str) -> Protocol:
    """Return a protocol by its name, with ":N" behind it for a border crop of N pixels.

    Raises:
        UsageError: There is no such protocol, or N is no whole number.
    """
    base, colon, crop = name.partition(":")
    known = PROTOCOLS.find(base)
    if not colon:
        return known
    if not (crop.isascii() and crop.isdigit()):
        raise UsageError(
            "The border crop of a protocol is a whole number of pixels.",
            expected=f"{base}:4, for example",
            got=repr(name),
        )
    pixels = int(crop)
    if pixels == 0:
        return known
    line = known.line.replace(NO_CROP, f"border crop of {pixels} pixels")
    return replace(known, name=f"{base}:{pixels}", line=line, crop=pixels)
