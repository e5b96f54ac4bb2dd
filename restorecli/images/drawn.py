"""Sheets, strips and charts that this program drew carry a mark, so that they are never taken for data."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL.PngImagePlugin import PngInfo

MARK: Final = "restorecli-drawing"
"""Keyword of the PNG text that marks a drawing."""

MARK_TEXT: Final = "drawn by restorecli from images; not itself an image to process"
"""What stands behind the keyword."""

_HEAD = 512  # bytes; the text stands right behind the header


def drawing_mark() -> PngInfo:
    """Return what to give as `pnginfo` when a drawing is saved as a PNG."""
    info = PngInfo()
    info.add_text(MARK, MARK_TEXT)
    return info


def is_drawing(path: Path) -> bool:
    """Tell whether a file is a drawing of this program by its mark; only the first bytes of PNGs are read.

    Args:
        path: Any file; one that cannot be read is no drawing, nor is a pipe, on which reading would wait.
    """
    if path.suffix.lower() != ".png" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return head.startswith(b"\x89PNG") and f"tEXt{MARK}\0".encode("latin-1") in head
