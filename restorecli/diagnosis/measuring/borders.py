"""Borders of one color around a print: the scanner's lid, a mount, the white edge of the paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restorecli.diagnosis.measuring.cells import cell_means
from restorecli.diagnosis.measuring.view import Pixels

Mask = NDArray[np.bool_]
Doubles = NDArray[np.float64]

_SIDE = 512
"""Pixels of the longer side of the copy in which borders are looked for."""

_TOLERANCE = 14.0
"""Levels by which a border's pixels, 3 px means, differ from its color in any channel."""

_MIN_EVEN = 0.95
"""Share of one side of the image that has the border's color."""

_MIN_BORDERED, _MIN_WIDTH = 2, 0.015
"""Sides on which there is a border, and its width there over the image's longer side."""

_MIN_AREA = 0.2
"""Share of the image that the print takes."""

_MIN_STRAIGHT, _OFF_LINE = 0.85, 1.5
"""Share of a side's points that are on its line, and the pixels that they may be off it."""

_MAX_SLOPE, _MAX_SKEW = 0.36, 0.09
"""Tangents of the greatest angles by which a print is turned, and by which its corners are not right ones."""

_ROUNDS = 3
"""Borders that may be around one another: the lid, a mount, the edge of the paper."""

_BLOCK = 8
_MIN_SIDE = 32


@dataclass(frozen=True, slots=True)
class Print:
    """What lies inside a border, perhaps turned a little.

    Attributes:
        corners: (x, y) of the top left, top right, bottom right and bottom left corner, in pixels: 0 is the
            left, or upper, border of the first pixel.
    """

    corners: tuple[tuple[float, float], ...]

    def box(self, size: tuple[int, int]) -> tuple[slice, slice]:
        """Return the rows and columns that hold all of the print, from whole blocks of JPEG on."""
        points = np.array(self.corners)
        return _span(points[:, 1].min(), points[:, 1].max(), size[0]), _span(
            points[:, 0].min(), points[:, 0].max(), size[1]
        )

    def core(self, size: tuple[int, int]) -> tuple[slice, slice]:
        """Return the rows and columns, from whole blocks of JPEG on, that hold nothing but the print."""
        (left, top), (right, above), (east, bottom), (west, below) = self.corners
        margin = 1 + 2 * max(size) / _SIDE
        rows = slice(_up(max(top, above) + margin), int(min(bottom, below) - margin))
        return rows, slice(_up(max(left, west) + margin), int(min(right, east) - margin))

    def weights(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """Return 1 inside the print, 0 outside, (H, W), with a soft edge that lies inside.

        The edge is as wide as the corners are uncertain.
        """
        rows, columns = (np.arange(side, dtype=np.float32) + np.float32(0.5) for side in size)
        inside = np.full(size, np.inf, np.float32)
        for (x, y), (next_x, next_y) in zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True):
            along = np.array([next_x - x, next_y - y]) / np.hypot(next_x - x, next_y - y)
            # Where a print ends with the image it has no edge there.
            if not _is_outer((x, y), (next_x, next_y), size):
                away = along[0] * (rows[:, None] - y) - along[1] * (columns - x)
                np.minimum(inside, away.astype(np.float32), out=inside)
        unsure = max(size) / _SIDE
        return np.asarray(np.clip((inside - unsure) / (1 + unsure / 2), 0, 1), np.float32)


