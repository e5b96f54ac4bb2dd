"""How much of a defect a method keeps: its contrast, its edges, and one score of both.

Restoration is bought for inspection, where an image is better only if what is wrong with the part can still
be seen. PSNR does not tell: a defect covers one pixel in a thousand. Here the defect is the pattern by which
the reference differs from its surroundings inside the mask, and what is measured is how much of this very
pattern the restored image holds. Noise and grain that do not resemble the pattern count neither for nor
against a method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from restorecli.counting import counted
from restorecli.errors import DataError
from restorecli.evaluation.metrics.metric import Mask, Subject
from restorecli.evaluation.metrics.pixelwise import Levels

if TYPE_CHECKING:
    from restorecli.evaluation.result import Evaluation, Group

SCALE = 1.5
"""Standard deviation in pixels of the Gaussian that both images pass first, so that grain is no defect."""

GAP = 3
"""Pixels around the mask that belong to its edges, and not yet to its surroundings."""

RING = 12
"""How far from the mask, in pixels, its surroundings end."""

MARGIN = 10.0
"""Points of the defect score that a method may lose against the degraded image without a warning."""

_VISIBLE = 1.0  # gray levels, root mean square
_SLOPE = 0.1  # gray levels per pixel, root mean square; rounding to 8 bits alone gives about 0.02

Doubles = NDArray[np.float64]
Rule = Callable[[Levels, Levels, Mask], float]


def contrast_kept(restored: Levels, reference: Levels, mask: Mask) -> float:
    """How much of the defect's contrast against its surroundings is kept, in percent.

    Both images pass a Gaussian of 1.5 px. Each part of the mask (parts up to 6 px apart are one) is seen
    against its ring, the pixels more than 3 and at most 12 px away from it that are near no other part. With
    s = reference inside the mask - its mean in the ring, and r the same of the restored image,

        contrast kept = 100 <r, s> / <s, s>,

    summed over pixels, channels and parts. This is the least-squares factor by which the restored image
    holds the defect's pattern. For a defect of one level it is the ratio of the two differences, mean inside
    - mean around, that Weber's contrast is made of; but it stays defined for defects that are bright and dark
    at once, where that difference is near zero.

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.
        mask: (H, W), True where the defect is.

    Returns:
        100 for an image with the reference's defect, 0 for one that holds nothing of it, 100 (1 - a) for a
        defect blended by a into an even surrounding; above 100 where it is exaggerated, below 0 where it is
        inverted.

    Raises:
        DataError: The mask is empty, has no surroundings, or marks what differs from them by less than one
            level.
    """
    window = _window_around(mask)
    first, second = (_smooth(levels[(..., *window)]) for levels in (restored, reference))
    shared, energy, count = 0.0, 0.0, 0
    for part, inside, ring in _parts(mask[window]):
        r, s = (_against(smooth[(..., *part)], inside, ring) for smooth in (first, second))
        shared, energy, count = shared + float((r * s).sum()), energy + float((s * s).sum()), count + s.size
    if energy < count * _VISIBLE**2 or count == 0:
        raise DataError(
            "There is no contrast to keep.",
            expected=f"a defect that differs from its surroundings by {_VISIBLE:g} gray level or more",
            got=f"{(energy / max(count, 1)) ** 0.5:.2f}",
        )
    return 100 * shared / energy


def edges_kept(restored: Levels, reference: Levels, mask: Mask) -> float:
    """How much of the defect's edges is kept, in percent.

    Both images pass a Gaussian of 1.5 px. With g the gradients (central differences) of the reference and h
    those of the restored image, in the mask and 3 px around it,

        edges kept = 100 <h, g> / <g, g>,

    the least-squares factor by which the restored image holds the reference's gradients, weighted by their
    energy. The energy of h alone would count noise as an edge; a gradient that is not the reference's has no
    part in the inner product.

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.
        mask: (H, W), True where the defect is.

    Returns:
        100 for an image with the reference's edges, 0 for none of them, 100 (1 - a) for a defect blended by
        a into an even surrounding; above 100 where they are exaggerated.

    Raises:
        DataError: The mask is empty, or the reference has no edge there.
    """
    window = _window_around(mask)
    near = _distance(mask[window]) <= GAP
    h, g = (_gradients(levels[(..., *window)])[..., near] for levels in (restored, reference))
    energy = float((g * g).sum())
    if energy < g.size * _SLOPE**2:
        raise DataError(
            "There is no edge to keep.",
            expected=f"a gradient of {_SLOPE:g} gray levels per pixel in the defect",
            got=f"{(energy / g.size) ** 0.5:.2g}",
        )
    return 100 * float((h * g).sum()) / energy


def defect_score(restored: Levels, reference: Levels, mask: Mask) -> float:
    """How well a defect is preserved, in [0, 100].

    The geometric mean of what `contrast_kept` and `edges_kept` come to when what is above 100 counts as much
    as what is below: each k becomes max(0, 100 - |100 - k|). A defect without contrast or without edges is
    judged by the other alone.

    Args:
        restored: (C, H, W) on the 0-255 scale.
        reference: The clean image in the same shape.
        mask: (H, W), True where the defect is.

    Returns:
        100: the defect is there as in the reference; 0: it is washed out, inverted, or twice as strong.

    Raises:
        DataError: The mask is empty, or the reference shows no defect there.
    """
    kept: list[float] = []
    for measure in (contrast_kept, edges_kept):
        try:
            kept.append(max(0.0, 100 - abs(100 - measure(restored, reference, mask))))
        except DataError as fault:
            undefined = fault
    if not kept:
        raise undefined
    return float(np.prod(kept) ** (1 / len(kept)))


def measured(rule: Rule) -> Callable[[Subject], float]:
    """Return the metric's function for one of the rules above, under the subject's protocol."""

    def measure(subject: Subject) -> float:
        return rule(*subject.compared(), subject.compared_mask())

    return measure


def warnings(evaluation: Evaluation) -> tuple[str, ...]:
    """Name the categories in which a method gains PSNR while it washes the defects out.

    The rule: over the category's images the mean gain of PSNR is above 0, and the mean defect score lies
    `MARGIN` points or more below that of the degraded images, each image compared with itself. The
    degraded image is the measure because noise hardly lowers the score, and because what blur took away
    before is no fault of the method.

    Args:
        evaluation: With the metrics "psnr" and "defect-score", for degraded and restored images; without
            them there is nothing to warn of.

    Returns:
        One sentence for each such category, with its numbers.
    """
    found = (_warning(name, group) for name, group in evaluation.categories.items())
    return tuple(warning for warning in found if warning is not None)


def _warning(name: str, group: Group) -> str | None:
    gains, before, after = group.gain or {}, group.degraded or {}, group.restored or {}
    decibels, points = gains.get("psnr"), gains.get("defect-score")
    if decibels is None or points is None or decibels <= 0 or points > -MARGIN:
        return None
    return (
        f"{name}: PSNR rises by {decibels:.2f} dB while defects are washed out: the defect score falls by "
        f"{-points:.1f} points, from {before['defect-score'].mean:.1f} in the degraded images to "
        f"{after['defect-score'].mean:.1f} (of 100, {counted(after['defect-score'].n, 'image')})"
    )


def _window_around(mask: Mask) -> tuple[slice, slice]:
    """Return the rectangle that all measures of a mask depend on."""
    if not mask.any():
        raise DataError("There is no defect.", expected="a mask that marks a pixel", got="an empty one")
    reach = RING + int(4 * SCALE + 0.5) + 1
    ends = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    rows, columns = (slice(max(int(at[0]) - reach, 0), int(at[-1]) + reach + 1) for at in ends)
    return rows, columns


def _against(levels: Doubles, inside: Mask, ring: Mask) -> Doubles:
    """Return by how much the pixels inside differ from the mean around them, (C, pixels)."""
    difference: Doubles = levels[:, inside] - levels[:, ring].mean(axis=1, keepdims=True)
    return difference


def _parts(mask: Mask) -> Iterator[tuple[tuple[slice, slice], Mask, Mask]]:
    """Yield every part of the mask that has surroundings: a rectangle, and both in it."""
    from scipy import ndimage

    near = _distance(mask) <= GAP
    labels, _ = ndimage.label(near, np.ones((3, 3)))
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = (slice(max(side.start - RING, 0), side.stop + RING) for side in box)
        part = rows, columns
        inside = mask[part] & (labels[part] == number)
        ring = (_distance(inside) <= RING) & ~near[part]
        if ring.any():
            yield part, inside, ring


def _smooth(levels: Levels) -> Doubles:
    from scipy.ndimage import gaussian_filter  # slow to load, and needed for masks alone

    return cast("Doubles", gaussian_filter(levels.astype(np.float64), (0, SCALE, SCALE), mode="nearest"))


def _gradients(levels: Levels) -> Doubles:
    """(C, H, W) to (2, C, H, W): the slopes of the smoothed image down and across."""
    return np.array(np.gradient(_smooth(levels), axis=(1, 2)))


def _distance(mask: Mask) -> Doubles:
    """Return how far each pixel is from the mask."""
    from scipy.ndimage import distance_transform_edt

    return cast("Doubles", distance_transform_edt(~mask))
