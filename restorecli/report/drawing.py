"""What contact sheets and strips share: one line of text, and a file that says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from PIL import Image, ImageDraw, ImageFont

from restorecli.folders.places import make_folder
from restorecli.images.atomic import atomic_write
from restorecli.images.drawn import drawing_mark
from restorecli.report.panels import printable

Color = tuple[int, int, int]

PAPER: Final[Color] = (250, 249, 247)
INK: Final[Color] = (34, 37, 42)
MUTED: Final[Color] = (96, 101, 109)

_CUT = "..."


def write_line(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    *,
    size: int,
    color: Color,
    room: int,
    keep: Literal["start", "end"],
) -> None:
    """Write one line of text.

    Args:
        draw: Draws into an RGB image.
        place: Left and top.
        text: Control and direction characters are spelled out.
        size: Of the font, in pixels.
        color: Of the text.
        room: Pixels that the line may take.
        keep: What stays where it does not fit: the start of a sentence, the end of a path.
    """
    font = ImageFont.load_default(size)
    shown = whole = printable(text)
    while shown and (taken := draw.textlength(shown, font=font)) > room:
        kept = min(int(len(shown) * room / taken), len(shown) - 1) - len(_CUT)
        part = whole[:kept] + _CUT if keep == "start" else _CUT + whole[-kept:]
        shown = part if kept > 0 else ""
    draw.text(place, shown, font=font, fill=color)


def save_drawing(image: Image.Image, path: Path, *, within: Path | None = None) -> None:
    """Write a drawing as a PNG that carries the mark of `images.drawn`.

    Args:
        image: RGB.
        path: The file; its folder is made when missing.
        within: The folder that no link may lead out of; by default that of the file.

    Raises:
        DataError: A link leads out of `within`, or the folder cannot be written to.
        ResourceError: The disk is full.
    """
    make_folder(path.parent, within or path.parent)
    with atomic_write(path) as temporary:
        image.save(temporary, format="PNG", compress_level=1, pnginfo=drawing_mark())
