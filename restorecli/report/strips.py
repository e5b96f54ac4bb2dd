"""Side-by-side strips: degraded, restored and reference beside one another, with labels and scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from PIL import Image, ImageDraw

from restorecli.errors import UsageError
from restorecli.evaluation.result import PairScore
from restorecli.folders.walking import mark_output
from restorecli.report.drawing import INK, MUTED, PAPER, Color, save_drawing, write_line
from restorecli.report.panels import Panel, panels_of, to_image

_GAP = 16
_LABEL_SIZE = 18
_CAPTION_SIZE = 14
_MIN_WIDTH = 240
_MAX_SIDE = 1024


def side_by_side(panels: Sequence[Panel], *, title: str = "") -> Image.Image:
    """Draw images beside one another on a light ground, each with its label above and its scores below.

    All get the size of the last one, which is the reference: a down-scaled degraded image is enlarged
    without smoothing. Images narrower than 240 pixels are enlarged by a whole factor without smoothing, and
    images with a side above 1024 pixels are shrunk to it.

    Args:
        panels: One or more images, the reference last.
        title: A line above them, e.g. the file's name.

    Returns:
        An RGB image.

    Raises:
        UsageError: There are no panels.
    """
    if not panels:
        raise UsageError("A strip needs images.", expected="at least one panel", got="none")
    images = [to_image(panel.pixels) for panel in panels]
    width, height = _shown_size(images[-1].size)
    images = [_resized(image, (width, height)) for image in images]
    top = _GAP + (_LABEL_SIZE + 14 if title else 0) + _LABEL_SIZE + 8
    canvas = Image.new(
        "RGB",
        (_GAP + len(images) * (width + _GAP), top + height + 8 + _CAPTION_SIZE + _GAP),
        PAPER,
    )
    draw = ImageDraw.Draw(canvas)
    if title:
        _line(draw, (_GAP, _GAP), title, _LABEL_SIZE, INK, canvas.width - 2 * _GAP)
    for index, (panel, image) in enumerate(zip(panels, images, strict=True)):
        left = _GAP + index * (width + _GAP)
        _line(draw, (left, top - _LABEL_SIZE - 8), panel.label, _LABEL_SIZE, MUTED, width)
        canvas.paste(image, (left, top))
        _line(draw, (left, top + height + 8), panel.caption, _CAPTION_SIZE, INK, width)
    return canvas


def write_strip(score: PairScore, path: Path, *, within: Path | None = None) -> None:
    """Write the strip of one scored pair as a PNG.

    Args:
        score: The pair and its scores.
        path: The PNG file; its folder is made when missing.
        within: The folder that no link may lead out of; by default that of the file.

    Raises:
        DataError: A link leads out of `within`, or the folder cannot be written to.
        ImageError: An image cannot be read any more.
        ResourceError: The disk is full.
    """
    strip = side_by_side(panels_of(score), title=score.pair.path)
    save_drawing(strip, path, within=within)


def write_strips(
    scores: Sequence[PairScore], folder: Path, *, within: Path | None = None
) -> tuple[Path, ...]:
    """Write the strips of several pairs into one folder, in the tree of their relative paths.

    Args:
        scores: The pairs, e.g. `evaluation.images` or what `report.choice.choose` picked.
        folder: Where to; made when missing. A new folder is marked, so that nothing is trained on the strips.
        within: The folder that no link may lead out of; by default `folder`.

    Returns:
        The PNG files, one for each pair, in the same order.

    Raises:
        DataError: A link leads out of `within`, or the folder cannot be written to.
    """
    within = within or folder
    mark_output(folder, within)
    taken: set[PurePosixPath] = set()
    paths = []
    for score in scores:
        name = PurePosixPath(score.pair.path)
        target = name.with_suffix(".png")
        if target in taken:
            target = name.with_name(f"{name.name}.png")
        taken.add(target)
        paths.append(folder / target)
        write_strip(score, paths[-1], within=within)
    return tuple(paths)


def _shown_size(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    longest = max(size)
    if longest > _MAX_SIDE:
        return _whole(width * _MAX_SIDE / longest, height * _MAX_SIDE / longest)
    factor = min(max(1, math.ceil(_MIN_WIDTH / width)), max(1, _MAX_SIDE // longest))
    return width * factor, height * factor


def _whole(width: float, height: float) -> tuple[int, int]:
    return max(1, round(width)), max(1, round(height))


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    smaller = size[0] < image.size[0]
    return image.resize(size, Image.Resampling.LANCZOS if smaller else Image.Resampling.NEAREST)


def _line(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, size: int, color: Color, room: int
) -> None:
    write_line(draw, place, text, size=size, color=color, room=room, keep="start")
