"""Metadata as decoders hand them over: of any type, size and value until they are checked here."""

from __future__ import annotations

from collections.abc import Sequence

_MAX_BLOCK = 64 << 20
_MAX_DPI = 1e6
_PLACE = {"icc": "ICC profile", "exif": "EXIF", "xmp": "XMP"}


class Untrusted:
    """The metadata of one file while they are checked; what is left out is told in its notes.

    A file whose metadata are nonsense is still an image: only what is wrong is dropped, never the pixels.

    Attributes:
        notes: What was left out, for a reader.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []

    def block(self, kind: str, value: object) -> bytes | None:
        """Return a block of bytes, or None where there is none or where it is something else.

        Args:
            kind: "icc", "exif" or "xmp".
            value: What the decoder found.
        """
        if value is None or value in (b"", ""):
            return None
        if isinstance(value, bytes | bytearray | memoryview) and len(value) <= _MAX_BLOCK:
            return bytes(value)
        what = "too large" if isinstance(value, bytes | bytearray | memoryview) else "no block of bytes"
        self.notes.append(f"the {_PLACE[kind]} is damaged ({what}): left out")
        return None


def resolution(across: object, down: object, factor: float = 1.0) -> tuple[float, float] | None:
    """Return a resolution in pixels per inch, or None for one that no device has.

    Args:
        across: Pixels per unit as a number or as a (numerator, denominator) pair.
        down: The same for the other direction.
        factor: Units per inch.
    """
    values = factor * _number(across), factor * _number(down)
    return values if all(0 < value < _MAX_DPI for value in values) else None


def orientation(value: object) -> int:
    """Return an orientation, 1 to 8; 1 (upright) for everything else."""
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1


def _number(value: object) -> float:
    """Return a number or fraction as float; NaN for everything else."""
    try:
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            numerator, denominator = value
            return float(numerator) / float(denominator)
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return float("nan")
