"""The contact sheet: images beside one another as one PNG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from restorecli.errors import ResourceError, UsageError
from restorecli.report.drawing import INK, MUTED, PAPER, Color, save_drawing, write_line
from restorecli.report.lineup import Row, Tile

MAX_PIXELS = 250_000_000
"""Pixels of the largest sheet: 750 MB in memory."""

_MAT = (237, 235, 230)
_MARGIN = 28
_GAP = 12
_HEAD_SIZE = 17
_TEXT_SIZE = 13
_LINE = 22
_HEAD_GAP = 6


def contact_sheet(columns: Sequence[str], rows: Iterable[Row], *, tile: int, title: str = "") -> Image.Image:
    """Draw rows of tiles on a light ground.

    Args:
        columns: Headings, one for each tile of a row; empty in a grid, where each tile carries its own name.
        rows: Taken one after another; their tiles are fitted into `tile` pixels already.
        tile: Width of a column in pixels.
        title: A line above everything.

    Returns:
        An RGB image, as large as what it shows.

    Raises:
        UsageError: There is not one row.
        ResourceError: The sheet would have more than 250 million pixels.
    """
    strips: list[Image.Image] = []
    area = 0
    for row in rows:
        strips.append(_strip(row, tile, named=not columns))
        area += strips[-1].width * strips[-1].height
        if area > MAX_PIXELS:
            raise ResourceError(
                "The contact sheet is too large.",
                expected=f"at most {MAX_PIXELS:,} pixels",
                got=f"more than that in {len(strips)} rows",
                hint="a smaller --limit or --size",
            )
    if not strips:
        raise UsageError("A contact sheet needs images.", expected="at least one row", got="none")
    head = _head(columns, tile, title, max(strip.width for strip in strips))
    parts = [*([head] if head is not None else []), *strips]
    width = max(part.width for part in parts) + 2 * _MARGIN
    sheet = Image.new("RGB", (width, sum(part.height for part in parts) + 2 * _MARGIN - _GAP), PAPER)
    top = _MARGIN
    for part in parts:
        sheet.paste(part, (_MARGIN, top))
        top += part.height
    return sheet


def check_name(path: Path) -> None:
    """Refuse a name that promises another format.

    Raises:
        UsageError: The name ends in something else than .png.
    """
    if path.suffix.lower() != ".png":
        raise UsageError("A contact sheet is a PNG.", expected="a name that ends in .png", got=path.name)


def write_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a contact sheet as a PNG; its folder is made when missing.

    Raises:
        UsageError: The name ends in something else than .png.
        ResourceError: The disk is full.
    """
    check_name(path)
    save_drawing(sheet, path)


def _head(columns: Sequence[str], tile: int, title: str, width: int) -> Image.Image | None:
    """Return the title and the headings of the columns, or None where there is neither."""
    if not title and not columns:
        return None
    height = (_LINE + _GAP if title else 0) + (_LINE + _HEAD_GAP if columns else 0)
    head = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(head)
    if title:
        _line(draw, (0, 0), title, _HEAD_SIZE, INK, width)
    for index, column in enumerate(columns):
        _line(draw, (index * (tile + _GAP), height - _LINE - _HEAD_GAP), column, _HEAD_SIZE, MUTED, tile)
    return head


def _strip(row: Row, tile: int, *, named: bool) -> Image.Image:
    """Return one row: its title, its tiles, and below each its scores or, in a grid, its name."""
    high = max([shown.image.height for shown in row.tiles if shown.image is not None], default=tile // 2)
    top = _LINE if row.title else 0
    below = _LINE if named or any(shown.caption for shown in row.tiles) else 0
    width = len(row.tiles) * (tile + _GAP) - _GAP
    strip = Image.new("RGB", (width, top + high + below + _GAP), PAPER)
    draw = ImageDraw.Draw(strip)
    if row.title:
        _line(draw, (0, 2), row.title, _TEXT_SIZE, MUTED, width)
    for index, shown in enumerate(row.tiles):
        place = index * (tile + _GAP), top
        if named and shown.image is not None:
            place = place[0], top + high - shown.image.height  # down to its name
        _paste(strip, draw, shown, place, (tile, high))
        if named or shown.caption:
            words = shown.caption or shown.label
            _line(draw, (place[0], top + high + 3), words, _TEXT_SIZE, MUTED, tile)
    return strip


def _paste(
    strip: Image.Image, draw: ImageDraw.ImageDraw, shown: Tile, place: tuple[int, int], room: tuple[int, int]
) -> None:
    """Put an image into its room, or a mat with the reason why there is none."""
    if shown.image is not None:
        strip.paste(shown.image, place)
        return
    draw.rectangle((*place, place[0] + room[0] - 1, place[1] + room[1] - 1), fill=_MAT)
    _line(draw, (place[0] + 10, place[1] + room[1] // 2 - 8), shown.reason, _TEXT_SIZE, MUTED, room[0] - 20)


def _line(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, size: int, color: Color, room: int
) -> None:
    write_line(draw, place, text, size=size, color=color, room=room, keep="end")