def find_print(image: Pixels) -> Print | None:
    """Return the print inside an image's border, or None where there is none.

    A border has one color, reaches at least two sides of the image, and what it leaves is a rectangle with
    straight sides; skies, backdrops and mounts of another shape leave none. Borders around one another are
    all taken away.

    Args:
        image: (C, H, W) float32 in [0, 1].
    """
    small = cell_means(image, -(-max(image.shape[1:]) // _SIDE)) * np.float32(255)
    found = None
    for _ in range(_ROUNDS):
        corners = _inside_border(small if found is None else _upright(small, found))
        if corners is None:
            break
        found = corners if found is None else _between(found, corners)
    if found is None:
        return None
    scale = np.array(image.shape[:0:-1]) / small.shape[:0:-1]
    inside = Print(tuple((float(x), float(y)) for x, y in found * scale))
    rows, columns = inside.core((image.shape[1], image.shape[2]))
    return inside if min(rows.stop - rows.start, columns.stop - columns.start) >= _MIN_SIDE else None


def _inside_border(small: Pixels) -> Doubles | None:
    """Return the corners, (4, 2) as in `Print`, of what is inside the border of an upright image."""
    color = _border_color(small)
    if color is None:
        return None
    smooth = ndimage.uniform_filter(small, (0, 3, 3), mode="nearest")
    alike = np.abs(smooth - color[:, None, None]).max(axis=0) <= _TOLERANCE
    around = np.zeros_like(alike)
    around[[0, -1]], around[:, [0, -1]] = alike[[0, -1]], alike[:, [0, -1]]
    # Means of pixels on both sides of an edge are like neither.
    around = ndimage.binary_dilation(ndimage.binary_propagation(around, mask=alike)) & _alike(small, color)
    pieces, count = ndimage.label(ndimage.binary_opening(~around, np.ones((3, 3), bool)))
    if not count:
        return None
    sizes = np.bincount(pieces.reshape(-1))[1:]
    inside = ndimage.binary_fill_holes(pieces == 1 + int(sizes.argmax()))
    if inside.sum() < _MIN_AREA * inside.size:
        return None
    return _corners(inside)


def _alike(small: Pixels, color: NDArray[np.float32]) -> Mask:
    alike: Mask = np.abs(small - color[:, None, None]).max(axis=0) <= 2 * _TOLERANCE
    return alike


def _border_color(small: Pixels) -> NDArray[np.float32] | None:
    """Return the color that one side of an image has all along, (C,), or None."""
    best, color = _MIN_EVEN, None
    for side in (small[:, 0], small[:, -1], small[:, :, 0], small[:, :, -1]):
        middle = np.median(side, axis=1)
        even = float(np.mean(np.abs(side - middle[:, None]).max(axis=0) <= _TOLERANCE))
        if even >= best:
            best, color = even, middle
    return color


def _corners(inside: Mask) -> Doubles | None:
    """Return the corners of a region that is a rectangle, perhaps turned a little, or None.

    Each side is a line x = a + b y, or y = a + b x, through the first pixels of rows, or of columns.
    """
    height, width = inside.shape
    sides = (
        _line(inside),
        _line(inside.T),
        _line(inside[:, ::-1], turned=True),
        _line(inside[::-1].T, turned=True),
    )
    if any(side is None for side in sides):
        return None
    left, top, right, bottom = (side for side in sides if side is not None)
    right, bottom = (width - right[0], right[1]), (height - bottom[0], bottom[1])
    slopes = (left[1], -top[1], right[1], -bottom[1])
    if max(map(abs, slopes)) > _MAX_SLOPE or max(slopes) - min(slopes) > _MAX_SKEW:
        return None
    corners = np.array(
        [_crossing(left, top), _crossing(right, top), _crossing(right, bottom), _crossing(left, bottom)]
    )
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    margins = (middles[0, 1], width - middles[1, 0], height - middles[2, 1], middles[3, 0])
    bordered = sum(margin >= _MIN_WIDTH * max(height, width) for margin in margins)
    return corners if bordered >= _MIN_BORDERED else None


def _line(inside: Mask, *, turned: bool = False) -> tuple[float, float] | None:
    """Return a and b of the line x = a + b y through the left ends of rows, or None where it is not straight.

    Args:
        inside: (H, W), the region.
        turned: Whether the image is mirrored, so that b changes its sign.
    """
    rows = np.flatnonzero(inside.any(axis=1))
    first = inside.argmax(axis=1)[rows].astype(np.float64)
    y = rows + 0.5
    # Near the ends of a turned rectangle the first pixels lie on other sides.
    kept = np.abs(y - y.mean()) <= 0.3 * np.ptp(y)
    slope = offset = 0.0
    for _ in range(4):
        if np.count_nonzero(kept) < _MIN_SIDE // 2:
            return None
        slope, offset = np.polyfit(y[kept], first[kept], 1)
        away = np.abs(first - offset - slope * y)
        kept = away <= max(_OFF_LINE, 1.5 * float(np.median(away)))
    reach = np.ptp(y) * max(1 - 2 * abs(slope) * inside.shape[1] / max(np.ptp(y), 1), 0.3) / 2
    middle = np.abs(y - y.mean()) <= reach
    if np.mean(away[middle] <= _OFF_LINE) < _MIN_STRAIGHT:
        return None
    return float(offset), float(-slope if turned else slope)


def _crossing(upright: tuple[float, float], level: tuple[float, float]) -> tuple[float, float]:
    """Return where x = a + b y and y = c + d x meet."""
    (a, b), (c, d) = upright, level
    x = (a + b * c) / (1 - b * d)
    return x, c + d * x


def _upright(small: Pixels, corners: Doubles) -> Pixels:
    """Return what is between corners as an upright image, a pixel less on every side."""
    width, height = _upright_size(corners)
    across, down = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = np.moveaxis(_between(corners, np.stack([across, down], axis=-1)), -1, 0)
    return np.stack(
        [ndimage.map_coordinates(plane, [y - 0.5, x - 0.5], order=1, mode="nearest") for plane in small]
    )


def _upright_size(corners: Doubles) -> tuple[int, int]:
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return max(int(min(sides[0], sides[2])) - 2, 1), max(int(min(sides[1], sides[3])) - 2, 1)


def _between(corners: Doubles, points: Doubles) -> Doubles:
    """Map points of the upright image, (..., 2), to between the corners: bilinear."""
    size = np.array(_upright_size(corners))
    u, v = np.moveaxis((points + 1) / (size + 2), -1, 0)[..., None]
    top_left, top_right, bottom_right, bottom_left = corners
    top, bottom = (1 - u) * top_left + u * top_right, (1 - u) * bottom_left + u * bottom_right
    result: Doubles = (1 - v) * top + v * bottom
    return result


def _is_outer(start: tuple[float, float], end: tuple[float, float], size: tuple[int, int]) -> bool:
    """Tell whether a side of a print is a side of the image."""
    near = 2 * max(size) / _SIDE
    height, width = size
    return any(
        max(abs(start[axis] - edge), abs(end[axis] - edge)) <= near
        for axis, edges in ((0, (0, width)), (1, (0, height)))
        for edge in edges
    )


def _span(low: float, high: float, side: int) -> slice:
    return slice(max(int(low), 0) // _BLOCK * _BLOCK, min(int(np.ceil(high)), side))


def _up(low: float) -> int:
    return max(int(np.ceil(low / _BLOCK)), 0) * _BLOCK
