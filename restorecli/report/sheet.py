"""The contact sheet: pictures beside one another as one PNG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from restorecli.errors import ResourceError, UsageError
from restorecli.folders.places import make_folder
from restorecli.images.atomic import atomic_write
from restorecli.report.lineup import Row, Tile
from restorecli.report.panels import printable

LARGEST = 250_000_000
"""Pixels of the largest sheet: 750 MB in memory."""

_PAPER = (250, 249, 247)
_MAT = (237, 235, 230)
_INK = (34, 37, 42)
_MUTED = (96, 101, 109)
_MARGIN = 28
_GAP = 12
_HEAD_SIZE = 17
_TEXT_SIZE = 13
_LINE = 22
_HEAD_GAP = 6
_CUT = "..."


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
        if area > LARGEST:
            raise ResourceError(
                "The contact sheet is too large.",
                expected=f"at most {LARGEST:,} pixels",
                came=f"more than that in {len(strips)} rows",
                hint="a smaller --limit or --size",
            )
    if not strips:
        raise UsageError("A contact sheet needs pictures.", expected="at least one row", came="none")
    head = _head(columns, tile, title, max(strip.width for strip in strips))
    parts = [*([head] if head is not None else []), *strips]
    width = max(part.width for part in parts) + 2 * _MARGIN
    sheet = Image.new("RGB", (width, sum(part.height for part in parts) + 2 * _MARGIN - _GAP), _PAPER)
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
        raise UsageError("A contact sheet is a PNG.", expected="a name that ends in .png", came=path.name)


def write_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a contact sheet as a PNG; its folder is made when missing.

    Raises:
        UsageError: The name ends in something else than .png.
        ResourceError: The disk is full.
    """
    check_name(path)
    make_folder(path.parent, path.parent)
    with atomic_write(path) as temporary:
        sheet.save(temporary, format="PNG")


def _head(columns: Sequence[str], tile: int, title: str, width: int) -> Image.Image | None:
    """Return the title and the headings of the columns, or None where there is neither."""
    if not title and not columns:
        return None
    height = (_LINE + _GAP if title else 0) + (_LINE + _HEAD_GAP if columns else 0)
    head = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(head)
    if title:
        _write(draw, (0, 0), title, _HEAD_SIZE, _INK, width)
    for index, column in enumerate(columns):
        _write(draw, (index * (tile + _GAP), height - _LINE - _HEAD_GAP), column, _HEAD_SIZE, _MUTED, tile)
    return head


def _strip(row: Row, tile: int, *, named: bool) -> Image.Image:
    """Return one row: its title, its tiles, and in a grid the name below each of them."""
    high = max([shown.image.height for shown in row.tiles if shown.image is not None], default=tile // 2)
    top = _LINE if row.title else 0
    below = _LINE if named else 0
    width = len(row.tiles) * (tile + _GAP) - _GAP
    strip = Image.new("RGB", (width, top + high + below + _GAP), _PAPER)
    draw = ImageDraw.Draw(strip)
    if row.title:
        _write(draw, (0, 2), row.title, _TEXT_SIZE, _MUTED, width)
    for index, shown in enumerate(row.tiles):
        place = index * (tile + _GAP), top
        if named and shown.image is not None:
            place = place[0], top + high - shown.image.height  # down to its name
        _paste(strip, draw, shown, place, (tile, high))
        if named:
            _write(draw, (place[0], top + high + 3), shown.label, _TEXT_SIZE, _MUTED, tile)
    return strip


def _paste(
    strip: Image.Image, draw: ImageDraw.ImageDraw, shown: Tile, place: tuple[int, int], room: tuple[int, int]
) -> None:
    """Put a picture into its room, or a mat with the reason why there is none."""
    if shown.image is not None:
        strip.paste(shown.image, place)
        return
    draw.rectangle((*place, place[0] + room[0] - 1, place[1] + room[1] - 1), fill=_MAT)
    _write(draw, (place[0] + 10, place[1] + room[1] // 2 - 8), shown.reason, _TEXT_SIZE, _MUTED, room[0] - 20)


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    size: int,
    color: tuple[int, int, int],
    room: int,
) -> None:
    """Write one line; where it does not fit, its beginning gives way, since the ends of paths differ."""
    font = ImageFont.load_default(size)
    shown = whole = printable(text)
    while shown and (taken := draw.textlength(shown, font=font)) > room:
        kept = min(int(len(shown) * room / taken), len(shown) - 1) - len(_CUT)
        shown = f"{_CUT}{whole[-kept:]}" if kept > 0 else ""
    draw.text(place, shown, font=font, fill=color)
