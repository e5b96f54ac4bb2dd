"""Images in a terminal: two pixels to a character cell, in as many colors as the terminal has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.cells import cell_len, set_cell_size

from restorecli.report.panels import printable

if TYPE_CHECKING:
    from restorecli.report.lineup import Row, Tile

Colors = Literal["24bit", "256", "ascii"]
"""What a terminal can show: any color, the 256 of xterm, or characters alone."""

Levels = NDArray[np.uint8]

GAP: Final = 2
"""Cells between two images."""

_HALF_BLOCK = "\u2580"
_RESET = "\x1b[0m"
_RAMP = " .:-=+*#%@"
_MIN_COLUMNS = 14
_CUBE = np.array([0, 95, 135, 175, 215, 255])
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def terminal_colors(environment: Mapping[str, str], encoding: str | None, *, terminal: bool) -> Colors:
    """Tell what stdout can show.

    Args:
        environment: NO_COLOR, TERM, COLORTERM and WT_SESSION count (https://no-color.org).
        encoding: What stdout is encoded in; half blocks need one that has them.
        terminal: Whether stdout is a terminal at all.
    """
    term = environment.get("TERM", "")
    if not terminal or environment.get("NO_COLOR") or term == "dumb" or not _has_blocks(encoding):
        return "ascii"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "WT_SESSION" in environment:
        return "24bit"
    return "24bit" if term.endswith("-direct") else "256"


def across(width: int, count: int) -> int:
    """Return how many of `count` images go beside one another in `width` cells; the others go below."""
    return max(1, min(count, (width + GAP) // (_MIN_COLUMNS + GAP)))


def image_box(width: int, height: int, beside: int) -> tuple[int, int]:
    """Return the pixels that each of `beside` images gets in a terminal of width x height cells.

    A cell is twice as high as wide and stands for two pixels, one above the other. Four lines are left for
    words.
    """
    return max(1, (width + GAP) // beside - GAP), 2 * max(4, height - 4)


def image_lines(file: Path, width: int, colors: Colors) -> list[str]:
    """Return an image as lines for a terminal.

    Args:
        file: The image.
        width: Cells that it may take; a small image takes fewer.
        colors: What the terminal can show.
    """
    with Image.open(file) as opened:
        image = opened.convert("RGB")
    columns = min(width, image.width)
    rows = max(round(image.height * columns / image.width / 2), 1)
    reduced = image.resize((columns, 2 * rows), Image.Resampling.LANCZOS)
    return half_blocks(np.asarray(reduced), colors)


def row_lines(row: Row, width: int, colors: Colors) -> list[str]:
    """Return a row of images as lines for a terminal.

    Args:
        row: Its images are fitted into an `image_box`.
        width: Cells of the terminal.
        colors: What it can show.

    Returns:
        The row's title, then for every line of images their labels and their cells.
    """
    lines = [_shortened(row.title, width)] if row.title else []
    beside = across(width, len(row.tiles))
    cells = max(1, (width + GAP) // beside - GAP)
    for start in range(0, len(row.tiles), beside):
        tiles = row.tiles[start : start + beside]
        lines.append((" " * GAP).join(_shortened(tile.label, cells) for tile in tiles).rstrip())
        blocks = [_block(tile, colors) for tile in tiles]
        for index in range(max(len(block) for block in blocks)):
            parts = [block[index] if index < len(block) else (0, "") for block in blocks]
            lines.append(_joined(parts, cells))
        if any(tile.caption for tile in tiles):
            lines.append((" " * GAP).join(_shortened(tile.caption, cells) for tile in tiles).rstrip())
        lines.append("")
    return lines


def half_blocks(levels: Levels, colors: Colors) -> list[str]:
    """Draw an image in characters.

    Args:
        levels: (H, W, 3) uint8.
        colors: "24bit" and "256" give upper half blocks, the upper pixel as their foreground and the lower
            one as their background; "ascii" gives one of ten characters, denser where it is brighter.

    Returns:
        ceil(H / 2) lines of W cells; the colors are reset at the end of each.
    """
    if colors == "ascii":
        return _ascii(levels)
    codes = _codes_24bit(levels) if colors == "24bit" else _codes_256(levels)
    if len(codes) % 2:
        codes.append([""] * levels.shape[1])
    return [_line(codes[row], codes[row + 1]) for row in range(0, len(codes), 2)]


def _line(upper: list[str], lower: list[str]) -> str:
    """Return one line of cells; a color is named only where it changes; "" leaves the ground as it is."""
    parts: list[str] = []
    before = ("", "")
    for above, below in zip(upper, lower, strict=True):
        changes = [f"38;{above}"] if above != before[0] else []
        changes += [f"48;{below}"] if below != before[1] else []
        parts.append(f"\x1b[{';'.join(changes)}m{_HALF_BLOCK}" if changes else _HALF_BLOCK)
        before = above, below
    return "".join(parts) + _RESET


def _codes_24bit(levels: Levels) -> list[list[str]]:
    return [[f"2;{red};{green};{blue}" for red, green, blue in row] for row in levels.tolist()]


def _codes_256(levels: Levels) -> list[list[str]]:
    """Return the nearest of xterm's colors: its cube of 6 x 6 x 6, or its 24 grays."""
    wide = levels.astype(np.int64)
    steps = np.abs(wide[..., None] - _CUBE).argmin(axis=-1)
    gray = np.clip((wide.mean(axis=-1) - 8) / 10 + 0.5, 0, 23).astype(np.int64)
    cube_error = np.square(_CUBE[steps] - wide).sum(axis=-1)
    gray_error = np.square(8 + 10 * gray[..., None] - wide).sum(axis=-1)
    cube = 16 + steps @ np.array([36, 6, 1])
    chosen = np.where(gray_error < cube_error, 232 + gray, cube)
    return [[f"5;{code}" for code in row] for row in chosen.tolist()]


def _ascii(levels: Levels) -> list[str]:
    bright = levels @ np.array(_LUMA)
    pairs = [bright[row : row + 2].mean(axis=0) for row in range(0, len(bright), 2)]
    return ["".join(_RAMP[int(place)] for place in row * (len(_RAMP) / 256)) for row in pairs]


def _block(tile: Tile, colors: Colors) -> list[tuple[int, str]]:
    """Return the lines of a tile, each with the cells that it takes."""
    if tile.image is None:
        text = f"({tile.reason})"
        return [(len(text), text)]
    width = tile.image.width
    return [(width, line) for line in half_blocks(np.asarray(tile.image.convert("RGB")), colors)]


def _joined(parts: list[tuple[int, str]], cells: int) -> str:
    return (" " * GAP).join(line + " " * (cells - taken) for taken, line in parts).rstrip(" ")


def _shortened(text: str, cells: int) -> str:
    """Return a label in exactly `cells` cells; wide characters take two, control ones are spelled out."""
    shown = printable(text)
    while cell_len(shown) > cells and len(shown) > 1:
        shown = f"~{shown[2:]}"
    return set_cell_size(shown, cells)


def _has_blocks(encoding: str | None) -> bool:
    try:
        _HALF_BLOCK.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
