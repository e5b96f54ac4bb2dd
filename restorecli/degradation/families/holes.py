"""Holes: pixels that are gone, for inpainting; where they are is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from restorecli.degradation.base import Degradation, parameter
from restorecli.images.image import Pixels

Mask = NDArray[np.bool_]
Shape = tuple[int, int]

FILLS: Mapping[str, float | None] = {"white": 1.0, "black": 0.0, "mean": None}
"""What stands in a hole; None for the mean of what is left."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Holes(Degradation):
    """Holes of a known place, filled with one value; all channels lose the same pixels.

    box is one box in the middle, of the image's proportions. boxes, strokes and text go on until `share` is
    reached; the last one is cut where it would exceed it. bernoulli loses single pixels, exactly
    round(share H W) of them, like all kinds but box, whose sides are whole.
    """

    name = "holes"
    reference = (
        "middle box of a quarter: Pathak et al., Context Encoders, CVPR 2016; single pixels of 50 and 80 % "
        "and text: Ulyanov et al., Deep Image Prior, CVPR 2018; strokes of 4 to 12 points, 12 to 40 px wide "
        "in 256: Yu et al., Free-Form Image Inpainting, ICCV 2019; severities: bins of Liu et al., Partial "
        "Convolutions, ECCV 2018"
    )
    severities = ({"share": 0.1}, {"share": 0.2}, {"share": 0.3}, {"share": 0.4}, {"share": 0.6})
    identity: ClassVar = {"share": 0.0}
    masked = True

    kind: str = parameter(
        "strokes",
        choices=("box", "boxes", "bernoulli", "strokes", "text"),
        draw="any",
        help="shape of the holes",
    )
    share: float = parameter(
        0.25, unit="share of the image", low=0, high=1, draw="0.05..0.5", help="lost pixels"
    )
    size: float = parameter(
        0.1,
        unit="share of the shorter side",
        low=0.01,
        high=1,
        draw="0.05..0.15",
        help="width of strokes, height of letters, a third of the largest box",
    )
    fill: str = parameter("white", choices=FILLS, help="what stands in the holes")

    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the image with holes; see the base class."""
        lost = self.mask(image.shape[1:], rng)
        value = FILLS[self.fill]
        if value is None:
            left = image[:, ~lost]
            means = left.mean(axis=1, dtype=np.float64) if left.size else np.full(len(image), 0.5)
        else:
            means = np.full(len(image), value)
        return np.where(lost, means[:, None, None].astype(np.float32), image)

    def mask(self, shape: tuple[int, int], rng: np.random.Generator) -> Mask:
        """Return where the holes are; see the base class."""
        count = round(self.share * shape[0] * shape[1])
        if self.kind == "box":
            return middle_box(shape, self.share)
        if self.kind == "bernoulli":
            chosen = np.zeros(shape[0] * shape[1], bool)
            chosen[rng.permutation(len(chosen))[:count]] = True
            return chosen.reshape(shape)
        draw = {"boxes": _box, "strokes": _stroke, "text": _text}[self.kind]
        return _gather(shape, count, draw, self.size * min(shape), rng)


def middle_box(shape: Shape, share: float) -> Mask:
    """Return a box in the middle that covers `share` of an image, its sides rounded to whole pixels."""
    lost = np.zeros(shape, bool)
    rows, columns = (round(side * share**0.5) for side in shape)
    top, left = (shape[0] - rows) // 2, (shape[1] - columns) // 2
    lost[top : top + rows, left : left + columns] = True
    return lost


def _gather(
    shape: Shape,
    count: int,
    draw: Callable[[Shape, tuple[int, int], float, np.random.Generator], Mask],
    size: float,
    rng: np.random.Generator,
) -> Mask:
    """Add shapes, each at a pixel that is left, until exactly `count` pixels are lost."""
    lost = np.zeros(shape, bool)
    missing = count
    while missing > 0:
        left = np.flatnonzero(~lost)
        row, column = divmod(int(left[rng.integers(len(left))]), shape[1])
        found = draw(shape, (row, column), size, rng) & ~lost
        found[row, column] = True
        fresh = np.flatnonzero(found)[:missing]
        lost.reshape(-1)[fresh] = True
        missing -= len(fresh)
    return lost


def _box(shape: Shape, middle: tuple[int, int], size: float, rng: np.random.Generator) -> Mask:
    box = np.zeros(shape, bool)
    sides = np.maximum(rng.uniform(0.5, 3, 2) * size, 1)
    top, left = (max(round(place - side / 2), 0) for place, side in zip(middle, sides, strict=True))
    box[top : round(top + sides[0]), left : round(left + sides[1])] = True
    return box


def _stroke(shape: Shape, middle: tuple[int, int], size: float, rng: np.random.Generator) -> Mask:
    from restorecli.degradation.families.strokes import Stroke, cover

    turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.uniform(-1, 1, int(rng.integers(3, 12))))
    steps = rng.uniform(1, 3, len(turns)) * size
    path = np.cumsum(np.stack([np.sin(turns), np.cos(turns)], axis=1) * steps[:, None], axis=0)
    points = np.concatenate([[[0.0, 0.0]], path]) + np.array(middle) + 0.5
    radii = np.full((len(points), 1), max(size * rng.uniform(0.5, 1.5) / 2, 0.5))
    stroke = Stroke(np.concatenate([points, radii], axis=1), 1.0, np.ones(3, np.float32))
    return cover(shape, stroke, 0.1) >= 0.5


def _text(shape: Shape, middle: tuple[int, int], size: float, rng: np.random.Generator) -> Mask:
    words = " ".join(
        "".join(_LETTERS[letter] for letter in rng.integers(len(_LETTERS), size=length))
        for length in rng.integers(2, 9, 4)
    )
    page = Image.new("1", (shape[1], shape[0]))
    font = ImageFont.load_default(max(size, 4.0))
    ImageDraw.Draw(page).text((middle[1] - 2 * size, middle[0] - size / 2), words, fill=1, font=font)
    return np.asarray(page, bool).copy()
