"""Images in a terminal: two pixels in each character, the upper as its color, the lower as its ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

_UPPER_HALF = "\N{UPPER HALF BLOCK}"
_COLORS = ("truecolor", "256")
_MAX_COLUMNS = 110


def show_image(file: Path, console: Console) -> bool:
    """Print an image, as wide as the terminal or less; nothing where that shows no such colors.

    Args:
        file: The image.
        console: The terminal, or what stands for it.

    Returns:
        Whether it was printed.
    """
    if not console.is_terminal or console.color_system not in _COLORS or console.encoding != "utf-8":
        return False
    with Image.open(file) as opened:
        image = opened.convert("RGB")
    columns = min(console.width, _MAX_COLUMNS, image.width)
    rows = max(round(image.height * columns / image.width / 2), 1)
    reduced = image.resize((columns, 2 * rows), Image.Resampling.LANCZOS)
    console.print(half_blocks(np.asarray(reduced)), no_wrap=True)
    return True


def half_blocks(pixels: NDArray[np.uint8]) -> Text:
    """Return an image as characters.

    Args:
        pixels: (2 H, W, 3), RGB of 8 bits.

    Returns:
        H lines of W characters.
    """
    text = Text()
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for above, below in zip(upper, lower, strict=True):
            text.append(_UPPER_HALF, Style(color=_color(above), bgcolor=_color(below)))
        text.append("\n")
    text.rstrip()
    return text


def _color(pixel: NDArray[np.uint8]) -> Color:
    red, green, blue = (int(channel) for channel in pixel)
    return Color.from_rgb(red, green, blue)
