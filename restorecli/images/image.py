"""What an image is inside the program: pixels, and beside them what the file was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restorecli.images.scale import ValueScale, type_scale

Pixels = NDArray[np.float32]
"""A (C, H, W) float32 array, C = 1 (gray) or 3 (RGB), nominal range [0, 1]."""


def to_levels(values: NDArray[np.floating], depth: int) -> NDArray[Any]:
    """Return what a file of 8 or 16 bits holds of values: clipped to [0, 1], scaled, rounded half up.

    Args:
        values: Of any shape.
        depth: 8 for uint8, 16 for uint16.
    """
    scaled: NDArray[np.floating] = np.clip(values, 0, 1)
    scaled *= (1 << depth) - 1
    scaled += 0.5
    return scaled.astype(np.uint8 if depth == 8 else np.uint16, order="C")


@dataclass(frozen=True, slots=True)
class FileTraits:
    """What a file was beside its colors; given back on writing.

    Attributes:
        format: Pillow's name of the format: PNG, JPEG, TIFF, WEBP, BMP or PPM.
        depth: Bits per sample: 8 or 16 (unsigned integers) or 32 (floating point), unless `kind` says more.
        alpha: (H, W) array in the file's own sample type, or None.
        icc: The ICC profile's bytes, or None.
        exif: The EXIF block with the orientation reset to 1, since pixels are upright, or None.
        xmp: The XMP packet with the orientation reset to 1, or None.
        dpi: Pixels per inch across and down, or None.
        chunks: Text and color space as PNG chunks, (kind, payload) each; a JPEG's comment is among them.
        notes: What a reader should know, e.g. "palette expanded to RGB".
        kind: NumPy's kind of the samples, "u", "i" or "f"; None for the usual one of the depth.
        scale: The values of the file that pixels of 0 and 1 stand for; None for those of the sample type.
    """

    format: str = "PNG"
    depth: int = 8
    alpha: NDArray[np.generic] | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    notes: tuple[str, ...] = ()
    kind: str | None = None
    scale: ValueScale | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the file's samples."""
        kind = self.kind or ("f" if self.depth == 32 else "u")
        return np.dtype(f"{kind}{self.depth // 8}")

    @property
    def plain(self) -> bool:
        """Whether pixels are exact steps of unsigned integers of 8 or 16 bits over their whole range."""
        return self.scale is None and self.dtype in (np.dtype(np.uint8), np.dtype(np.uint16))

    @property
    def values(self) -> FileTraits:
        """Only what says how values are read, for images that are to be compared with this one."""
        return FileTraits(depth=self.depth, kind=self.kind, scale=self.scale)

    @property
    def value_scale(self) -> ValueScale:
        """The scale, that of the sample type spelled out, too."""
        return self.scale or type_scale(self.dtype)


@dataclass(frozen=True, slots=True)
class ImageData:
    """A decoded image: upright pixels in [0, 1] and the traits of its file."""

    pixels: Pixels
    traits: FileTraits = field(default_factory=FileTraits)

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return int(self.pixels.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[2])
