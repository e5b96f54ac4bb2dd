"""What the first directory of a TIFF says, and which kinds of TIFF are refused for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import tifffile

from restorecli.errors import ImageError
from restorecli.images.decoded import DECODER_FAULTS, DamagedImageError, check_single
from restorecli.images.faults import read_fault
from restorecli.images.options import ReadOptions
from restorecli.images.untrusted import orientation

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it complains about is raised or noted

INVERTED, GRAY, RGB, YCBCR = 0, 1, 2, 6
"""Photometric interpretations."""

UNSPECIFIED, PREMULTIPLIED, INDEPENDENT = 0, 1, 2
"""Kinds of extra samples."""

JPEG = frozenset({6, 7, 33007, 34892})
"""Compressions of the JPEG family."""

COPIES_LEFT_OUT = "smaller copies (pyramid, thumbnails) are not written"
"""The note on a file that holds its image in several sizes, of which the full one is taken."""

_ORIENTATION = 274
_PAGES_LOOKED_AT = 64


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """What the first directory of a TIFF says.

    Attributes:
        height: Rows, as stored.
        width: Columns, as stored.
        samples: Samples per pixel.
        bits: Bits per sample.
        photometric: The tag's number: 0 white is zero, 1 black is zero, 2 RGB, and others.
        kind: NumPy's kind of the samples, "u", "i", "f" or "c".
        pages: Images in the file; thumbnails and masks do not count, nor do pages beyond the 64th.
        orientation: 1 to 8.
        alpha: The kind of the extra sample: 0 unspecified, 1 premultiplied, 2 independent; None without.
        jpeg: Whether it is compressed as JPEG, whose decoder gives RGB for YCbCr.
        copies: Whether smaller copies of the image are in the file, as in pyramids.
    """

    height: int
    width: int
    samples: int
    bits: int
    photometric: int
    kind: str
    pages: int
    orientation: int
    alpha: int | None
    jpeg: bool = False
    copies: bool = False

    @property
    def plain(self) -> bool:
        """Whether Pillow decodes it without loss: at most 8 bits, unsigned, no alpha of an unusual kind."""
        return not self.deep and self.kind == "u" and self.alpha in (None, INDEPENDENT)

    @property
    def deep(self) -> bool:
        """Whether the samples have more than 8 bits."""
        return self.bits > 8

    @property
    def depth(self) -> int:
        """8, 16 or 32, as the image is handed on."""
        if self.kind == "f" or self.bits > 16:
            return 32
        return 16 if self.deep else 8


def open_tiff(path: Path) -> tifffile.TiffFile:
    """Open a TIFF that is read piece by piece.

    Raises:
        ImageError: It cannot be read, or is no readable TIFF.
    """
    try:
        return tifffile.TiffFile(path)
    except OSError as fault:
        raise read_fault(fault, path) from fault
    except DECODER_FAULTS as fault:
        raise damaged(fault) from fault


@contextmanager
def closed_where_damaged(file: tifffile.TiffFile) -> Iterator[None]:
    """Close a file again where reading its directories in the block fails.

    Raises:
        ImageError: The file is damaged, or of a kind that is not processed.
    """
    try:
        yield
    except ImageError:
        file.close()
        raise
    except DECODER_FAULTS as fault:
        file.close()
        raise damaged(fault) from fault


def read_header(stream: IO[bytes]) -> TiffHeader:
    """Return what the first directory says; nothing is decoded.

    Raises:
        DamagedImageError: The file is no readable TIFF.
    """
    try:
        with tifffile.TiffFile(stream) as file:
            return parse_header(file)
    except DECODER_FAULTS as fault:
        raise damaged(fault) from fault


def check_kind(header: TiffHeader) -> None:
    """Refuse what would lose something: channels beyond color and alpha, complex samples.

    Raises:
        ImageError: The TIFF is of such a kind.
    """
    if header.kind not in "uif":
        raise ImageError("Complex samples are not processed.", got=f"{header.bits} bits")
    if header.kind == "i" and (header.photometric == INVERTED or header.alpha is not None):
        raise ImageError("Signed samples are processed without alpha, and with black below white.")
    if header.photometric not in (INVERTED, GRAY, RGB):
        if not header.deep:
            return
        raise ImageError(
            "TIFF images above 8 bits are processed in gray or RGB only.",
            got=f"photometric interpretation {header.photometric}",
            hint="convert it to 16-bit RGB first",
        )
    colors = 3 if header.photometric == RGB else 1
    if header.samples - (header.alpha is not None) != colors:
        raise ImageError(
            "The TIFF has an unusual number of channels.",
            expected=f"{colors}, or {colors + 1} with alpha",
            got=str(header.samples),
            hint="--frames all takes every channel as an image of its own",
        )


def check_pages(header: TiffHeader, options: ReadOptions) -> tuple[str, ...]:
    """Return the notes on what else is in the file: further images, and smaller copies of this one.

    Raises:
        ImageError: There are several images, and none was asked for.
    """
    notes = check_single(header.pages, options)
    return (*notes, COPIES_LEFT_OUT) if header.copies else notes


def damaged(fault: Exception) -> DamagedImageError:
    """Return the error for whatever tifffile stumbled over."""
    return DamagedImageError("The TIFF is damaged or cut short.", got=str(fault) or type(fault).__name__)


def parse_header(file: tifffile.TiffFile) -> TiffHeader:
    """Return what the first directory of an open file says."""
    pages: Any = file.pages
    page = pages[0]
    # Thumbnails (bit 0 of NewSubfileType) and masks (bit 2) belong to the first page.
    types = [int(other.subfiletype) for other in islice(pages, 1, _PAGES_LOOKED_AT)]
    bits = page.bitspersample
    extra = [int(kind) for kind in page.extrasamples]
    colors = 3 if int(page.photometric) == RGB else 1
    return TiffHeader(
        height=int(page.imagelength),
        width=int(page.imagewidth),
        samples=int(page.samplesperpixel),
        bits=int(bits if isinstance(bits, int) else max(bits)),
        photometric=int(page.photometric),
        kind="u" if page.dtype is None or page.dtype.kind == "b" else page.dtype.kind,
        pages=1 + sum(not kind & 5 for kind in types),
        orientation=orientation(page.tags.valueof(_ORIENTATION)),
        jpeg=int(page.compression) in JPEG,
        copies=bool(page.subifds) or any(kind & 1 for kind in types),
        alpha=extra[0] if len(extra) == 1 and int(page.samplesperpixel) == colors + 1 else None,
    )
