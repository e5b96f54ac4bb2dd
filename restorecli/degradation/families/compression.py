"""Compression damage: JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from restorecli.degradation.base import Degradation, parameter
from restorecli.errors import ImageError
from restorecli.images.formats import FORMATS
from restorecli.images.image import Pixels

BLOCK = 16
"""Rows and columns that are encoded together where the chroma planes are smaller."""

_SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


@dataclass(frozen=True)
class Jpeg(Degradation):
    """Encode and decode as baseline JPEG with Pillow; the image is clipped and rounded to 8 bits for it.

    Gray images are encoded as gray JPEG. Color is encoded as YCbCr; `subsampling` says how much smaller
    the two chroma planes are. The default 4:2:0 is Pillow's own.
    """

    name = "jpeg"
    by_rows = True
    reference = (
        "severities: Hendrycks and Dietterich, ICLR 2019; 30..95: Wang et al., Real-ESRGAN, 2021; "
        "benchmarks use quality 10, 20, 30, 40"
    )
    also_depends_on = "the 16x16 block that it lies in, and its neighbors"
    severities = ({"quality": 25}, {"quality": 18}, {"quality": 15}, {"quality": 10}, {"quality": 7})

    quality: int = parameter(30, unit="libjpeg scale", low=1, high=100, draw="30..95", help="JPEG quality")
    subsampling: str = parameter("4:2:0", choices=_SUBSAMPLING, help="size of the chroma planes")

    @property
    def row_margin(self) -> int:
        """The rows of the block above or below."""
        return BLOCK

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the decoded JPEG; see the base class.

        Raises:
            ImageError: A side is longer than JPEG allows.
        """
        del rng
        if max(image.shape[1:]) > FORMATS["JPEG"].longest:
            raise ImageError(
                "The image is too large for JPEG.",
                expected=f"sides up to {FORMATS['JPEG'].longest} px",
                got=f"{image.shape[2]} x {image.shape[1]} px",
            )
        samples = np.floor(np.clip(image, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
        planes = samples[0] if len(samples) == 1 else np.ascontiguousarray(samples.transpose(1, 2, 0))
        buffer = io.BytesIO()
        chroma = -1 if len(samples) == 1 else _SUBSAMPLING[self.subsampling]
        Image.fromarray(planes).save(buffer, "JPEG", quality=self.quality, subsampling=chroma)
        buffer.seek(0)
        with Image.open(buffer, formats=["JPEG"]) as decoded:
            pixels = np.asarray(decoded, dtype=np.float32) / np.float32(255)
        return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
