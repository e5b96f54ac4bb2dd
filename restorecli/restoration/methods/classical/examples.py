"""Super-resolution by examples from the image itself: small details recur on other scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.operators import Convolution, reduction_spread
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context, sigma_of
from restorecli.restoration.methods.base import parameter
from restorecli.restoration.methods.classical.resampling import enlarge
from restorecli.restoration.methods.classical.superresolution import Enlarging, back_project

Doubles = NDArray[np.float64]

_LUMA = np.array([0.299, 0.587, 0.114])
_SIDE = 5


@dataclass(frozen=True)
class SelfSimilarity(Enlarging):
    """Details of the small image are put where its enlarged version looks like its own blurred version.

    The image y is blurred as enlarging blurs it (reduced and enlarged again); what it loses are its
    details. For every patch of the enlarged luma, the most similar patch of the blurred y near the same place
    is found, and the details of y there are added. Factors above 3 are done in steps. At the end
    back-projection makes the result agree with y.
    """

    name = "self-similarity"
    summary = "enlarging with details from the image's own patches"
    reference = "Freedman, Fattal, ACM TOG 2011; Glasner, Bagon, Irani, ICCV 2009"
    needs: ClassVar = frozenset({"operator?", "sigma?"})

    reach: int = parameter(
        3, unit="px", low=0, high=20, draw="1..8", help="how far from its place a patch is looked for"
    )
    strength: float = parameter(0.5, low=0, high=2, draw="0..1.5", help="share of the details that is added")
    iterations: int = parameter(10, low=0, high=1000, help="most back-projections")

    def restore(self, pixels: Pixels, context: Context) -> Pixels:
        """Return the enlarged image; see the base class."""
        operator = self.reduction(context)
        x = pixels.astype(np.float64)
        for factor in _steps(operator.factor):
            step = Convolution(reduction_spread(factor), factor)
            enlarged = enlarge(x, factor) + self.strength * borrowed_details(x, factor, self.reach)
            x = back_project(x, enlarged, step, iterations=self.iterations, level=0.0)
        level = sigma_of(pixels, context) / 255
        y = pixels.astype(np.float64)
        return back_project(y, x, operator, iterations=self.iterations, level=level).astype(np.float32)


def _steps(factor: int) -> tuple[int, ...]:
    """Return factors of at most 3, or prime, whose product is the factor."""
    for step in (2, 3, 5, 7):
        if factor > 3 and factor % step == 0:
            return step, *_steps(factor // step)
    return () if factor == 1 else (factor,)


def borrowed_details(y: Doubles, factor: int, reach: int) -> Doubles:
    """Return the details to add to `enlarge(y, factor)`: for every patch those of its most similar patch.

    Args:
        y: (C, h, w).
        factor: By how much it is enlarged.
        reach: Pixels of y around the same place that are searched.

    Returns:
        (C, factor h, factor w).
    """
    channels, height, width = y.shape
    soft = _softened(y, factor)
    margin = reach + _SIDE // 2
    pad = ((0, 0), (margin, margin), (margin, margin))
    details = np.pad(y - soft, pad, mode="symmetric")
    library = np.pad(_luma(soft), pad[1:], mode="symmetric")
    target = np.pad(_luma(enlarge(y, factor)), _SIDE // 2, mode="symmetric")
    rows = np.arange(0, height * factor, 2)
    columns = np.arange(0, width * factor, 2)
    found = _best_places(target, library, rows, columns, factor, reach)
    added = np.zeros((channels, height * factor + _SIDE - 1, width * factor + _SIDE - 1))
    counts = np.zeros(added.shape[1:])
    for down in range(_SIDE):
        for across in range(_SIDE):
            place = (rows[:, None] + down, columns[None, :] + across)
            added[:, place[0], place[1]] += details[:, found[0] + down, found[1] + across]
            counts[place] += 1
    half = _SIDE // 2
    inside = (slice(half, half + height * factor), slice(half, half + width * factor))
    result: Doubles = added[:, inside[0], inside[1]] / counts[inside]
    return result


def _best_places(
    target: Doubles,
    library: Doubles,
    rows: NDArray[np.int_],
    columns: NDArray[np.int_],
    factor: int,
    reach: int,
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return for every patch of the target the first row and column of its most similar patch."""
    view = np.lib.stride_tricks.sliding_window_view
    wanted = view(target, (_SIDE, _SIDE))[rows[:, None], columns[None, :]].astype(np.float32)
    stock = view(library.astype(np.float32), (_SIDE, _SIDE))
    home = (rows // factor)[:, None] + reach, (columns // factor)[None, :] + reach
    best = np.full(wanted.shape[:2], np.inf, np.float32)
    at = [np.zeros(best.shape, int), np.zeros(best.shape, int)]
    for down in range(-reach, reach + 1):
        for across in range(-reach, reach + 1):
            place = (home[0] + down, home[1] + across)
            distance = np.square(stock[place] - wanted).sum(axis=(2, 3))
            better = distance < best
            best[better] = distance[better]
            for axis in (0, 1):
                at[axis][better] = np.broadcast_to(place[axis], best.shape)[better]
    return at[0], at[1]


def _softened(y: Doubles, factor: int) -> Doubles:
    """Return y as enlarging blurs it: reduced and enlarged again."""
    height, width = y.shape[1:]
    pad = ((0, 0), (0, -height % factor), (0, -width % factor))
    whole = np.pad(y, pad, mode="symmetric")
    reduced: Doubles = Convolution(reduction_spread(factor), factor).forward(whole)
    soft = enlarge(reduced, factor)
    return soft[:, :height, :width]


def _luma(planes: Doubles) -> Doubles:
    return planes[0] if len(planes) == 1 else np.tensordot(_LUMA, planes, 1)
