"""Which values of a file are black and white: 0 and 255, 0 and 4095 in 16 bits, or -300 and 670."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from restorecli.counting import counted
from restorecli.errors import ImageError, UsageError

Samples = NDArray[Any]
Pixels = NDArray[np.float32]
How = Literal["type", "file", "measured", "given"]

_BLOCK = 1 << 20
"""Values that are computed in float64 at a time."""

_SAMPLED = 1 << 20
"""Values of an image that are looked at to tell outliers."""

_TAIL = 0.1
"""Per cent of values at each end that may be outliers."""

_COMMON_BITS = (8, 10, 12)
"""What cameras and microscopes put into 16 bits; 14 bits look like an ordinary dark image."""

_ALL_SET = frozenset(2**bits - 1 for bits in range(1, 17))

_WORDS = ("auto", "file", "type")


@dataclass(frozen=True, slots=True)
class ValueScale:
    """The values that stand for 0 and 1 in pixels; others lie outside and are legal.

    Attributes:
        black: The value of pixels that are 0.
        white: The value of pixels that are 1; larger than black.
        how: Where the two were taken from: the samples' type, the file's own tags, what was measured in its
            values, or what was given.
    """

    black: float
    white: float
    how: How = "given"

    @property
    def note(self) -> str:
        """What a reader should know."""
        source = {
            "type": "by their type",
            "file": "by the file's own tags",
            "measured": "as measured",
            "given": "as given",
        }[self.how]
        return f"values {self.black:g} to {self.white:g} taken as black to white, {source}"

    @property
    def bits(self) -> int | None:
        """How many bits hold it, if it goes from 0 to all of at most 16 bits set, or None."""
        return int(self.white).bit_length() if self.black == 0 and self.white in _ALL_SET else None

    def to_dict(self) -> dict[str, float | str]:
        """Return the scale as JSON values."""
        return {"black": self.black, "white": self.white, "how": self.how}

    def limits(self, dtype: np.dtype[Any]) -> tuple[float, float]:
        """Return the lowest and the highest value that may be written as an integer.

        What fills its container only in part, as 12 bits in 16, stays so; other values may leave the scale.
        """
        low, high = type_limits(dtype)
        if self.how != "given" and self.bits is not None and self.white < high:
            return 0.0, self.white
        return low, high


@dataclass(frozen=True, slots=True)
class FileLevels:
    """What a file's own metadata say about its values; nothing of it is checked against them.

    Attributes:
        stated: Black and white as tags or a number of significant bits state them, or None.
        shown: The range that a program shows by default, or None.
    """

    stated: tuple[float, float] | None = None
    shown: tuple[float, float] | None = None


UNKNOWN_LEVELS = FileLevels()
"""What a file says that says nothing."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What values an image holds.

    Attributes:
        low: The lowest.
        high: The highest.
        bulk: The same without the outermost 0.1 per cent at each end, where anything depends on it.
        whole: Whether all are whole numbers.
    """

    low: float
    high: float
    bulk: tuple[float, float]
    whole: bool


def check_range(wanted: str) -> None:
    """Check how a scale is to be chosen: "auto", "file", "type" or two values as "LOW..HIGH".

    Raises:
        UsageError: It is none of these.
    """
    if wanted not in _WORDS:
        _given(wanted)


def choose_scale(
    dtype: np.dtype[Any], levels: FileLevels, wanted: str, measure: Callable[[], Extent]
) -> ValueScale | None:
    """Return the scale of an image, or None for that of its samples' type.

    Args:
        dtype: Of the samples.
        levels: What the file says.
        wanted: "auto" (the type's range for 8 bits, for filled 16 bits and for floating point inside [0, 1];
            else what the file states, else what is measured), "file" (what the file states, else the type's),
            "type", or "LOW..HIGH".
        measure: Returns what values there are; called only where it matters.

    Raises:
        UsageError: `wanted` is none of these.
    """
    if wanted not in _WORDS:
        return _given(wanted)
    if wanted == "type":
        return None
    if wanted == "file":
        return _stated(levels.stated or levels.shown, dtype)
    if dtype == np.uint8:
        return None
    if dtype == np.uint16:
        return _stated(levels.stated, dtype) if levels.stated else _partly_filled(measure())
    return _stated(levels.stated, dtype) if levels.stated else _by_values(dtype, levels.shown, measure())


def extent_of(parts: Iterable[Samples]) -> Extent:
    """Return what values the parts of an image hold.

    Raises:
        ImageError: Some are not finite.
    """
    lows, highs, looked_at, whole = [], [], [], True  # of every part
    for part in parts:
        check_finite(part)
        lows.append(float(part.min()))
        highs.append(float(part.max()))
        if part.dtype.kind != "u":
            whole = whole and (part.dtype.kind == "i" or bool((part == np.rint(part)).all()))
            looked_at.append(part[:: max(1, part.size // _SAMPLED)].ravel())
    low, high = min(lows), max(highs)
    if low >= 0 and whole:
        return Extent(low, high, (low, high), whole)
    first, last = np.percentile(np.concatenate(looked_at).astype(np.float64), (_TAIL, 100 - _TAIL))
    return Extent(low, high, (float(first), float(last)), whole)


def reads_alike(samples: Samples, scale: ValueScale | None) -> bool:
    """Tell whether a file of these samples that says nothing is read by this scale."""
    found = choose_scale(samples.dtype, UNKNOWN_LEVELS, "auto", lambda: extent_of([samples]))
    usual = type_scale(samples.dtype)
    found, scale = found or usual, scale or usual
    return (found.black, found.white) == (scale.black, scale.white)


def check_finite(samples: Samples) -> None:
    """Refuse values that are not finite.

    Raises:
        ImageError: There are some.
    """
    if samples.dtype.kind == "f" and not np.isfinite(samples).all():
        raise ImageError(
            "The image holds values that are not finite.",
            got=f"{counted(int(np.count_nonzero(~np.isfinite(samples))), 'value')}, NaN or infinite",
            hint="replace them before processing; one of them would spread over its whole surroundings",
        )


def to_unit(values: Samples, scale: ValueScale) -> Pixels:
    """Return values of any type and shape as pixels: float32, black 0 and white 1."""
    pixels = np.empty(values.shape, np.float32)
    span = scale.white - scale.black
    for rows in _blocks(values):
        pixels[rows] = (values[rows].astype(np.float64) - scale.black) / span
    return pixels


def from_unit(pixels: Pixels, scale: ValueScale, dtype: np.dtype[Any]) -> Samples:
    """Return pixels as the values that they stand for, integers rounded half up; see `to_unit`."""
    values = np.empty(pixels.shape, dtype)
    low, high = scale.limits(dtype)
    span = scale.white - scale.black
    for rows in _blocks(pixels):
        exact = pixels[rows].astype(np.float64) * span + scale.black
        values[rows] = exact if dtype.kind == "f" else np.clip(np.floor(exact + 0.5), low, high)
    return values


def type_scale(dtype: np.dtype[Any]) -> ValueScale:
    """Return the scale of a sample type: 0 to 1 for floating point, the whole range of integers."""
    return ValueScale(0.0, 1.0, "type") if dtype.kind == "f" else ValueScale(*type_limits(dtype), "type")


def type_limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the lowest and the highest value of a sample type, as floats that it can hold."""
    if dtype.kind == "f":
        return -math.inf, math.inf
    limits = np.iinfo(dtype)
    high = float(limits.max)
    return float(limits.min), high if int(high) <= limits.max else math.nextafter(high, 0)


def bits_to_levels(bits: object, dtype: np.dtype[Any]) -> tuple[float, float] | None:
    """Return black and white of a number of significant bits, or None if it makes no sense."""
    if not isinstance(bits, int) or not 0 < bits <= 8 * dtype.itemsize or dtype.kind != "u":
        return None
    return 0.0, float(2**bits - 1)


def _given(wanted: str) -> ValueScale:
    low, separator, high = wanted.partition("..")
    try:
        black, white = float(low), float(high)
    except ValueError:
        black = white = math.nan
    if not separator or not black < white or not math.isfinite(white - black):
        raise UsageError(
            "Unknown range of values.",
            expected="auto, file, type, or two values as LOW..HIGH, such as 0..4095",
            got=repr(wanted),
        )
    return ValueScale(black, white, "given")


def _stated(levels: tuple[float, float] | None, dtype: np.dtype[Any]) -> ValueScale | None:
    if levels is None:
        return None
    scale = ValueScale(*levels, "file")
    whole = type_scale(dtype)
    return None if (scale.black, scale.white) == (whole.black, whole.white) else scale


def _partly_filled(extent: Extent) -> ValueScale | None:
    """Return the scale of fewer bits in a container of 16, or None for a filled one and for all black."""
    fitting = [bits for bits in _COMMON_BITS if extent.high <= 2**bits - 1]
    return ValueScale(0.0, float(2 ** fitting[0] - 1), "measured") if fitting and extent.high > 0 else None


def _by_values(dtype: np.dtype[Any], shown: tuple[float, float] | None, extent: Extent) -> ValueScale | None:
    """Return the scale of a type whose own range says nothing, by what a program shows or by its values."""
    if dtype.kind == "f" and extent.low >= 0 and extent.high <= 1:
        return None
    if shown is not None:
        return ValueScale(*shown, "file")
    if extent.low >= 0 and extent.whole:
        bits = next(n for n in (8, 10, 12, 14, 16, *range(17, 1025)) if extent.high <= 2.0**n - 1)
        return ValueScale(0.0, float(2**bits - 1), "measured")
    low, high = extent.bulk
    if not extent.high - extent.low > 2 * (high - low) > 0:  # no few values far out, or hardly any others
        low, high = extent.low, extent.high
    if low == high:  # one single value
        low, high = min(low, 0.0), max(high, 1.0)
    return ValueScale(low, high, "measured")


def _blocks(values: Samples) -> Iterable[slice]:
    per_row = max(1, values[:1].size)
    step = max(1, _BLOCK // per_row)
    return (slice(start, start + step) for start in range(0, len(values), step))
