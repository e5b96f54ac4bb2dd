"""Images of what a score cannot show: where two images differ, by how much, and at which frequencies."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.images.image import Pixels

GAIN: Final = 4.0
"""How many times a difference map enlarges a difference."""

FULL_ERROR: Final = 0.2
"""The absolute error (51 of 255) that an error map shows in its brightest color."""

FLOOR_DECADES: Final = 5
"""How many powers of ten below full contrast a log spectrum reaches down to black."""

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_MAGMA = (
    "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 "
    "d0416f e75263 f56b5c fc8961 fea772 fec488 fde2a3 fcfdbf"
)  # 17 points of van der Walt and Smith's map "magma" (CC0), whose lightness rises evenly
_POINTS = np.array([list(bytes.fromhex(color)) for color in _MAGMA.split()]) / 255
_COLORS = np.stack(
    [np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, len(_POINTS)), point) for point in _POINTS.T]
).astype(np.float32)  # (3, 256)


def difference_map(restored: Pixels, reference: Pixels, gain: float = GAIN) -> Pixels:
    """Show the signed difference: 0.5 + gain (restored - reference), clipped to [0, 1].

    Mid-gray is equal, brighter is too bright, darker too dark; a color is an error of color.

    Args:
        restored: (C, H, W) float32, C = 1 or 3, nominal range [0, 1].
        reference: The same height and width; a gray image beside a color one counts as three equal
            channels.
        gain: How many times the difference is enlarged; at 4, an eighth of the range fills the map.

    Returns:
        (C, H, W) float32 in [0, 1]; black where a value is not a number.

    Raises:
        DataError: The images differ in height or width.
    """
    difference = _difference(restored, reference)
    difference *= np.float32(gain)
    difference += np.float32(0.5)
    return np.clip(np.nan_to_num(difference, copy=False, nan=0.0), 0, 1)


def error_map(restored: Pixels, reference: Pixels) -> Pixels:
    """Show the absolute error, averaged over the channels, in colors of evenly rising lightness.

    Black is no error, pale yellow an error of 0.2 (51 of 255) or more; the scale is the same for every
    image, so that two maps can be compared.

    Args:
        restored: (C, H, W) float32, C = 1 or 3, nominal range [0, 1].
        reference: The same height and width.

    Returns:
        (3, H, W) float32 in [0, 1]; the brightest color where a value is not a number.

    Raises:
        DataError: The images differ in height or width.
    """
    error = np.abs(_difference(restored, reference)).mean(axis=0)
    return colored(np.nan_to_num(error / np.float32(FULL_ERROR), nan=1.0))


def colored(values: NDArray[np.float32]) -> Pixels:
    """Return values in [0, 1] as colors from black over purple to pale yellow (matplotlib's "magma").

    Args:
        values: (H, W); values outside are clipped.

    Returns:
        (3, H, W) float32 in [0, 1].
    """
    places = (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.asarray(_COLORS[:, places], np.float32)


def log_spectrum(pixels: Pixels) -> Pixels:
    """Show the frequencies of an image: log magnitude of the windowed Fourier transform of its luma.

    The mean is taken away, then a periodic Hann window w is laid over the image, and with
    A = |FFT(w luma)| / sum(w) the map shows 1 + log10(A) / 5, clipped to [0, 1]. White is a wave of full
    contrast, black is 100 dB below it: the scale is the same for every image. A cosine of amplitude a has
    two peaks of A = a / 2.

    Args:
        pixels: (C, H, W) float32, C = 1 or 3, nominal range [0, 1]; not-a-number counts as 0.

    Returns:
        (1, H, W) float32 in [0, 1]; the frequency 0 is at (H // 2, W // 2), the highest ones at the border.
    """
    plane = luma(pixels)
    window = np.outer(_hann(plane.shape[0]), _hann(plane.shape[1]))
    weighted = (plane - plane.mean()) * window
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(weighted))) / window.sum()
    with np.errstate(divide="ignore"):  # an amplitude of 0 is black
        shown = 1 + np.log10(amplitude) / FLOOR_DECADES
    return np.asarray(np.clip(shown, 0, 1)[None], np.float32)


def radial_spectrum(pixels: Pixels, bins: int = 32) -> NDArray[np.float64]:
    """Return how much of a signal lies at which frequency: its power density in rings of equal width.

    The periodogram |FFT(w luma)|^2 / sum(w^2) with a periodic Hann window w, averaged over rings of
    frequency. White noise of standard deviation s gives s^2 in every ring, whatever the size of the image.

    Args:
        pixels: (C, H, W) float32, e.g. restored - reference; not-a-number counts as 0.
        bins: How many rings from 0 to the highest frequency (0.5 cycles per pixel).

    Returns:
        (bins,) float64; not-a-number for rings that a small image has no frequency in.
    """
    plane = luma(pixels)
    height, width = plane.shape
    window = np.outer(_hann(height), _hann(width))
    power = np.abs(np.fft.rfft2(plane * window)) ** 2 / np.square(window).sum()
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    ring = np.minimum((radius * 2 * bins).astype(np.int64), bins).ravel()  # ring `bins`: the corners
    counts = np.bincount(ring, minlength=bins + 1)[:bins]
    sums = np.bincount(ring, power.ravel(), minlength=bins + 1)[:bins]
    return np.asarray(np.divide(sums, counts, out=np.full(bins, np.nan), where=counts > 0))


def luma(pixels: Pixels) -> NDArray[np.float64]:
    """Return the brightness: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), or a gray image as it is.

    Args:
        pixels: (C, H, W) float32, C = 1 or 3; not-a-number counts as 0.

    Returns:
        (H, W) float64.
    """
    finite = np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0).astype(np.float64)
    if finite.shape[0] == 1:
        return np.asarray(finite[0])
    return np.asarray(np.einsum("c,chw->hw", np.array(_LUMA), finite))


def _difference(restored: Pixels, reference: Pixels) -> Pixels:
    if restored.shape[1:] != reference.shape[1:]:
        raise DataError(
            "Two images of different size have no difference map.",
            expected=f"height and width of the reference: {reference.shape[1:]}",
            got=f"{restored.shape[1:]}",
        )
    with np.errstate(invalid="ignore"):  # infinity - infinity: not a number
        return np.subtract(restored, reference, dtype=np.float32)


def _hann(length: int) -> NDArray[np.float64]:
    """Return the periodic Hann window; for one sample 1, since there is nothing to fade out."""
    if length < 2:
        return np.ones(length)
    window: NDArray[np.float64] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    return window
