"""Images whose values were measured: microscopy and other science, where brightness is the result."""

from __future__ import annotations

from restorecli.images.image import ImageData

_PROGRAMS = (b"ImageJ=", b"<OME ", b"<OME>")
"""What the descriptions of programs for measured images hold; in EXIF they stand as bytes."""

NOTE = (
    "gray of more than 8 bits, or of ImageJ or OME, is taken for measured data: noise and JPEG are treated, "
    "brightness and blur only by --model"
)
"""What a reader should know where something else was left."""


def is_measured(image: ImageData) -> bool:
    """Tell whether an image is data rather than a photograph to look at.

    That is gray of more than 8 bits (16 bits, 32 bits, floating point), and what ImageJ or an OME program
    wrote. A scan of a photograph in 16-bit gray counts, too: better an old print that stays faded than an
    intensity that nobody measured.
    """
    deep = image.channels == 1 and image.traits.depth > 8
    return deep or any(word in (image.traits.exif or b"") for word in _PROGRAMS)
